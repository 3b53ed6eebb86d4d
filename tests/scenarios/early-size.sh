#!/bin/bash
# A first packet travels if the whole request fits into a message of NAT-f and into the path's MTU; no request is ever
# fragmented. What does not fit goes after the mapping, as without, also where the path turns out to be narrower.
#
#   en ── MTU 700 ── isp ── MTU 1500, later 500 ── hgw ─── alice (UDP :5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
for side in "en eth0" "isp en"; do
    # shellcheck disable=SC2086 # two words
    set -- $side
    ip -n "$1" link set "$2" mtu 700
done
cat >"$WORK/receiver.py" <<'PY'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("", 5000))
    while True:
        data, peer = sock.recvfrom(2000)
        sock.sendto(str(len(data)).encode(), peer)
PY
background receiver alice python3 "$WORK/receiver.py"
wait_for listening alice udp 5000
natf_on
address=$(address_of alice.home.example.net)
# long BYTES: a datagram of so many bytes from a new port; prints how many alice heard
long() {
    en timeout 8 python3 -c '
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((sys.argv[1], 5000))
sock.send(bytes(int(sys.argv[2])))
print(sock.recv(100).decode())' "$address" "$1"
}
early() { stat_of en natf_en early_sent; }
requests() { stat_of en natf_en request_sent; }
capture wire isp en
en nft -f - <<'RULES'
table inet own {
    counter requests { }
    chain out {
        type filter hook output priority filter;
        icmp type echo-request counter name requests
    }
}
RULES

is "control: a short datagram travels" "$(long 100) $(early)" "100 1"
is "the longest that fits into the MTU does" "$(long 607) $(early)" "607 2"
is "in a request as long as the MTU" "$(packets wire "src $EN and icmp" | grep -c 'length 700)')" 1
is "one byte more goes after" "$(long 608) $(early)" "608 2"
is "as does one that needs fragments of its own" "$(long 1200) $(early)" "1200 2"
is "by one request each, and no other was tried" "$(requests) $(nft_counter en own requests)" "4 4"
for side in "en eth0" "isp en"; do
    # shellcheck disable=SC2086 # two words
    set -- $side
    ip -n "$1" link set "$2" mtu 1500
done
is "with more room, the longest that a message holds" "$(long 957) $(early)" "957 3"
is "and not one byte more" "$(long 958) $(early)" "958 3"

ip -n isp link set hgw mtu 500
ip -n hgw link set wan mtu 500
before=$(requests)
timed long 440
is "the path is narrower than EN knows: it comes all the same" "$(cat "$WORK/timed") $(early)" "440 4"
is "by a second request, without the packet" "$(requests)" $((before + 2))
ok "before a request would be repeated" test "$TOOK" -lt 240
lose isp output icmp type destination-unreachable
before=$(requests)
is "nobody tells: it comes all the same" "$(long 441) $(early)" "441 6"
is "by the third request" "$(requests)" $((before + 3))
capture_end wire
is "no request was fragmented" "$(count_packets wire "icmp[icmptype] == icmp-echo and ip[6:2] & 0x3fff != 0")" 0
