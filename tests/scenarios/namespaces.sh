#!/bin/bash
# limit: 120
# Every network namespace has tables of its own, and takes them along when it dies, also under traffic.
#
#   en ─── isp ─── hgw (masquerade) ─── alice (nginx), built up and torn down three times
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

insmod_en
insmod_router
topology
natf_configure
is "en knows the suffix" "$(show en natf_en/domains)" "add home.example.net"
is "control: isp does not" "$(show isp natf_en/domains)" ""
is "hgw knows alice" "$(show hgw natf_router/act | grep -c alice)" 1
is "control: isp does not" "$(show isp natf_router/act)" ""
is "nor does the guest's first namespace" "$(cat /sys/kernel/natf_en/domains /sys/kernel/natf_router/act)" ""

load() { while :; do fetch en http://alice.home.example.net/ --max-time 2 || true; done; }
tear_down() { # the router goes first, while requests are under way
    local key
    ip netns del hgw
    for key in load alice.nginx isp.named; do
        end "$key"
    done
    # A curl of the loop may outlive the shell that started it.
    wait_for no_processes
    ip -all netns del
    wait_for no_veth
}
no_processes() {
    local ns
    for ns in en isp web alice bob carol; do
        [ -z "$(ip netns pids "$ns")" ] || return 1
    done
}
no_veth() { [ -z "$(ip -o link show type veth)" ]; }

for round in 1 2 3; do
    [ "$round" = 1 ] || {
        topology
        natf_configure
    }
    name_server
    web_server alice
    background load - load
    ok "round $round: pages come" wait_for grep -q "this is alice" "$WORK/load.log"
    ok "round $round: the namespaces go while they do" tear_down
    rm -f "$WORK/load.log"
done
ok "nothing holds natf_en" rmmod natf_en
ok "nothing holds natf_router" rmmod natf_router
