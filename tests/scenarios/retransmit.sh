#!/bin/bash
# A lost request is sent again after 250 ms, before TCP would repeat anything.
#
#   en ─── isp (loses the first echo request to hgw) ─── hgw ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
write en natf_en/early off
capture control isp en
is "control: with nothing lost" "$(fetch en http://alice.home.example.net/)" "this is alice"
capture_end control
is "control: one request" "$(count_packets control 'icmp[icmptype] == icmp-echo')" 1

# numgen counts from 0, so this loses the first one only.
lose isp forward ip daddr "$G2" icmp type echo-request numgen inc mod 1000000 == 0
capture wire isp en
timed fetch en http://alice.home.example.net/
capture_end wire
is "the page comes all the same" "$(cat "$WORK/timed")" "this is alice"
within "a quarter of a second later" "$TOOK" 240 990
is "the request was sent twice" "$(count_packets wire 'icmp[icmptype] == icmp-echo')" 2
is "and answered once" "$(count_packets wire 'icmp[icmptype] == icmp-echoreply')" 1
is "one SYN" "$(count_packets wire 'tcp[tcpflags] == tcp-syn')" 1
is "TCP repeated nothing" "$(repeated_segments wire)" ""

keep isp
lose isp forward ip saddr "$G2" icmp type echo-reply numgen inc mod 1000000 == 0
timed fetch en http://alice.home.example.net/
is "the same when the response is lost" "$(cat "$WORK/timed")" "this is alice"
is "the router made one mapping for it, not two" \
    "$(connections -p tcp | grep -c 'src=192.168.0.10 .*sport=80')" 3
