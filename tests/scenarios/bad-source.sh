#!/bin/bash
# A request that claims another address than its packet's source is answered with BAD_SOURCE, to the
# source of the packet: the client behind a NAT of its own has to hear it, and the address that was
# claimed, perhaps somebody else's, must not.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice
#                         └ web, whose address is claimed
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"

matches "control: the true address is answered" "$(request "en=$EN")" '^code 0 '
capture web web eth0 icmp
is "a wrong one is answered with BAD_SOURCE" \
    "$(request "en=$WEB")" "code 6 mapped 0.0.0.0:0 lifetime 0"
is "a private one, too" "$(request en=10.0.0.2)" "code 6 mapped 0.0.0.0:0 lifetime 0"
capture_end web
is "the owner of the claimed address hears nothing" "$(count_packets web)" 0
is "both were counted" "$(stat_of hgw natf_router bad_source)" 2
is "no mapping was made" "$(connections | grep -c "$WEB" || true)" 0
