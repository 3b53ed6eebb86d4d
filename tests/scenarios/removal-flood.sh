#!/bin/bash
# limit: 900
# The router's module goes, and then the router, again and again under a flood of requests: nothing is left,
# and the next one answers.
#
#   en (mixture.py: requests as fast as it can) ─── isp (10 ms) ─── hgw (natf_router, a LAN without hosts)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

for host in en isp; do namespace "$host"; done
link en eth0 $EN/30 isp en 198.51.100.1/30
ip -n en route add default via 198.51.100.1
isp sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.netfilter.nf_conntrack_max=131072
rounds=$(rounds 3)

build() {
    namespace hgw
    link isp hgw 203.0.113.1/30 hgw wan $G2/30
    ip -n hgw route add default via 203.0.113.1
    ip -n hgw link add lan type dummy
    ip -n hgw address add 192.168.0.1/24 dev lan
    ip -n hgw link set lan up
    hgw sysctl -qw net.ipv4.ip_forward=1
    firewall
    # So that requests are always under way to it.
    isp tc qdisc add dev hgw root netem delay 10ms
    configure
}
configure() {
    write hgw natf_router/act "add alice 192.168.0.10 allow
add bob 192.168.0.11 allow
add carol 192.168.0.12 deny"
}
count() { stat_of hgw natf_router "$1"; }
# busy: it makes mappings and refuses, and more is about to come in
busy() {
    waiting=$(isp tc -s qdisc show dev hgw | sed -n 's/.* backlog [^ ]* \([0-9]*\)p .*/\1/p')
    [ "$waiting" -gt 0 ] && [ "$(count mapped)" -ge 50 ] && [ "$(count denied)" -ge 10 ] &&
        [ "$(count malformed)" -ge 5 ]
}

insmod_router
build
background flood en python3 "$NATF_TESTS/lib/mixture.py" $G2
good=0 seen=0
for ((round = 0; round < rounds; round++)); do
    wait_for busy
    seen=$((seen + waiting))
    rmmod natf_router
    insmod_router
    configure
    good=$((good + 1))
done
is "natf_router went $rounds times in the flood" "$good" "$rounds"
note "$seen requests were on their way to it when it went, $((seen / rounds)) each time"

gone() { [ -z "$(ip -n isp -o link show hgw 2>/dev/null)" ]; }
good=0 seen=0
for ((round = 0; round < rounds; round++)); do
    wait_for busy
    seen=$((seen + waiting))
    ip netns del hgw
    wait_for gone
    build
    good=$((good + 1))
done
is "hgw went $rounds times in the flood" "$good" "$rounds"
note "$seen requests were on their way to it when it went, $((seen / rounds)) each time"

ok "control: the last one answers" wait_for busy
end flood
connections >"$WORK/table"
ok "its mappings are in the NAT's table" grep -q "src=192.168.0.10 dst=$EN" "$WORK/table"
rmmod natf_router
is "no module is left" "$(lsmod | grep -c '^natf_' || true)" 0
