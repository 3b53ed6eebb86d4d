#!/bin/bash
# A router that runs natf_en for the hosts behind it has two uplinks, both masqueraded, and the way to the other
# home is not the way to the virtual addresses: the address of the latter is used, and masquerade does not take the
# connection for one that lost its interface.
#
#                          ┌ wan  203.0.113.10: default route, so the way to 240/8 ┐
#   dan ─ lan ─ hgw2 ──────┤                                                       ├ isp ─── hgw ─── alice
#              (natf_en)   └ wan2 203.0.113.14: route to hgw                       ┘
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
second_home
link isp hgw3 203.0.113.13/30 hgw2 wan2 203.0.113.14/30
ip -n hgw2 route add $G2 via 203.0.113.13
hgw2 nft -f - <<'RULES'
flush chain ip nat postrouting
add rule ip nat postrouting ip saddr 192.168.0.0/24 masquerade
RULES
name_server
web_server alice
udp_echo alice 5000
head -c 2M /dev/urandom >"$WORK/web.alice/file"
natf_on
write hgw2 natf_en/domains "add home.example.net"

capture wan isp hgw2 "host $G2"
capture wan2 isp hgw3 "host $G2"
is "the page comes" "$(fetch dan http://alice.home.example.net/)" "this is alice"
is "datagrams, too" "$(ask_udp dan alice.home.example.net 5000 hello)" "alice heard hello from $HGW2"
is "a file is whole" \
    "$(fetch dan http://alice.home.example.net/file | sha256sum)" "$(sha256sum <"$WORK/web.alice/file")"
capture_end wan
capture_end wan2
is "everything went by the route to the other home" "$(count_packets wan "src $HGW2")" 0
ok "with the address of the route to the virtual addresses" \
    test "$(count_packets wan2 "src $HGW2 and tcp")" -gt 5
is "nothing was sent twice" "$(repeated_segments wan2)" ""
is "dan's router tracks three connections" \
    "$(hgw2 conntrack -L 2>/dev/null | grep -c 'dst=240\.')" 3
