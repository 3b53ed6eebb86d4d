#!/bin/bash
# A host that has routes to certain networks only reaches names if it has one for the virtual addresses;
# by which interface does not matter. Without it the application hears so at once.
#
#   en (203.0.113.0/24, nothing else) ─── isp ─── hgw (masquerade) ─── alice (nginx, UDP echo)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
udp_echo alice 5000
natf_on
ip -n en route del default
ip -n en route add 203.0.113.0/24 via 198.51.100.1
matches "the name has a virtual address" "$(address_of alice.home.example.net)" '^240\.'

capture wire isp en "host $G2"
timed connect en alice.home.example.net 80
is "control: without a route there is no connection" "$STATUS" 1
matches "because there is no route" "$(cat "$WORK/timed")" 'Network is unreachable'
ok "and that is told at once" test "$TOOK" -lt 500
matches "UDP hears the same" "$(ask_udp en alice.home.example.net 5000 hello 2>&1 || true)" 'Network is unreachable'
capture_end wire
is "the router was not asked" "$(count_packets wire)" 0

works() { # works TEXT
    is "$1: the page comes" "$(fetch en http://alice.home.example.net/)" "this is alice"
    is "$1: UDP, too" "$(ask_udp en alice.home.example.net 5000 hello)" "alice heard hello from $EN"
}
ip -n en route add 240.0.0.0/8 dev eth0
capture link en eth0
works "a route by the interface outwards"
ip -n en link add dummy0 type dummy
ip -n en link set dummy0 up
ip -n en route replace 240.0.0.0/8 dev dummy0
works "by an interface that leads nowhere"
ip -n en route replace 240.0.0.0/8 dev lo
works "by the loopback"
capture_end link
is "nobody looked for a virtual address on the link" "$(packets link | grep -c '240\.0\.' || true)" 0
