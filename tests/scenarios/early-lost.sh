#!/bin/bash
# Whatever is lost or comes in another order, the packet that travels in the request is delivered once, and EN answers
# nothing that came before it knew the mapping: it keeps that, and takes it as soon as it knows.
#
#   en ─── isp (loses or delays requests and replies) ─── hgw ─── alice (nginx :80, UDP echo :5000, nobody :81)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
udp_echo alice 5000
natf_on
address=$(address_of alice.home.example.net)
first() { lose isp forward "$@" numgen inc mod 1000000 == 0; }
round=0
# once NAME WHAT WANTED: a connection, datagram or ping comes through, its first packet met alice once, and EN told
# nobody off. The captures are wire.NAME and in.NAME.
once() {
    local got
    round=$((round + 1))
    capture "wire.$round" isp en
    capture "in.$round" alice eth0
    case $2 in
    page) got=$(fetch en "http://$address/") ;;
    closed) got=$(connect en "$address" 81 2>&1 | grep -o -m 1 'Connection refused' | uniq || true) ;;
    datagram) got=$(ask_udp en "$address" 5000 hello) ;;
    ping) got=$(en ping -n -c 1 -W 3 "$address" | sed -nE 's/.* ([0-9]+) received.*/\1 answer/p') ;;
    esac
    capture_end "wire.$round"
    capture_end "in.$round"
    is "$1: $2: it works" "$got" "$3"
    is "$1: $2: alice heard the first packet once" "$(count_packets "in.$round" 'tcp[tcpflags] == tcp-syn or
        udp dst port 5000 or icmp[icmptype] == icmp-echo')" 1
    is "$1: $2: it did not leave EN but in requests" "$(count_packets "wire.$round" "src $EN and
        (tcp[tcpflags] == tcp-syn or udp dst port 5000 or (icmp[icmptype] == icmp-echo and icmp[8:4] != 0x4e415466))")" 0
    is "$1: $2: EN told nobody off" "$(count_packets "wire.$round" "src $EN and
        (icmp[icmptype] == icmp-unreach or tcp[tcpflags] & tcp-rst != 0)")" 0
}
all() {
    once "$1" page "this is alice"
    once "$1" closed "Connection refused"
    once "$1" datagram "alice heard hello from $EN"
    once "$1" ping "1 answer"
}
sent() { stat_of en natf_en early_sent; }
kept() { stat_of en natf_en early_kept; }
again() { stat_of hgw natf_router early_again; }
requests() { count_packets "wire.$round" "src $EN and icmp[8:4] == 0x4e415466"; }

all "control: nothing is lost"
is "control: one request" "$(requests)" 1
is "control: nothing had to be kept" "$(kept)" 0

# Twice a packet travels; when the router wants its cookie, it is as if nothing had been lost.
write hgw natf_router/limits "cookie 0"
first ip daddr "$G2" icmp type echo-request
before=$(sent)
once "the request is lost, and the router wants a cookie" page "this is alice"
is "a cookie: three requests, with the packet" "$(requests) $(($(sent) - before))" "3 3"
write hgw natf_router/limits "cookie 2000"
keep isp

for what in "page:this is alice" "datagram:alice heard hello from $EN"; do
    first ip daddr "$G2" icmp type echo-request
    once "the request is lost" "${what%%:*}" "${what#*:}"
    is "the request is lost: two were sent" "$(requests)" 2
    keep isp
done
is "control: still nothing had to be kept" "$(kept) $(again)" "0 0"

for what in "page:this is alice" "closed:Connection refused" "datagram:alice heard hello from $EN" "ping:1 answer"; do
    first ip saddr "$G2" icmp type echo-reply @th,64,32 0x4e415466
    once "the reply is lost" "${what%%:*}" "${what#*:}"
    is "the reply is lost: two requests" "$(requests)" 2
    keep isp
done
is "the answers were kept" "$(kept)" 4
is "the router knew that it had delivered" "$(again)" 4
is "alice repeated no SYN/ACK, as hers was not lost" "$(repeated_segments wire.7)" ""

# Both: the request goes out a second time, and what its packet met is asked for a third.
lose isp forward ip saddr "$G2" icmp type echo-reply @th,64,32 0x4e415466 numgen inc mod 1000000 '<' 2
before=$(sent)
once "two replies are lost" page "this is alice"
is "two replies are lost: three requests" "$(requests)" 3
is "two replies are lost: two of them with the packet" "$(sent)" $((before + 2))
keep isp

isp nft -f - <<RULES
table ip slow {
    chain slow {
        type filter hook forward priority filter;
        ip saddr $G2 icmp type echo-reply @th,64,32 0x4e415466 queue num 7
    }
}
RULES
background queue isp python3 "$NATF_TESTS/lib/nfqueue.py" 7
wait_for grep -q ready "$WORK/queue.log"
before=$(kept)
let_go() {
    until (($(kept) > before)); do sleep 0.01; done
    kill -USR1 "${PID[queue]}"
}
background let_go - let_go
once "the answer overtakes the reply" page "this is alice"
is "the answer overtakes the reply: it was kept" "$(kept)" $((before + 1))
