#!/bin/bash
# The router's module goes while a pseudo-packet waits in an NFQUEUE: the packet goes with it, wherever
# it waits.
#
#   en ─── isp ─── hgw (new connections from lan into a queue) ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server web
natf_on
background queue hgw python3 "$NATF_TESTS/lib/nfqueue.py" 7
queue_says() { grep -qx "$1" "$WORK/queue.log"; }
wait_for queue_says ready
waiting() { hgw awk '$1 == 7 { print $3 }' /proc/net/netfilter/nfnetlink_queue; }

number=1
for hook in forward prerouting; do
    hgw nft -f - <<RULES
table ip delayed {
    chain $hook {
        type filter hook $hook priority filter - 1;
        iifname lan ip daddr { $EN, $WEB } ct state new queue num 7
    }
}
RULES
    capture wire.$hook isp hgw
    timed connect en alice.home.example.net 80
    is "$hook: no connection" "$STATUS" 1
    ok "$hook: control: the pseudo-packet waits" \
        wait_for queue_says "packet $number 192.168.0.10 to $EN ttl .*"
    is "$hook: control: says the kernel, too" "$(waiting)" 1
    rmmod natf_router
    is "$hook: without the module nothing waits" "$(waiting)" 0

    # The program lets it go, and then a packet of the inside host that shows that both are through.
    kill -USR1 "${PID[queue]}"
    ok "$hook: the program let it go" wait_for queue_says "accepted $number"
    background page.$hook alice curl -sS --max-time 20 "http://$WEB/"
    wait_for queue_says "packet $((number + 1)) 192.168.0.10 to $WEB ttl .*"
    kill -USR1 "${PID[queue]}"
    ok "$hook: control: a connection of the inside host comes through" wait "${PID[page.$hook]}"
    capture_end wire.$hook
    is "$hook: the pseudo-packet did not" "$(count_packets wire.$hook "src $G2 and dst $EN and not icmp")" 0

    number=$((number + 2))
    hgw nft delete table ip delayed
    insmod_router
    write hgw natf_router/act "add alice 192.168.0.10 allow"
done
