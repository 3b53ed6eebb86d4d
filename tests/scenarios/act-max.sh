#!/bin/bash
# The maximum of an entry: no more mappings at a time, of whatever protocol; what is there may be asked for
# again; what has ended makes room at once. All of that in the zone of conntrack that the LAN is in.
#
#   en, web (raw sockets) ─── isp ─── hgw ─── alice, bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
act() { write hgw natf_router/act "$1"; }
act "add alice 192.168.0.10 allow tcp udp max 3
add bob 192.168.0.11 allow max 1
add * 192.168.0.12 allow from 198.51.100.0/24 max 2
add * 192.168.0.12 allow"
asked() { in_ns "$1" python3 "$NATF_TESTS/lib/request.py" "${@:2}" | cut -d' ' -f1,2; }
delete() { hgw conntrack -D "$@" >"$WORK/output" 2>&1; }
limited() { stat_of hgw natf_router limited; }

is "one" "$(asked en s=1000)" "code 0"
is "two, of another protocol" "$(asked en s=1000 protocol=17)" "code 0"
is "three, of another endpoint" "$(asked web s=1000)" "code 0"
is "four are too many" "$(asked en s=1001)" "code 4"
is "for anybody" "$(asked web s=1001)" "code 4"
is "both were counted" "$(limited)" 2
is "no entry was made for them" "$(connections | grep -c 'dport=1001 ' || true)" 0
is "what is there may be asked for again" "$(asked en s=1000) $(asked web s=1000)" "code 0 code 0"
delete -p udp --orig-src 192.168.0.10
is "one that has ended makes room" "$(asked en s=1001)" "code 0"
is "for one" "$(asked en s=1002)" "code 4"
is "another name has its own" "$(asked en name=bob s=1000)" "code 0"
is "and not more" "$(asked en name=bob s=1001 protocol=1)" "code 4"
is "all names of an entry share it" "$(asked en name=x s=1000) $(asked en name=y s=1000)" "code 0 code 0"
is "so that there is none for a third" "$(asked en name=z s=1001)" "code 4"
is "an entry behind it is not asked" "$(asked en name=z s=1002)" "code 4"
is "but it is for others" "$(asked web name=z s=1000) $(asked web name=z s=1001) $(asked web name=z s=1002)" \
    "code 0 code 0 code 0"

saved=$(show hgw natf_router/act)
act flush
act "$saved"
is "a table that is loaded again counts what there is" "$(asked en s=1002)" "code 4"
act "add alice 192.168.0.10 allow tcp udp max 4"
is "a larger maximum counts at once" "$(asked en s=1002) $(asked en s=1003)" "code 0 code 4"
hgw conntrack -F 2>/dev/null
is "when all are over there is room for all" \
    "$(for s in 1 2 3 4 5; do asked en s=$s; done | tr '\n' ' ')" "code 0 code 0 code 0 code 0 code 4 "

hgw nft -f - <<'RULES'
table ip zones {
    chain prerouting {
        type filter hook prerouting priority raw;
        iifname "lan" ct zone set 5
    }
}
RULES
hgw conntrack -F 2>/dev/null
# Four, and that of the request that request.py sends behind each.
write hgw natf_router/limits "mappings 5"
is "with the LAN in a zone there is room for as many" \
    "$(for s in 1 2 3 4 5; do asked en s=$s; done | tr '\n' ' ')" "code 0 code 0 code 0 code 0 code 4 "
is "control: they are in it" "$(connections --zone 5 | grep -c 'sport=80 dport=[1-4] ')" 4
is "what is there may be asked for again there, too" "$(asked en s=4)" "code 0"
act "add alice 192.168.0.10 allow tcp udp max 9"
is "also where the endpoint has all it may have" "$(asked en s=4)" "code 0"
is "without showing that it asks itself, as for another one" "$(asked en s=6)" "code 8"
