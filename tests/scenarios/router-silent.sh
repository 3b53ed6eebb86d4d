#!/bin/bash
# The router does not answer: four requests in 3.75 s, then an error for the application.
#
#   en ─── isp (swallows what goes to hgw) ─×─ hgw ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on

is "control: while the router answers, so does alice" \
    "$(fetch en http://alice.home.example.net/)" "this is alice"
isp ip route add blackhole "$G2"
capture wire isp en "host $G2"
timed connect en alice.home.example.net 80
capture_end wire
is "no connection" "$STATUS" 1
matches "because of an error of the kernel" "$(cat "$WORK/timed")" 'No route to host'
within "it came when the protocol says" "$TOOK" 3600 4900
is "four requests were sent" "$(count_packets wire 'icmp[icmptype] == icmp-echo')" 4
is "all with the same content" \
    "$(tcpdump -r "$WORK/wire.pcap" -n -t -x 'icmp[icmptype] == icmp-echo' 2>/dev/null |
        awk '/0x0020:/ { print $2, $3, $4, $5, $6, $7, $8, $9 }' | sort -u | grep -c .)" 1
is "and nothing of the connection" "$(count_packets wire tcp)" 0

isp ip route del blackhole "$G2"
ok "when the router is back, alice answers again" wait_for fetch en http://alice.home.example.net/
