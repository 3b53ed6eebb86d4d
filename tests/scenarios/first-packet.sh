#!/bin/bash
# stock: yes
# The first packet waits in EN's kernel for the mapping: TCP repeats nothing, and neither the virtual
# address nor the router's pseudo-packet is ever on the wire.
#
#   en ─── isp ─── hgw (masquerade) ─── alice (nginx :80)
#          └ captured here, 10 ms away from both
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
delay 10
name_server
web_server alice
web_server web

capture control isp en
lose web input tcp dport 80
not_ok "control: a server that does not answer" \
    fetch en http://web.example.net/ --connect-timeout 2
capture_end control
differs "control: a repeated SYN is seen in the capture" "$(repeated_segments control)" ""

natf_on
write en natf_en/early off
capture en_side isp en
capture hgw_side isp hgw
is "the page comes" "$(fetch en http://alice.home.example.net/)" "this is alice"
capture_end en_side
capture_end hgw_side

for side in en_side hgw_side; do
    is "$side: one SYN" "$(count_packets $side "tcp[tcpflags] == tcp-syn")" 1
    is "$side: TCP repeated nothing" "$(repeated_segments $side)" ""
    is "$side: no virtual address" "$(count_packets $side net 240.0.0.0/4)" 0
    is "$side: one request" "$(count_packets $side 'icmp[icmptype] == icmp-echo')" 1
    is "$side: one response" "$(count_packets $side 'icmp[icmptype] == icmp-echoreply')" 1
    # It is a SYN or has TTL 2 and less; the connection itself starts on EN's side.
    is "$side: no pseudo-packet" \
        "$(count_packets $side "src $G2 and (tcp[tcpflags] == tcp-syn or ip[8] <= 2)")" 0
done
request=$(packets en_side 'icmp[icmptype] == icmp-echo' | sed -n 's/.*length \([0-9]*\).*/\1/p')
response=$(packets en_side 'icmp[icmptype] == icmp-echoreply' | sed -n 's/.*length \([0-9]*\).*/\1/p')
ok "the response is no longer than the request" test "$response" -le "$request"
