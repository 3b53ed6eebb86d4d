#!/bin/bash
# limit: 900
# A router that runs natf_en for the hosts behind it goes, or its module does, while their packets pass
# and while some are held: nothing is left, and the next router works.
#
#   dan (traffic.py) ─ hgw2 (masquerade, natf_en; removed again and again) ─── isp ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
traffic_server
natf_on
natf_unlimited
rounds=$(rounds 2)
# A negotiation takes longer than a look at the table, so that there is always one under way.
delay 20

build() {
    second_home
    configure
}
configure() { write hgw2 natf_en/domains "add home.example.net"; }
start() {
    # Connections whose flow went with the module would keep the namespace for minutes.
    dan sysctl -qw net.ipv4.tcp_orphan_retries=1
    background traffic dan python3 "$NATF_TESTS/lib/traffic.py" $NAMESERVER alice.home.example.net
    wait_for busy hgw2
}
gone() { [ -z "$(ip -n isp -o link show hgw2 2>/dev/null)" ]; }

good=0
for ((round = 0; round < rounds; round++)); do
    build
    start
    if ((round % 2)); then
        # hgw falls silent, so that hgw2 holds all that is new when it goes.
        lose isp forward ip daddr "$G2" icmp type echo-request
        wait_for busy hgw2 10
    fi
    ip netns del hgw2
    wait_for gone
    ((round % 2 == 0)) || keep isp
    end traffic
    ip netns del dan
    good=$((good + 1))
done
is "the router went $rounds times under load" "$good" "$rounds"

build
start
good=0
for ((round = 0; round < rounds; round++)); do
    wait_for busy hgw2
    rmmod natf_en
    insmod_en
    configure
    good=$((good + 1))
done
is "its module went $rounds times under load" "$good" "$rounds"
end traffic
is "control: it works for its hosts" "$(fetch dan http://alice.home.example.net/)" "this is alice"
rmmod natf_en
rmmod natf_router
is "no module is left" "$(lsmod | grep -c '^natf_' || true)" 0
not_ok "and without it nobody gets in" fetch dan http://alice.home.example.net/ --connect-timeout 1
