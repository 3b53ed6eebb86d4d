#!/bin/bash
# Eight processes send through one UDP socket while its flow is negotiated: there is one negotiation, no
# datagram is doubled or vanishes uncounted, and those of each sender keep their order, although the ones
# that waited go out while others follow.
#
#   en (8 senders, 1 socket) ─── isp (20 ms each way) ─── hgw (masquerade) ─── alice (receiver :5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
cat >"$WORK/receiver.py" <<'PY'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind(("", 5000))
    while True:
        print(sock.recv(100).decode(), flush=True)
PY
cat >"$WORK/senders.py" <<'PY'
"""senders.py ADDRESS: 8 processes, 50 datagrams "SENDER NUMBER" each, some 80 ms long; then "9 0"."""
import contextlib
import os
import socket
import sys
import time

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((sys.argv[1], 5000))
for sender in range(8):
    if os.fork() == 0:
        for number in range(50):
            with contextlib.suppress(PermissionError):  # no room, says the kernel
                sock.send(f"{sender} {number}".encode())
            time.sleep(0.0015)
        os._exit(0)
for sender in range(8):
    os.wait()
sock.send(b"9 0")
PY
background receiver alice python3 "$WORK/receiver.py"
wait_for listening alice udp 5000
received=$WORK/receiver.log
last() { grep -qx '9 0' "$received"; }

en python3 "$WORK/senders.py" "$(address_of alice.home.example.net)"
is "control: without the modules nothing arrives" "$(cat "$received")" ""
delay 20
natf_on
en python3 "$WORK/senders.py" "$(address_of alice.home.example.net)"
ok "the last datagram arrives" wait_for last

is "there was one flow" "$(rows en natf_en/vat)" 1
is "one request" "$(stat_of en natf_en request_sent)" 1
held=$(stat_of en natf_en held)
full=$(stat_of en natf_en hold_full)
note "$held datagrams waited, $full found no room, $(grep -c . "$received") arrived"
within "control: some waited" "$held" 8 400
is "all that waited went out" "$(sent_on en)" "$held"
is "all that had room arrived" $(($(grep -c . "$received") + full)) 401
is "none twice" "$(sort "$received" | uniq -d)" ""
if [ "$(nproc)" = 1 ]; then
    is "the order of each sender was kept" \
        "$(awk '$1 in seen && $2 <= seen[$1] { print } { seen[$1] = $2 }' "$received")" ""
else
    # Each CPU has a queue of its own in front of every virtual interface, with or without NAT-f.
    note "with $(nproc) CPUs the network keeps no order between them"
fi
