#!/bin/bash
# guest: uml
# memory: 1024
# limit: 300
# How fast mappings are made: 10,000 ENs ask for one each, through tables of 10 to 10,000 names. Beside it
# miniupnpd, which an inside host asks by PCP for some ports (it takes longer for each the more it has), and the
# kernel's echo replies to the same requests, which is what the way and the client cost.
#
#   crowd (198.18.0.0/16, natf-load) ─── isp ─── hgw (natf_router or miniupnpd) ─── alice (natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

FIRST_EN=198.18.0.1
ENS=10000
COUNTS=(32 320)
SIZES=(10 100 1000 10000)

say chart rate mappings/s "Mappings made on one processor, with the work of their client"
for count in "${COUNTS[@]}" $ENS; do
    say row "rate-$count" "the first $count"
done
say goal "rate-${COUNTS[0]}" natf/miniupnpd least 10 "Mappings in a second, the first ${COUNTS[0]}"
say goal rate-$ENS natf least 100000 "Mappings in a second"
say chart act ns "A request, by entries of the access control table"
for size in "${SIZES[@]}"; do
    say row "act-$size" "$size entries"
done
say goal act-flat natf most 1.2 "A request with 10,000 entries to one with 10"

topology
hgw nft flush ruleset
namespace crowd
link crowd eth0 198.51.100.6/30 isp crowd 198.51.100.5/30
ip -n crowd route add default via 198.51.100.5
ip -n crowd route add local 198.18.0.0/16 dev lo
isp ip route add 198.18.0.0/16 via 198.51.100.6
sysctl -qw net.netfilter.nf_conntrack_buckets=65536 net.netfilter.nf_conntrack_max=262144

value() { sed -n "s/^$1 //p" "$WORK/asked"; }

ask() { # ask NAMES ENS: a mapping for each EN
    natf-load natf crowd $FIRST_EN "$2" $G2 "$1" "$2" >"$WORK/asked"
    [ "$(value mapped)" = "$2" ] || is "every EN has its mapping" "$(value mapped)" "$2"
    hgw conntrack -F 2>/dev/null
}

act() { # act COUNT: so many entries, host00000 and on, all of them alice
    {
        echo begin
        seq -f "add host%05.0f $ALICE allow" 0 $(($1 - 1))
        echo commit
    } >"$WORK/act"
    # One file that is opened once: a transaction.
    hgw sh -c 'cat "$1" >/sys/kernel/natf_router/act' act "$WORK/act"
}

measure_echo() {
    hgw nft add rule inet filter input icmp type echo-request accept
    ask 10 $ENS
    for size in "${SIZES[@]}"; do
        say figure "act-$size" echo "$(value each)"
    done
}

measure_natf() {
    local size count few=
    insmod_router
    natf_unlimited
    for size in "${SIZES[@]}"; do
        act "$size"
        ask "$size" $ENS
        say figure "act-$size" natf "$(value each)"
        : "${few:=$(value each)}"
    done
    say figure rate-$ENS natf "$(value rate)"
    say figure act-flat natf "$(awk -v a="$(value each)" -v b="$few" 'BEGIN { printf "%.3f", a / b }')"
    for count in "${COUNTS[@]}"; do
        ask "$count" "$count"
        say figure "rate-$count" natf "$(value rate)"
    done
    rmmod natf_router
}

measure_miniupnpd() {
    local count
    for count in "${COUNTS[@]}"; do
        start_miniupnpd
        ask_pcp udp 2000 "$count"
        stop_miniupnpd
        say figure "rate-$count" miniupnpd "$(value rate)"
        hgw nft flush ruleset
        firewall
    done
}

one() {
    firewall
    "measure_$1"
    hgw nft flush ruleset
}
rounds one echo natf miniupnpd
