#!/bin/bash
# limit: 90
# A program behind an NFQUEUE that takes very long: the pseudo-packet that it lets go after twelve seconds,
# when the request is long forgotten, does not get out either, and leaves no mapping.
#
#   en ─── isp (captured here) ─── hgw (forward: new connections from lan into a queue) ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server web
natf_on
hgw nft insert rule inet filter forward iifname lan oifname wan ct state new queue num 7
background queue hgw python3 "$NATF_TESTS/lib/nfqueue.py" 7
queue_says() { grep -qx "$1" "$WORK/queue.log"; }
wait_for queue_says ready

capture wire isp hgw
not_ok "no connection" connect en alice.home.example.net 80
ok "control: the pseudo-packet waits" wait_for queue_says "packet 1 192.168.0.10 to $EN ttl 1"
asked=$(milliseconds)
seconds_later() { (($(milliseconds) - asked > $1 * 1000)); }
WAIT=20 wait_for seconds_later 12
kill -USR1 "${PID[queue]}"
wait_for queue_says "accepted 1"
background page alice curl -sS --max-time 20 "http://$WEB/"
wait_for queue_says "packet 2 192.168.0.10 to $WEB ttl 63"
kill -USR1 "${PID[queue]}"
ok "control: a connection of the inside host comes through" wait "${PID[page]}"
capture_end wire
is "the pseudo-packet did not" "$(count_packets wire "src $G2 and dst $EN and not icmp")" 0
is "no mapping was made" "$(connections -p tcp | grep -c "dst=$EN" || true)" 0
