#!/bin/bash
# guest: uml
# memory: 2048
# limit: 900
# How flows of very different number weigh: memory of an entry, and cost of a packet in a table of 1,000 and
# in one of 1,000,000 (or as many as the module takes). The router is a host without NAT-f, so that nothing
# but natf_en has a table. Packets out go to a device that drops them; packets in are made up by the other
# host, and nobody reads them.
#
#   en (natf-load) ─── isp ─── web (answers ping; makes up answers)
#    └ nowhere (a dummy device, for datagrams out)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

FEW=1000
MANY=1000000
TALK_SECONDS=2

say chart memory bytes "Memory of one flow"
say row memory-all "all memory that is gone"
say row memory-slab "of it in the slab allocator"
say goal memory-all natf most 192 "Bytes of memory for a flow"
for way in out in; do
    say chart cost-$way ns "A datagram $way"
    say row cost-$way "datagram $way"
    say goal cost-$way many-of-many/few-of-few most 1.2 "A datagram $way"
    say chart vat-$way ns "VAT's part of it"
    say row vat-$way "VAT $way"
    say goal vat-$way few-of-few most 60 "VAT's part of a datagram $way, ns"
    say goal vat-$way few-of-many/few-of-few most 1.2 "VAT's part of a datagram $way, by flows"
done

topology
hgw nft flush ruleset
echo "other.home A $WEB" >"$WORK/more"
ZONE=$WORK/more name_server
ip -n en link add nowhere type dummy
ip -n en address add 192.0.2.1/32 dev nowhere
ip -n en link set nowhere up
ip -n en route add "$WEB/32" dev nowhere src $EN table 9
ip -n en rule add ipproto udp sport 2000-2999 table 9

memory() { # memory FIELD…: kB of /proc/meminfo, summed
    local field fields=
    for field; do fields+="|^$field:"; done
    awk -v fields="${fields#|}" '$0 ~ fields { sum += $2 } END { print sum }' /proc/meminfo
}

# What RCU and the work queues still have to do is done when two looks see the same.
settle() {
    local before=0 now
    sync
    echo 3 >/proc/sys/vm/drop_caches
    settled() {
        now=$(memory MemFree)
        ((now == before)) || { before=$now; false; }
    }
    WAIT=30 wait_for settled
}

# costs CONTENDER COUNT: a datagram out and one in, on so many flows
costs() {
    local way value
    natf-load talk en $EN web $WEB "$TARGET" "$2" $TALK_SECONDS >"$WORK/costs"
    while read -r way value; do
        say figure "cost-$way" "$1" "$value"
        COST[$way.$1]=$value
        [ "$1" = plain ] || say figure "vat-$way" "$1" "$(minus "$value" "${COST[$way.plain]}")"
    done <"$WORK/costs"
}
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a - b }'; }
declare -A COST

fill() { # fill COUNT: so many flows in a fresh module, or as many as it takes: FLOWS
    insmod_en
    write en natf_en/domains "add home.example.net"
    TARGET=$(address_of other.home.example.net)
    FLOWS=$(natf-load open en "$TARGET" "$1" | sed -n 's/^opened //p')
    note "round $round of $RUNS: $FLOWS flows"
    is "each has its entry" "$(stat_of en natf_en fallback)" "$FLOWS"
}

for ((round = 1; round <= RUNS; round++)); do
    note "round $round of $RUNS: no module"
    TARGET=$WEB
    costs plain $FEW
    fill $FEW
    costs few-of-few $FEW
    rmmod natf_en
    settle
    all=$(memory MemFree) slab=$(memory Slab)
    fill $MANY
    settle
    say figure memory-all natf $(((all - $(memory MemFree)) * 1024 / FLOWS))
    say figure memory-slab natf $((($(memory Slab) - slab) * 1024 / FLOWS))
    costs few-of-many $FEW
    costs many-of-many "$FLOWS"
    rmmod natf_en
done
