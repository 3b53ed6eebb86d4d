#!/bin/bash
# limit: 900
# The endpoint's module goes, and then its whole namespace, again and again, each time while it holds packets,
# asks for mappings, and translates flows that are open: nothing is left, and the next one works.
#
#   en (traffic.py: UDP flows, TCP connections, DNS queries) ─── isp ─── hgw ─── alice (nginx, UDP echo)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
# A name server's address that stays when en goes.
NAMESERVER=203.0.113.1 name_server
traffic_server
natf_on
natf_unlimited
rounds=$(rounds 3)

start() {
    # Longer than a look at the table takes, so that there is always a negotiation under way.
    delay 20
    # Connections whose flow went with the module would keep the namespace for minutes.
    en sysctl -qw net.ipv4.tcp_orphan_retries=1
    write en natf_en/domains "add home.example.net"
    background traffic en python3 "$NATF_TESTS/lib/traffic.py" 203.0.113.1 alice.home.example.net
}
seen=0
look() { # what busy saw, when it is about to be removed
    seen=$((seen + $(grep -c negotiating "$WORK/vat")))
}

start
good=0
for ((round = 0; round < rounds; round++)); do
    wait_for busy en 5
    look
    rmmod natf_en
    insmod_en
    write en natf_en/domains "add home.example.net"
    good=$((good + 1))
done
is "natf_en went $rounds times under traffic" "$good" "$rounds"
note "$seen flows were in negotiation when it went, $((seen / rounds)) each time"

gone() { [ -z "$(ip -n isp -o link show en 2>/dev/null)" ]; }
rebuild() {
    namespace en
    link en eth0 $EN/30 isp en 198.51.100.1/30
    ip -n en route add default via 198.51.100.1
    isp tc qdisc del dev hgw root
}
good=0 seen=0
for ((round = 0; round < rounds; round++)); do
    wait_for busy en 5
    look
    # It lives as long as a process is in it.
    ip netns del en
    kill -KILL "${PID[traffic]}"
    wait "${PID[traffic]}" 2>/dev/null || true
    wait_for gone
    rebuild
    start
    good=$((good + 1))
done
is "en went $rounds times under traffic" "$good" "$rounds"
note "$seen flows were in negotiation when it went, $((seen / rounds)) each time"

ok "control: the last one works" wait_for busy en 5
end traffic
rmmod natf_en
rmmod natf_router
is "no module is left" "$(lsmod | grep -c '^natf_' || true)" 0
