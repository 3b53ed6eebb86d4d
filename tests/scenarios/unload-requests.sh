#!/bin/bash
# limit: 120
# The router's module goes, or its namespace does, in the middle of requests, pings, changes of the table and
# readers of its files: nothing is left behind, and no pseudo-packet gets out.
#
#   en (raw sockets, ping) ─── isp ─── hgw, and gw, which comes and goes ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
configure() { # configure NAMESPACE
    write "$1" natf_router/limits "source 1000000"
    write "$1" natf_router/limits "cookie 1000000"
    write "$1" natf_router/act "add alice 192.168.0.10 allow"
    write "$1" natf_router/act "add bob 192.168.0.11 allow max 40"
}
pings() { while :; do en ping -q -c 20 -i 0.01 -W 1 -e 1024 $G2 || true; done; }
reads() { while :; do hgw cat /sys/kernel/natf_router/{mappings,tables,stats,act} >/dev/null || true; done; }
changes() {
    while :; do
        write hgw natf_router/act "del bob flush" || true
        write hgw natf_router/act "add bob 192.168.0.11 allow max 40" || true
    done
}
mapped() { (($(stat_of "$1" natf_router mapped) > ${2:-0})); }
expectations() { hgw conntrack -L expect 2>/dev/null | grep -c . || true; }
expected() { (($(expectations) > 0)); }

insmod_router
configure hgw
capture wan hgw wan 'ip[8] < 2'
background asks en python3 "$NATF_TESTS/lib/asks.py" alice bob alice nobody
background pings - pings
background reads - reads
background changes - changes
good=0
for ((round = 0; round < 20; round++)); do
    # Not before mappings were made, so that each round unloads a module at work.
    wait_for mapped hgw
    rmmod natf_router
    insmod_router
    configure hgw
    good=$((good + 1))
done
is "the module went 20 times" "$good" 20
ok "control: it expects echoes" wait_for expected
rmmod natf_router
is "and none without it" "$(expectations)" 0
is "no hook is left" "$({ hgw nft list hooks 2>/dev/null || true; } | grep -c natf || true)" 0

insmod_router
configure hgw
gone() { [ -z "$(ip -n isp -o link show gw 2>/dev/null)" ]; }
for ((round = 0; round < 4; round++)); do
    namespace gw
    link isp gw 203.0.113.5/30 gw wan 203.0.113.6/30
    link gw lan 192.168.0.1/24 isp gwlan -
    ip -n gw route add default via 203.0.113.5
    in_ns gw sysctl -qw net.ipv4.ip_forward=1
    in_ns gw nft 'add table ip nat; add chain ip nat postrouting { type nat hook postrouting priority srcnat; };
        add rule ip nat postrouting oifname wan masquerade'
    configure gw
    background "gw$round" isp python3 "$NATF_TESTS/lib/asks.py" to=203.0.113.6 alice bob
    wait_for mapped gw
    ip netns del gw
    wait_for gone
    end "gw$round"
    ip -n isp link del gwlan 2>/dev/null || true
done
ok "the other router goes on" wait_for mapped hgw "$(stat_of hgw natf_router mapped)"
for key in asks pings reads changes; do
    end "$key"
done
rmmod natf_router
is "no module is left" "$(lsmod | grep -c '^natf_' || true)" 0
capture_end wan
is "no pseudo-packet got out" "$(count_packets wan)" 0
