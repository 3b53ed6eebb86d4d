#!/bin/bash
# guest: qemu
# limit: 900
# How many instructions a packet takes on Debian's kernel, counted by QEMU: on the whole path, and what each
# contender adds on EN and on the router to what routing alone takes.
#
#   en (natf-load) ─── isp ─── hgw ─── alice (natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

LOAD_SECONDS=0.03

for kind in udp tcp; do
    for way in out in; do
        where="$([ $way = out ] && echo EN to IN || echo IN to EN)"
        what="$([ $kind = udp ] && echo "A datagram" || echo "A TCP segment and its acknowledgment")"
        say chart $kind-$way instructions "$what, $where"
        say row $kind-$way-all "the whole path"
        say row $kind-$way-en "added on EN"
        say row $kind-$way-router "added on the router"
        say goal $kind-$way-en natf/dnat most 0.33 "$what, $where, added on EN"
    done
done

quiet_topology

# natf_en in front of a router that only forwards ports: what it costs EN, and nothing else.
on_alone() {
    forwarding
    hgw nft insert rule inet filter input icmp type echo-request accept
    insmod_en
    write en natf_en/domains "add home.example.net"
    TARGET=$(address_of alice.home.example.net)
}
off_alone() {
    rmmod natf_en
    hgw nft flush ruleset
}

# The same while it takes the time of every packet.
on_timed() {
    on_alone
    write en natf_en/timings on
}
off_timed() { off_alone; }

declare -A COST
measure() {
    local kind way rate
    for kind in udp tcp; do
        natf-load $kind en alice "$TARGET" 5400 64 $LOAD_SECONDS >"$WORK/load"
        while read -r way rate; do
            COST[$kind-$way.$1]=$(awk -v rate="$rate" 'BEGIN { printf "%.1f", 1e9 / rate }')
        done <"$WORK/load"
    done
}

add() { awk "BEGIN { printf \"%.1f\", $1 }"; }

for ((round = 1; round <= RUNS; round++)); do
    for contender in direct forward natf dnat alone timed ipip wireguard; do
        note "round $round of $RUNS: $contender"
        with $contender measure $contender
    done
    for kind in udp tcp; do
        for way in out in; do
            cost() { echo "${COST[$kind-$way.$1]}"; }
            for contender in direct forward natf dnat ipip wireguard; do
                say figure $kind-$way-all $contender "$(cost $contender)"
            done
            natf=$(add "$(cost alone) - $(cost forward)")
            say figure $kind-$way-en natf "$natf"
            say figure $kind-$way-en timed "$(add "$(cost timed) - $(cost forward)")"
            say figure $kind-$way-en dnat "$(add "$(cost dnat) - $(cost forward)")"
            say figure $kind-$way-router forward "$(add "$(cost forward) - $(cost direct)")"
            say figure $kind-$way-router natf "$(add "$(cost natf) - $natf - $(cost direct)")"
        done
    done
done
is "all rounds were run" "$((round - 1))" "$RUNS"
