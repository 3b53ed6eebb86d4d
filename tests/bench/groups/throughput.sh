#!/bin/bash
# guest: uml
# limit: 900
# How much goes through: TCP with one and eight streams, and datagrams of the sizes of the paper's Table 5,
# both directions, with all offloads of a veth.
#
#   en (iperf3, natf-load) ─── isp ─── hgw ─── alice (iperf3 -s, natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

TCP_SECONDS=1.5
LOAD_SECONDS=0.3
SIZES=(64 128 256 512 1024 1472)

say chart tcp Mbit/s TCP through iperf3
for streams in 1 8; do
    say row tcp-$streams-out "$streams stream(s), EN to IN"
    say row tcp-$streams-in "$streams stream(s), IN to EN"
    say goal tcp-$streams-out natf/forward least 0.99 "TCP, $streams stream(s), EN to IN"
    say goal tcp-$streams-in natf/forward least 0.99 "TCP, $streams stream(s), IN to EN"
done
say chart one Mbit/s "TCP, both ends in one thread"
say row one-out "EN to IN"
say row one-in "IN to EN"
for way in out in; do
    where="$([ $way = out ] && echo EN to IN || echo IN to EN)"
    say chart udp-$way packets/s "UDP without loss, $where"
    for size in "${SIZES[@]}"; do
        say row "udp-$size-$way" "$size bytes"
    done
done

quiet_topology
background alice.iperf3 alice iperf3 -s
wait_for listening alice tcp 5201

# tcp METRIC CONTENDER [iperf3 options]: Mbit/s that arrived
tcp() {
    local metric=$1 contender=$2
    shift 2
    en timeout 20 iperf3 -J -t "$TCP_SECONDS" -O 0.2 -c "$TARGET" "$@" >"$WORK/iperf.json"
    say figure "$metric" "$contender" "$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf.json")"
}

# Everything for what is compared closely, some of it for the other families.
measure() {
    local contender=$1 size streams
    local -a counts=(1 8) sizes=("${SIZES[@]}")
    case $contender in
    ipip | wireguard | pcp | relay)
        counts=(1)
        sizes=(64 1472)
        ;;
    esac
    if [ "$contender" = relay ]; then
        for size in "${sizes[@]}"; do
            load "udp-$size" relay turn en alice "$TARGET" "$size"
        done
        return
    fi
    for streams in "${counts[@]}"; do
        tcp "tcp-$streams-out" "$contender" -P "$streams"
        tcp "tcp-$streams-in" "$contender" -P "$streams" -R
    done
    load one "$contender" tcp en alice "$TARGET" 5400 $CHUNK
    for size in "${sizes[@]}"; do
        load "udp-$size" "$contender" udp en alice "$TARGET" 5300 "$size"
    done
}
one() { with "$1" measure "$1"; }
rounds one direct forward natf dnat ipip wireguard pcp relay
