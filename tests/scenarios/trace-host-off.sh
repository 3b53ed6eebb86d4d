#!/bin/bash
# natfctl trace says so where the inside host is off, or the router cannot reach its address.
#
#   en (natfctl) ─── isp (BIND) ─── hgw ─── alice (nginx), off (nobody), far (an address of no inside network)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
write hgw natf_router/act "add off 192.168.0.77 allow"
write hgw natf_router/act "add far 10.9.9.9 allow"
hgw sysctl -qw net.ipv4.neigh.lan.mcast_solicit=1 net.ipv4.neigh.lan.retrans_time_ms=50
cause "it is off" inside_unreachable '^the inside host: .* host unreachable: off is off' off.home.example.net 80
cause "its address is not there" no_host "^the router: .* an address for far that the router cannot reach" far.home.example.net 80
write hgw natf_router/act "add far 192.168.0.10 allow"
repaired far.home.example.net 80
ip -n alice address add 192.168.0.77/24 dev eth0
repaired off.home.example.net 80
