#!/bin/bash
# natfctl trace names what is wrong when the mapping is made: with the data flow, the inside host, or this host's own
# firewall.
#
#   en (natfctl, firewall) ─── isp (BIND) ─── hgw (masquerade, firewall) ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

name=alice.home.example.net
topology
name_server
web_server alice
natf_on
write hgw natf_router/act "add off 192.168.0.77 allow"
all_right "control" $name 80

cause "no server" inside_refuses '^the inside host: alice refuses TCP port 81' $name 81
cause "no server, UDP" inside_refuses '^the inside host: alice refuses UDP port 81: .* port unreachable' $name 81 --udp
hgw sysctl -qw net.ipv4.neigh.lan.mcast_solicit=1 net.ipv4.neigh.lan.retrans_time_ms=50
cause "the inside host is off" inside_unreachable '^the inside host: .* host unreachable: off is off' off.home.example.net 80

lose hgw forward iifname wan
cause "the router's firewall drops the data" data_dropped '^the router: the mapping is made, and nothing comes back' $name 80
cause "it drops pings" data_dropped '^the router: the mapping is made, and nothing comes back' $name --icmp
all_right "of a datagram that nobody answers nothing is said for sure" $name 81 --udp
is "but a warning" "$(jq -r '.steps[-1] | "\(.step) \(.state)"' "$WORK/trace")" "packet back warning"
keep hgw
hgw nft insert rule inet filter forward iifname wan reject with icmp admin-prohibited
cause "it refuses the data" data_refused '^the router: .*the first packet is refused: .* prohibited' $name 80
hgw nft delete rule inet filter forward handle "$(hgw nft -a list chain inet filter forward | sed -n 's/.*reject.*handle //p')"

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
own output "ip daddr $G2 meta l4proto tcp"
cause "this host's firewall drops the first packet" own_firewall_out '^this host: .*the first packet did not leave' $name 80
en nft delete table ip own
own input "ip saddr $G2 meta l4proto tcp"
cause "it drops the answer" own_firewall_in '^this host: the inside host.s answer came to this host, and not to the application' $name 80
en nft delete table ip own
own output "ip daddr $G2 icmp type echo-request"
cause "it drops the request" request_stopped '^this host: this host does not let the request .* out' $name 80
en nft delete table ip own
own output "ip daddr 240.0.0.0/8"
all_right "it never sees the virtual address" $name 80
en nft delete table ip own

