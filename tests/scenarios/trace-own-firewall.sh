#!/bin/bash
# natfctl trace says so where the firewall of this host itself drops something.
#
#   en (natfctl, firewall) ─── isp (BIND) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
own() { # own HOOK MATCH…: en drops what matches
    en nft -f - <<RULES
table ip own {
    chain own {
        type filter hook $1 priority filter;
        ${*:2} drop
    }
}
RULES
}
own_again() { en nft delete table ip own; }

own output "ip daddr $G2 icmp type echo-request"
cause "the request" request_stopped '^this host: this host does not let the request .* out' "$name" 80
own_again
own output "ip daddr $G2 meta l4proto tcp"
cause "the first packet" own_firewall_out '^this host: .*the first packet did not leave' "$name" 80
own_again
own input "ip saddr $G2 meta l4proto tcp"
cause "the answer" own_firewall_in '^this host: the inside host.s answer came to this host, and not to the application' "$name" 80
own_again
own output "ip daddr 240.0.0.0/8"
all_right "it never sees the virtual address" "$name" 80
own_again
repaired
