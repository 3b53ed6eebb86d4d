#!/bin/bash
# stock: yes
# UDP both ways: a datagram reaches a host behind the NAT, its answer comes back from the virtual
# address, and the whole flow costs one negotiation.
#
#   en ─── isp ─── hgw (masquerade) ─── alice (socat, UDP 5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
udp_echo alice 5000

is "control: without the modules no answer comes" \
    "$(ask_udp en alice.home.example.net 5000 hello 41000 || true)" ""
natf_on
capture wire isp en
capture in alice eth0 udp
is "the answer comes, and alice saw EN's real address" \
    "$(ask_udp en alice.home.example.net 5000 hello 41000)" "alice heard hello from $EN"
is "the next datagram of the flow, too" \
    "$(ask_udp en alice.home.example.net 5000 again 41000)" "alice heard again from $EN"
is "another flow, too" \
    "$(ask_udp en alice.home.example.net 5000 other 41001)" "alice heard other from $EN"

capture_end wire
capture_end in
is "two flows cost two requests" \
    "$(count_packets wire 'icmp[icmptype] == icmp-echo')" 2
is "no virtual address was on the wire" "$(count_packets wire net 240.0.0.0/4)" 0
is "no datagram was sent twice or lost" "$(count_packets in "src $EN")" 3
is "the first of each flow travelled in its request" "$(count_packets wire "udp and src $EN and dst $G2")" 1
is "no answer either" "$(count_packets wire "udp and src $G2 and dst $EN")" 3
