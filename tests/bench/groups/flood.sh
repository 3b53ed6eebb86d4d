#!/bin/bash
# guest: uml
# memory: 1024
# limit: 300
# How a flood is borne: 1,000,000 requests from made-up addresses, as fast as one processor sends them, while an
# endpoint with a key opens 1,000 connections; and what the router forwards beside a flood, of requests or of pings.
#
#   en (key) ─── isp (natf-load: the flood) ─── hgw (alice: key office) ─── alice (natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

FLOOD=1000000
CONNECTIONS=1000
PORT=5410

say chart connect us "From connect() to the first byte, median, with a key"
say row median "one after the other"
say goal median request/quiet most 3 "Connections beside the flood, to those without"
say chart made % "Connections that came about"
say row made "of $CONNECTIONS"
say goal made request least 99.9 "Connections that came about beside the flood, %"
say chart memory KiB "Kernel memory that the flood leaves, of all hosts of the guest together"
say row memory "slab, after $FLOOD requests"
say goal memory request most 8192 "Memory that the flood leaves, KiB"
say chart forward packets/s "Datagrams that the router forwards, beside so many packets of a flood as take half of the guest if they are pings"
say row forward "64 bytes, from IN"
say goal forward request/ping least 0.8 "Forwarded beside a flood of requests, to beside one of pings that are answered"
say goal forward request/refused least 0.8 "Forwarded beside a flood of requests, to beside one of pings that the firewall drops"
say chart each ns "A packet of the flood, with the work of its sender"
say row each "as fast as it goes"

topology
known_neighbours en isp hgw alice
name_server
natf_on_with_key
# All connections come from one network.
write hgw natf_router/limits "source 4000"
virtual=$(address_of alice.home.example.net)
# Answers to nobody leave by an uplink that is nobody's, so that what becomes of them costs the guest no more.
ip -n hgw link add nobody type dummy
ip -n hgw link set nobody up
ip -n hgw address add 192.0.2.1/30 dev nobody
ip -n hgw route add 11.0.0.0/8 via 192.0.2.2

value() { sed -n "s/^$1 //p" "$WORK/said"; }
slab() { awk '/^Slab:/ { print $2 }' /proc/meminfo; }
flood() { natf-load flood isp "$G2" "$@" >"$WORK/said"; }
connect_all() {
    natf-load connections en alice "$virtual" $((PORT += 1)) $CONNECTIONS >"$WORK/said"
    say figure median "$1" "$(value median)"
    say figure made "$1" "$(awk -v n="$(value made)" -v of=$CONNECTIONS 'BEGIN { print 100 * n / of }')"
}
forward() { # forward CONTENDER ping|request RATE
    natf-load beside alice en "$EN" 5300 64 2 isp "$G2" "$2" "$3" >"$WORK/said"
    say figure forward "$1" "$(value forwarded)"
    note "$1: forwarded $(value forwarded) beside $(value flood) packets/s of the flood"
}
answer_pings() {
    hgw nft insert rule inet filter input icmp type echo-request accept
}
drop_pings() {
    hgw nft flush ruleset
    firewall
}
# How fast pings may come so that they, and the answers to them, take half of the guest.
answer_pings
flood 200000 ping
rate=$((500000000 / $(value each)))
note "the rate of the floods beside which something is forwarded is $rate packets/s"
drop_pings
hgw conntrack -F 2>/dev/null

measure_quiet() {
    connect_all quiet
    forward quiet ping 0
}
# The same, but the firewall drops them, as it does in the first place.
measure_refused() {
    flood 200000 ping
    say figure each refused "$(value each)"
    forward refused ping $rate
}
# What the sender costs: nothing comes as far as the router's IP.
measure_dropped() {
    hgw nft -f - <<'RULES'
table netdev deaf {
    chain ears {
        type filter hook ingress device "wan" priority 0;
        drop
    }
}
RULES
    flood 200000 ping
    say figure each dropped "$(value each)"
    hgw nft delete table netdev deaf
}
measure_ping() {
    answer_pings
    flood 200000 ping
    say figure each ping "$(value each)"
    hgw conntrack -F 2>/dev/null
    forward ping ping $rate
    drop_pings
}
measure_request() {
    local before after asked
    flood 200000 request
    say figure each request "$(value each)"
    forward request request $rate
    before=$(slab)
    asked=$(stat_of en natf_en cookie_sent)
    background flood isp natf-load flood isp "$G2" $FLOOD request
    sleep 0.3
    connect_all request
    note "$(($(stat_of en natf_en cookie_sent) - asked)) of $CONNECTIONS were asked for a cookie"
    kill -0 "${PID[flood]}" 2>/dev/null || note "the flood was over before the connections were"
    wait "${PID[flood]}"
    after=$(slab)
    say figure memory request $((after > before ? after - before : 0))
    note "the flood took $(sed -n 's/^took //p' "$WORK/flood.log") ms"
}
one() {
    "measure_$1"
    hgw conntrack -F 2>/dev/null
}
rounds one quiet dropped refused ping request
