#!/bin/bash
# traceroute by name shows the hops in between and ends at the host behind the NAT, with probes of TCP and
# of UDP: the errors of the routers are translated, and each probe keeps its TTL.
#
#   en ─── isp 198.51.100.1 ─── hgw 203.0.113.2 (masquerade) ─── alice (nginx :80, nothing on UDP 53)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
HOST=alice.home.example.net
# trace OPTIONS…: a line for each hop: its address, or *
trace() {
    en timeout 40 traceroute -n -q 1 -w 2 -m 5 "$@" "$HOST" >"$WORK/trace" 2>&1 || true
    sed 1d "$WORK/trace" | awk '{ print $2 }' | xargs
}
time_exceeded() { count_packets wire 'icmp[icmptype] == icmp-timxceed'; }

is "control: without the modules the trace does not end" "$(trace -T -p 80 -m 3)" "198.51.100.1 * *"
natf_on
virtual=$(address_of "$HOST")
capture wire isp en
is "TCP: isp, the router, and alice under her virtual address" \
    "$(trace -T -p 80)" "198.51.100.1 $G2 $virtual"
# What says that the port is closed is an error, and its sender is, after the NAT, the router.
is "UDP to one port" "$(trace -U)" "198.51.100.1 $G2 $G2"
is "UDP to a port for each probe" "$(trace)" "198.51.100.1 $G2 $G2"
capture_end wire
ok "control: two errors for each trace came over the wire" test "$(time_exceeded)" -ge 6
is "no virtual address was there, not even inside an error" \
    "$(packets wire | grep -c '240\.0\.' || true)" 0
