#!/bin/bash
# limit: 120
# A router that runs natf_en for the hosts behind it goes, or its module does, while their packets pass
# and while some are held: nothing is left, and the next router works.
#
#   dan ─ lan ─ hgw2 (masquerade, natf_en; removed again and again) ─── isp ─── hgw ─── alice (nginx, UDP)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

HGW2=203.0.113.10
topology
name_server
web_server alice
udp_echo alice 5000
natf_on
mkdir -p /etc/netns/dan
echo "nameserver $NAMESERVER" >/etc/netns/dan/resolv.conf

build() {
    namespace hgw2
    namespace dan
    link isp hgw2 203.0.113.9/30 hgw2 wan $HGW2/30
    link hgw2 lan 192.168.0.1/24 dan eth0 192.168.0.10/24
    ip -n hgw2 route add default via 203.0.113.9
    ip -n dan route add default via 192.168.0.1
    in_ns hgw2 sysctl -qw net.ipv4.ip_forward=1
    in_ns hgw2 nft add table ip nat
    in_ns hgw2 nft add chain ip nat postrouting '{ type nat hook postrouting priority srcnat; }'
    in_ns hgw2 nft add rule ip nat postrouting oifname wan masquerade
    configure
}
configure() { write hgw2 natf_en/domains "add home.example.net"; }
load_tcp() { while :; do fetch dan http://alice.home.example.net/ --max-time 1 || true; done; }
load_udp() { while :; do ask_udp dan alice.home.example.net 5000 load || true; done; }
start_load() {
    background tcp - load_tcp
    background udp - load_udp
    wait_for grep -q "this is alice" "$WORK/tcp.log"
    wait_for grep -q "alice heard load" "$WORK/udp.log"
}
stop_load() {
    end tcp
    end udp
    # A curl of the loop may outlive the shell that started it.
    wait_for alone
    rm -f "$WORK/tcp.log" "$WORK/udp.log"
}
alone() { [ -z "$(ip netns pids dan)" ]; }
holds() { show hgw2 natf_en/vat | grep -q negotiating; }
gone() { [ -z "$(ip -n isp -o link show hgw2 2>/dev/null)" ]; }

rounds=10
good=0
for ((round = 0; round < rounds; round++)); do
    build
    start_load
    if ((round % 2)); then
        # hgw falls silent, so that hgw2 holds packets when it goes.
        lose isp forward ip daddr "$G2" icmp type echo-request
        wait_for holds
    fi
    ip netns del hgw2
    wait_for gone
    ((round % 2 == 0)) || keep isp
    stop_load
    ip netns del dan
    good=$((good + 1))
done
is "the router went $rounds times under load" "$good" "$rounds"

build
start_load
good=0
for ((round = 0; round < 20; round++)); do
    : >"$WORK/tcp.log"
    # Not before a page came, so that each round unloads a module at work.
    wait_for grep -q "this is alice" "$WORK/tcp.log"
    rmmod natf_en
    insmod_en
    configure
    good=$((good + 1))
done
is "its module went 20 times under load" "$good" 20
stop_load
is "control: it works for its hosts" "$(fetch dan http://alice.home.example.net/)" "this is alice"
ok "packets were translated" test "$(stat_of hgw2 natf_en translated_out)" -gt 0
rmmod natf_en
rmmod natf_router
is "no module is left" "$(lsmod | grep -c '^natf_' || true)" 0
not_ok "and without it nobody gets in" fetch dan http://alice.home.example.net/ --connect-timeout 1
