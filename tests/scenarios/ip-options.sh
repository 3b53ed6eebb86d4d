#!/bin/bash
# Packets with IP options are translated, both ways, and never leave EN under the virtual address; one
# that cannot be translated is refused at once.
#
#   en ─── isp (captured here) ─── hgw (masquerade) ─── alice (nginx :80, UDP echo with options :5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
cat >"$WORK/echo.py" <<'PY'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([1, 1, 1, 0]))
    sock.bind(("", 5000))
    while True:
        data, sender = sock.recvfrom(1500)
        sock.sendto(b"alice heard " + data, sender)
PY
background echo alice python3 "$WORK/echo.py"
wait_for listening alice udp 5000

no_operation=x01010101
record_route=x070b040000000000000000
# page ADDRESS OPTIONS, datagram ADDRESS OPTIONS: what an application gets that asks for IP options
page() {
    printf 'GET / HTTP/1.0\r\n\r\n' |
        en timeout 15 socat -t 10 - "TCP4:$1:80,connect-timeout=5,ip-options=$2" | tail -n 1
}
datagram() { ask_udp en "$1" "5000,ip-options=$2" hello; }

capture control isp en 'net 240.0.0.0/4 and ip[0] & 15 > 5'
datagram 240.0.7.7 $no_operation || true
capture_end control
is "control: without the module a packet with options leaves EN" "$(count_packets control)" 1

natf_on
# A first packet to each address, so that the name is known to both sides.
v=$(address_of alice.home.example.net)
matches "the name leads to a virtual address" "$v" '^240\.'
capture wire isp en
is "a page: no operation" "$(page "$v" $no_operation)" "this is alice"
is "a page: record route" "$(page "$v" $record_route)" "this is alice"
is "a datagram: no operation" "$(datagram "$v" $no_operation)" "alice heard hello"
is "a datagram: record route" "$(datagram "$v" $record_route)" "alice heard hello"
matches "ping -R is answered, with the way it took" "$(en ping -R -c 1 -W 1 "$v")" "RR:.*203\.0\.113\.1"
timed datagram 240.0.7.7 $record_route
matches "an unknown address is refused" "$(cat "$WORK/timed")" 'No route to host'
within "at once" "$TOOK" 0 999
timed page 240.0.7.7 $record_route
within "for TCP, too" "$TOOK" 0 999
capture_end wire

is "no virtual address was on the wire" "$(count_packets wire net 240.0.0.0/4)" 0
with_options='ip[0] & 15 > 5'
for protocol in tcp udp "icmp[icmptype] != 11 and icmp"; do
    differs "control: $protocol had options on the way out" \
        "$(count_packets wire "$protocol and dst $G2 and $with_options")" 0
    differs "control: $protocol had options on the way back" \
        "$(count_packets wire "$protocol and src $G2 and $with_options")" 0
done
is "TCP repeated nothing" "$(repeated_segments wire)" ""
