#!/bin/bash
# The modules go, and namespaces go, while addresses come and go in them: nobody is told of an address
# whose instance is gone.
#
#   hgw, en and a namespace of short life: addresses added and removed all the time
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
churn() { # churn NAMESPACE INTERFACE
    while ip -n "$1" address add 192.0.2.9/32 dev "$2" && ip -n "$1" address del 192.0.2.9/32 dev "$2"; do
        echo round
    done
}
background hgw - churn hgw lan
background en - churn en eth0
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
epoch() { en python3 "$NATF_TESTS/lib/request.py" tell=all | sed 's/.* epoch //'; }
before=$(epoch)
differs "control: addresses that go are heard of" "$(epoch)" "$before"
rmmod natf_router

grown() { [ "$(stat -c %s "$WORK/$1.log")" -gt "$2" ]; }
good=0
for ((round = 0; round < 8; round++)); do
    insmod_router
    insmod_en
    wait_for grown hgw "$(stat -c %s "$WORK/hgw.log")"
    rmmod natf_router
    rmmod natf_en
    good=$((good + 1))
done
is "the modules went 8 times" "$good" 8

insmod_router
insmod_en
gone() { ! kill -0 "${PID[short]}" 2>/dev/null; }
for ((round = 0; round < 3; round++)); do
    namespace short
    ip -n short link add one type veth peer name two
    ip -n short link set one up
    background short - churn short one
    wait_for grown short 20
    ip netns del short
    ok "a namespace goes, round $round" wait_for gone
done
ok "the others go on" wait_for grown hgw "$(stat -c %s "$WORK/hgw.log")"
end hgw
end en
rmmod natf_router
rmmod natf_en
is "no module is left" "$(lsmod | grep -c '^natf_' || true)" 0
