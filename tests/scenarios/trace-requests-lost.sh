#!/bin/bash
# natfctl trace says so where a firewall on the way drops or refuses the requests.
#
#   en (natfctl) ─── isp (BIND, firewall) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
hgw nft insert rule inet filter input icmp type echo-request accept
on_the_way filter forward filter 'icmp type echo-request @th,64,32 0x4e415466 drop'
cause "it drops requests only" requests_lost "^the way to the router: $G2 answers a plain ping, and not the requests" "$name" 80
way_free
# A second has one ICMP error for each host, and this host has had some just now.
isp sysctl -qw net.ipv4.icmp_ratelimit=0
on_the_way filter forward filter 'icmp type echo-request reject with icmp admin-prohibited'
cause "it refuses them" router_unreachable "^the way to the router: $NAMESERVER says of the request .*: prohibited" "$name" 80
way_free
repaired
