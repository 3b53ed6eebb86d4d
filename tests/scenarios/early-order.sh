#!/bin/bash
# Datagrams that follow the one that travels keep their order, and none comes twice. A second flow from the same port to
# the same router does not travel: what came back early could not be told apart.
#
#   en (one socket) ─── isp (20 ms each way) ─── hgw ─┬─ alice (UDP :5000)
#                                                     └─ bob   (UDP :5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
delay 20
name_server
cat >"$WORK/receiver.py" <<'PY'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("", 5000))
    while True:
        data, peer = sock.recvfrom(100)
        print(data.decode(), flush=True)
        sock.sendto(data, peer)
PY
for host in alice bob; do
    background $host $host python3 "$WORK/receiver.py"
    wait_for listening $host udp 5000
done
natf_on
cat >"$WORK/sender.py" <<'PY'
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", 41000))
alice, bob = ((address, 5000) for address in sys.argv[1:])
for number in range(8):
    sock.sendto(b"%d" % number, alice)
    sock.sendto(b"%d" % number, bob)
sock.settimeout(5)
answers = {alice: [], bob: []}
while any(len(heard) < 8 for heard in answers.values()):
    data, peer = sock.recvfrom(100)
    answers[peer].append(data.decode())
print(*answers[alice], "/", *answers[bob])
PY
alice=$(address_of alice.home.example.net)
bob=$(address_of bob.home.example.net)
capture wire isp en
is "all answers come, in their order, from where they should" "$(en python3 "$WORK/sender.py" "$alice" "$bob")" \
    "0 1 2 3 4 5 6 7 / 0 1 2 3 4 5 6 7"
capture_end wire
is "alice heard them so" "$(tr '\n' ' ' <"$WORK/alice.log")" "0 1 2 3 4 5 6 7 "
is "and bob" "$(tr '\n' ' ' <"$WORK/bob.log")" "0 1 2 3 4 5 6 7 "
is "one of both travelled" "$(stat_of en natf_en early_sent) $(stat_of en natf_en early_delivered)" "1 1"
is "the others went after" "$(stat_of en natf_en released)" 15
is "as datagrams" "$(count_packets wire "src $EN and udp and dst $G2")" 15
