#!/bin/bash
# Somebody inside asks as anybody else: the table decides, and for a neighbour the answer is what he knows already. He
# opens nothing in the name of an endpoint outside, and no way from outside to himself or to others.
#
#   en ─── isp ─── hgw ─── alice (the attacker, raw sockets), bob (nginx :80), carol (denied)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
web_server bob
insmod_router
write hgw natf_router/act "add bob 192.168.0.11 allow
add carol 192.168.0.12 deny"
request() { in_ns "$1" python3 "$NATF_TESTS/lib/request.py" "${@:2}"; }

is "control: from outside bob is mapped" "$(request en | cut -d' ' -f1,2)" "code 1"
matches "control: that is, under his name" "$(request en name=bob)" "^code 0 mapped $G2:80 "
for router in "$G2" 192.168.0.1; do
    matches "a neighbour is told his own address ($router)" "$(request alice name=bob "to=$router")" \
        '^code 0 mapped 192.168.0.11:80 '
    matches "who is denied is denied to neighbours, too ($router)" "$(request alice name=carol "to=$router")" '^code 1 '
    matches "in an endpoint's name nothing is opened ($router)" "$(request alice name=bob "to=$router" "en=$EN")" '^code 6 '
done
before=$(connections | grep -c . || true)
is "from an endpoint's address neither" "$(request alice name=bob from=$EN "en=$EN" s=42000)" "silence"
is "none of this has made a mapping" "$(connections | grep -c . || true)" "$before"
