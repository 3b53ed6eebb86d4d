#!/bin/bash
# A firewall that hands new connections to a program (NFQUEUE): without the program they are dropped, and
# with it they wait; either way the application is refused at once, and the pseudo-packet is caught when
# the program lets it go.
#
#   en ─── isp ─── hgw (forward: new connections from lan into a queue) ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
web_server web
natf_on
is "control: without a queue the page comes" "$(fetch en http://alice.home.example.net/)" "this is alice"
hgw conntrack -F 2>/dev/null
hgw nft insert rule inet filter forward iifname lan oifname wan ct state new counter queue num 7
asked() { hgw nft list chain inet filter forward | sed -n 's/.*packets \([0-9]*\) .* queue .*/\1/p'; }

refused() { # refused TEXT
    capture wire isp hgw
    timed connect en alice.home.example.net 80
    capture_end wire
    is "$1: no connection" "$STATUS" 1
    matches "$1: the application was told why" "$(cat "$WORK/timed")" 'No route to host'
    within "$1: in less than a second" "$TOOK" 0 999
    is "$1: one response" "$(count_packets wire 'icmp[icmptype] == icmp-echoreply')" 1
    is "$1: nothing else went out" "$(count_packets wire "src $G2 and not icmp[icmptype] == icmp-echoreply")" 0
    is "$1: no mapping" "$(connections -p tcp | grep -c "dst=$EN" || true)" 0
}

refused "nobody listens"
is "nobody listens: the rule met the pseudo-packet" "$(asked)" 1
is "nobody listens: the router counted it" "$(stat_of hgw natf_router forbidden)" 1

background queue hgw python3 "$NATF_TESTS/lib/nfqueue.py" 7
queue_says() { grep -qx "$1" "$WORK/queue.log"; }
wait_for queue_says ready
refused "a program listens"
is "a program listens: the router counted it" "$(stat_of hgw natf_router forbidden)" 2
ok "it has the pseudo-packet" wait_for queue_says "packet 1 192.168.0.10 to $EN ttl 1"

capture late isp hgw
kill -USR1 "${PID[queue]}"
late() { [ "$(stat_of hgw natf_router late)" = 1 ]; }
ok "let go, it is caught" wait_for late
# A packet that goes the same way after it.
kill -USR1 "${PID[queue]}"
background page alice curl -sS --max-time 20 "http://$WEB/"
wait_for queue_says "packet 2 192.168.0.10 to $WEB ttl 63"
kill -USR1 "${PID[queue]}"
ok "control: a connection of the inside host waits, and comes through" wait "${PID[page]}"
is "control: with its page" "$(cat "$WORK/page.log")" "this is web"
capture_end late
is "nothing else went out" "$(count_packets late "src $G2 and not host $WEB")" 0
is "no mapping was made" "$(connections -p tcp | grep -c "dst=$EN" || true)" 0
