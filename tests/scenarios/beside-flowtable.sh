#!/bin/bash
# stock: yes
# Flow tables. On the router of the inside host the flows of a mapping are offloaded as any others, and go on when the
# table goes. On a router that runs natf_en for the hosts behind it, what natf_en has to see is not: no packet with a
# virtual address gets out by the fast path, and no DNS answer comes in by it.
#
#   en ─────────────────────────────── isp ─── hgw (natf_router, flow table) ─── alice (nginx :80, UDP :5000)
#   dan ─── hgw2 (natf_en, flow table) ──┘ └── web
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
second_home

fast() { # fast NAMESPACE DEVICES: a flow table for everything
    in_ns "$1" nft -f - <<RULES
table inet fast {
    flowtable f {
        hook ingress priority filter;
        devices = { $2 };
    }
    counter slow { }
    chain forward {
        type filter hook forward priority filter + 10;
        meta l4proto { tcp, udp } flow add @f
        counter name slow
    }
}
RULES
}
fast hgw '"wan", "to-alice"'
fast hgw2 '"wan", "lan"'
slow() { nft_counter "$1" fast slow; }
offloaded() { in_ns "$1" conntrack -L "${@:2}" 2>/dev/null | grep -c OFFLOAD || true; }

name_server
web_server alice
web_server web
udp_echo alice 5000
udp_echo web 5000
head -c 8M /dev/urandom >"$WORK/web.alice/file"
sum=$(sha256sum <"$WORK/web.alice/file")
not_ok "control: without the modules nothing comes" fetch en http://alice.home.example.net/ --connect-timeout 1
natf_on
write hgw2 natf_en/domains "add home.example.net"
virtual=$(address_of alice.home.example.net)
capture wan isp hgw "host $EN"

get() { # get TEXT NAMESPACE SLOW-HGW SLOW-HGW2 [CMD…]: the file, and CMD while it comes
    local text=$1 ns=$2 limit=$3 limit2=$4 before before2
    before=$(slow hgw) before2=$(slow hgw2)
    background download "$ns" curl -sS --max-time 20 --limit-rate 8M -o "$WORK/file" http://alice.home.example.net/file
    wait_for test -s "$WORK/file"
    "${@:5}"
    ok "$text: the transfer ends well" wait "${PID[download]}"
    is "$text: it is whole" "$(sha256sum <"$WORK/file")" "$sum"
    # Segments are merged on the way, so nobody knows how many packets it is.
    within "$text: packets on hgw's slow path" $(($(slow hgw) - before)) "${limit%-*}" "${limit#*-}"
    within "$text: packets on hgw2's" $(($(slow hgw2) - before2)) "${limit2%-*}" "${limit2#*-}"
    rm "$WORK/file"
}
now_fast() { is "en: the flow is offloaded" "$(offloaded hgw -p tcp --orig-port-src 80)" 1; }
get "en" en 1-40 0-0 now_fast
datagrams() { # datagrams NAMESPACE PORT ADDRESS: from one port, there and back, three times
    local round got=
    for round in 1 2 3; do
        got+="$(ask_udp "$1" alice.home.example.net 5000 "$round" "$2"),"
    done
    is "$1: datagrams go both ways" "$got" "alice heard 1 from $3,alice heard 2 from $3,alice heard 3 from $3,"
}
datagrams en 41000 $EN
is "en: their flow is offloaded" "$(offloaded hgw -p udp --orig-port-src 5000)" 1

# A flow table does not tell conntrack of a connection's end, only of the next SYN, which is lost by that.
is "from one port, once" "$(talk "$virtual" 41001 page)" "this is alice"
is "and again: a lost SYN later" "$(talk "$virtual" 41001 page)" "this is alice"

is "dan: control: what natf_en has no part in is offloaded" "$(
    fetch dan "http://$WEB/"
    offloaded hgw2 -p tcp --orig-dst $WEB
)" "this is web"$'\n'1
capture other isp hgw2
get "dan" dan 1-40 50-10000
datagrams dan 41002 $HGW2
resolve() { in_ns dan dig +short +tries=1 +time=2 "$@"; }
for round in 1 2 3; do
    matches "dan: a name is virtual, asked from one port, $round" \
        "$(resolve -b 0.0.0.0#41003 alice.home.example.net)" '^240\.'
done
is "dan: over one connection, too" \
    "$(resolve +tcp +keepopen alice.home.example.net +tcp +keepopen bob.home.example.net | grep -c '^240\.')" 2
capture_end other
is "dan: no virtual address was on the wire" "$(count_packets other net 240.0.0.0/4)" 0

end_table() { hgw nft delete table inet fast; }
slow() { echo 0; }
get "the table goes" en 0-0 0-0 end_table
capture_end wan
is "no pseudo-packet left" "$(count_packets wan "$PSEUDO")" 0
is "no connection was reset" "$(stat_of en natf_en broken)" 0
