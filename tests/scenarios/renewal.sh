#!/bin/bash
# A UDP flow that was idle for longer than the router keeps its mapping is negotiated again by its next
# datagram, and none is lost.
#
#   en ─── isp ─── hgw (masquerade, forgets UDP after 3 s) ─── alice (UDP 5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
udp_echo alice 5000
# Before the tracked flows; the module asks for the value when it answers.
hgw sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3 net.netfilter.nf_conntrack_udp_timeout_stream=3
natf_on
write en natf_en/early off
ask() { ask_udp en alice.home.example.net 5000 "$1" 41000; }
forgotten() { [ -z "$(connections -p udp --dport 41000)" ]; }
requests() { stat_of en natf_en request_sent; }

capture wire isp en "host $G2"
is "the first datagram is answered" "$(ask one)" "alice heard one from $EN"
is "it cost a request" "$(requests)" 1
is "so is the second" "$(ask two)" "alice heard two from $EN"
is "control: within the lifetime there is no other request" "$(requests)" 1
for round in 2 3; do
    ok "the router forgets the flow" wait_for forgotten
    is "the next datagram is answered" "$(ask again)" "alice heard again from $EN"
    is "and cost a request" "$(requests)" $round
done
capture_end wire
is "each datagram was on the wire once" "$(count_packets wire "udp and dst $G2")" 4
is "and each answer" "$(count_packets wire "udp and src $G2")" 4
is "one flow is left" "$(rows en natf_en/vat)" 1
