#!/bin/bash
# limit: 90
# A mapping of TCP that is asked for again, in each state of its connection: the answer is KEPT and the
# connection does not notice, neither does its tracking, which stays strict.
#
#   en (raw sockets, no natf_en) ─── isp ─── hgw (policy drop, "ct state invalid drop") ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
web_server alice
head -c 60M /dev/urandom >"$WORK/web.alice/big"
sum=$(sha256sum <"$WORK/web.alice/big")
request() { en python3 "$NATF_TESTS/lib/request.py" "s=$1" d=80 tell=all | sed 's/ epoch.*//'; }
answer() { echo "code 0 mapped $G2:80 lifetime 432000 $1"; }
state() { connections -p tcp | sed -nE "s/^tcp +6 +[0-9]+ ([A-Z_0-9]+) .*dport=$1 .*/\1/p"; }
in_state() { [ "$(state "$1")" = "$2" ]; }
# hold PORT: a connection from that port that says nothing
hold() {
    rm -f "$WORK/idle"
    mkfifo "$WORK/idle"
    background "hold.$1" en socat -u "OPEN:$WORK/idle,rdonly" "TCP4:$G2:80,sourceport=$1,reuseaddr"
    exec {idle}>"$WORK/idle"
}
drop() { exec {idle}>&-; end "hold.$1"; }
page() { fetch en "http://$G2/" --local-port "$1"; }

not_ok "control: nobody gets in without asking" fetch en "http://$G2/" --connect-timeout 1
is "before there is a connection" "$(request 41000)" "$(answer new)"
is "it was there" "$(request 41000)" "$(answer kept)"
is "and works" "$(page 41000)" "this is alice"

lose alice input tcp flags syn / syn,ack
is "when the SYN came no further" "$(request 41001)" "$(answer new)"
hold 41001
ok "there is half a connection" wait_for in_state 41001 SYN_SENT2
is "it was there" "$(request 41001)" "$(answer kept)"
keep alice
ok "it opens" wait_for in_state 41001 ESTABLISHED
drop 41001

capture syn isp en "src port 41002 and tcp[tcpflags] == tcp-syn"
lose isp forward tcp flags syn,ack / syn,ack
is "when the SYN/ACK was lost" "$(request 41002)" "$(answer new)"
hold 41002
ok "there is nearly a connection" wait_for in_state 41002 SYN_RECV
is "it was there" "$(request 41002)" "$(answer kept)"
keep isp
ok "it opens, without a word" wait_for in_state 41002 ESTABLISHED

# reset SEQUENCE-NUMBER…: somebody else sends resets with en's address, to 41002, which waits
reset() {
    isp python3 - "$EN" 41002 "$G2" 80 "$@" <<'PYTHON'
import socket, struct, sys
src, sport, dst, dport = socket.inet_aton(sys.argv[1]), int(sys.argv[2]), socket.inet_aton(sys.argv[3]), int(sys.argv[4])
def packed(checksum):
    return struct.pack("!HHIIBBHHH", sport, dport, sequence, 0, 0x50, 4, 0, checksum, 0)
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
    for sequence in map(int, sys.argv[5:]):
        data = src + dst + struct.pack("!HH", 6, 20) + packed(0)
        total = sum(struct.unpack("!16H", data))
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, src, dst)
        sock.sendto(head + packed(~total & 0xFFFF), (sys.argv[3], 0))
PYTHON
}
# What is invalid is not translated, so it ends at the router.
unsolicited() { nft_counter hgw filter unsolicited; }
is "control: the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
is "asked for once more" "$(request 41002)" "$(answer kept)"
before=$(unsolicited)
capture_end syn
next=$(($(packets syn | sed -nE '1s/.* seq ([0-9]+),.*/\1/p') + 1))
far=()
for ((part = 1; part < 16; part++)); do far+=($(((next + part * 2 ** 28) % 2 ** 32))); done
reset $(((next + 100) % 2 ** 32))
is "a reset of somebody else that is nearly right is left to alice to judge" "$(state 41002)" ESTABLISHED
reset "${far[@]}"
is "others are invalid" $(($(unsolicited) - before)) 15
is "and have no effect" "$(state 41002)" ESTABLISHED
drop 41002

is "a long transfer" "$(request 41003)" "$(answer new)"
background download en curl -sS --max-time 60 --limit-rate 20M --local-port 41003 -o "$WORK/big" "http://$G2/big"
running() { kill -0 "${PID[download]}" 2>/dev/null; }
ok "runs" wait_for in_state 41003 ESTABLISHED
asked=0
kept=0
while running; do
    asked=$((asked + 1))
    [ "$(request 41003)" != "$(answer kept)" ] || kept=$((kept + 1))
done
ok "it ends well" wait "${PID[download]}"
ok "was asked for again and again" test "$asked" -gt 2
# Its closing may be met by the last one.
within "and was there" $((asked - kept)) 0 1
is "60 MB came whole" "$(sha256sum <"$WORK/big")" "$sum"
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
