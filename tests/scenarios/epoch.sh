#!/bin/bash
# What a router tells an endpoint about the state of its mappings: KEPT, if the one that was asked for was
# there before; EPOCH, a number that changes when the router loses an address or starts anew. An answer
# has it only where the request left room.
#
#   en (raw sockets) ─── isp ─── wan hgw lan ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
configure() {
    insmod_router
    write hgw natf_router/act "add alice 192.168.0.10 allow"
    write hgw natf_router/act "add carol 192.168.0.12 deny"
}
configure
request() { en python3 "$NATF_TESTS/lib/request.py" tell=all "$@"; }
epoch() { request "$@" | sed 's/.* epoch //'; }
mapped="code 0 mapped $G2:80 lifetime"

first=$(epoch)
matches "an answer has an epoch, 8 bytes" "$first" '^[0-9a-f]{16}$'
is "asked again, the mapping was there" "$(request)" "$mapped 432000 kept epoch $first"
is "another is new, in the same epoch" "$(request s=40001)" "$mapped 432000 new epoch $first"
is "so with UDP" "$(request protocol=17)" "$mapped 30 new epoch $first"
is "again" "$(request protocol=17)" "$mapped 30 kept epoch $first"
hgw conntrack -D -p udp >"$WORK/output" 2>&1
is "a mapping that was lost is new" "$(request protocol=17)" "$mapped 30 new epoch $first"

is "a request without room gets no epoch, but KEPT" "$(request pad=0)" "$mapped 432000 kept epoch none"
is "one byte too little room" "$(request pad=0 option=0:00)" "$mapped 432000 kept epoch none"
is "just enough" "$(request pad=0 option=0:000000)" "$mapped 432000 kept epoch $first"
is "a refusal has none" "$(request name=carol)" "code 1 mapped 0.0.0.0:0 lifetime 0 new epoch none"

ip -n hgw address add 192.168.7.1/24 dev lan
is "another address is no new epoch" "$(epoch)" "$first"
ip -n hgw address del 192.168.7.1/24 dev lan
second=$(epoch)
differs "an address that goes away is one" "$second" "$first"
matches "and it is told" "$second" '^[0-9a-f]{16}$'
is "told to all" "$(epoch s=40002)" "$second"
ip -n isp address add 192.0.2.77/32 dev en
ip -n isp address del 192.0.2.77/32 dev en
is "one of another host is not" "$(epoch)" "$second"
rmmod natf_router
configure
third=$(epoch)
differs "a module that starts anew has a new one" "$third" "$second"
is "and knows by conntrack what was kept" "$(request)" "$mapped 432000 kept epoch $third"
