#!/bin/bash
# natfctl trace says so where the firewall of the router drops or refuses what a mapping is for.
#
#   en (natfctl) ─── isp (BIND) ─── hgw (firewall) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
first() { # first RULE: hgw's firewall has it before all others; not_first ends that
    RULE=$(hgw nft -ea insert rule inet filter forward "$@" | sed -n 's/.*# handle //p')
}
not_first() { hgw nft delete rule inet filter forward handle "$RULE"; }

lose hgw forward iifname wan
cause "it drops what comes in" data_dropped '^the router: the mapping is made, and nothing comes back' "$name" 80
cause "pings, too" data_dropped '^the router: the mapping is made, and nothing comes back' "$name" --icmp
all_right "of a datagram that nobody answers nothing is said for sure" "$name" 81 --udp
is "but a warning" "$(jq -r '.steps[-1] | "\(.step) \(.state)"' "$WORK/trace")" "packet back warning"
keep hgw
first iifname wan reject with icmp admin-prohibited
cause "it refuses it" data_refused '^the router: .*the first packet is refused: .* prohibited' "$name" 80
not_first
first ip saddr 192.168.0.10 oifname wan ct state new drop
cause "it drops what alice would send" forbidden "^the router: the table of $G2 allows alice, but a rule of its firewall" "$name" 80
not_first
repaired
