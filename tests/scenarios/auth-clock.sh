#!/bin/bash
# An endpoint whose clock is an hour off learns by how much from the router's signed refusal, and repeats its request
# once; the application does not notice. What is not signed teaches it nothing.
#
# The guest has one clock, so a router that says it is an hour later (a script with the key) puts the endpoint's idea
# of the router's clock wrong first.
#
#   en (key) ─── isp ─── hgw (the script, then natf_router) ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
insmod_en
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
write en natf_en/domains "add home.example.net"
write en natf_en/keys "add home.example.net $key"
virtual=$(address_of alice.home.example.net)
hgw nft insert rule inet filter input icmp type echo-request accept

cat >"$WORK/clock.py" <<'PY'
"""clock.py KEY SECONDS: answers each first request for a flow with BAD_AUTH and a clock that is ahead, signed."""
import hashlib, hmac, socket, struct, sys, time
from request import FIXED, checksum

key, ahead = bytes.fromhex(sys.argv[1]), int(sys.argv[2])
code = lambda data: hmac.new(key, data, hashlib.sha256).digest()
seen = set()
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
    print("listening", flush=True)
    while True:
        packet, peer = sock.recvfrom(65535)
        icmp = packet[(packet[0] & 15) * 4:]
        if icmp[0] != 8 or icmp[8:12] != b"NATf" or icmp[16:24] in seen:
            continue
        seen.add(icmp[16:24])
        fields = list(FIXED.unpack_from(icmp, 8))
        fields[2], fields[3], fields[6] = 2, 76, 9
        message = FIXED.pack(*fields) + struct.pack("!BB", 0, 0)
        message += struct.pack("!BB4sQ", 3, 28, code(b"NATf key id")[:4], int(time.time() + ahead) * 1000)
        message += code(message)[:16]
        head = struct.pack("!BBH", 0, 0, 0) + icmp[4:8]
        head = head[:2] + struct.pack("!H", checksum(head + message)) + head[4:]
        sock.sendto(head + message, peer)
        print("answered", flush=True)
PY
PYTHONPATH=$NATF_TESTS/lib background clock hgw python3 "$WORK/clock.py" "$key" 3600
wait_for grep -q listening "$WORK/clock.log"
not_ok "the first router has no mapping for anyone" connect en "$virtual" 80
is "it has told its clock" "$(cat "$WORK/clock.log")" $'listening\nanswered'
kill "${PID[clock]}"
is "the first request, one more at once, three by the clock" "$(stat_of en natf_en request_sent)" 5

insmod_router
write hgw natf_router/keys "add office $key"
write hgw natf_router/act "add alice 192.168.0.10 allow key office"
forgotten() { ! show en natf_en/vat | grep -q refused; }
wait_for forgotten
is "a page from the second router" "$(fetch en http://alice.home.example.net/)" "this is alice"
is "it was an hour off" "$(stat_of hgw natf_router stale)" 1
is "and asked once more" "$(stat_of en natf_en request_sent)" 7
is "from then on its time is right" "$(fetch en http://alice.home.example.net/)" "this is alice"
is "so nothing is repeated" "$(stat_of en natf_en request_sent) $(stat_of hgw natf_router stale)" "8 1"
