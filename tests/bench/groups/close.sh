#!/bin/bash
# guest: uml
# limit: 600
# How close NAT-f comes to port forwarding: many short rounds of these two alone, and of both modules that only look on.
#
#   en (natf-load) ─── isp ─── hgw ─── alice (natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

LOAD_SECONDS=0.25
RUNS=$((RUNS * 8))

say chart one Mbit/s "TCP, both ends in one thread"
say row one-out "EN to IN"
say row one-in "IN to EN"
say chart udp packets/s "UDP without loss, 64 bytes"
say row udp-out "EN to IN"
say row udp-in "IN to EN"
for contender in natf loaded; do
    for way in out in; do
        where="$([ $way = out ] && echo EN to IN || echo IN to EN)"
        say goal one-$way $contender/forward least 0.99 "TCP, $where"
        say goal udp-$way $contender/forward least 0.98 "UDP, $where"
    done
done

quiet_topology

measure() {
    load one "$1" tcp en alice "$TARGET" 5400 $CHUNK
    load udp "$1" udp en alice "$TARGET" 5300 64
}
one() { with "$1" measure "$1"; }
rounds one forward loaded natf
