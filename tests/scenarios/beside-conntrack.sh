#!/bin/bash
# conntrack-tools beside the module: "conntrack -E" hears of a mapping all that it hears of any connection,
# -L shows it, and -D ends it: a datagram flow takes another, a TCP connection goes on if the inside host speaks
# first (then the NAT itself takes it up), and is reset if the client does.
#
#   en ─── isp ─── hgw (conntrack -E; masquerade) ─── alice (nginx :80, UDP :5000, TCP :7000, :7001 that speaks)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
web_server web
udp_echo alice 5000
line_echo alice 7000
mkfifo "$WORK/speech"
background speaker alice socat -U TCP4-LISTEN:7001,reuseaddr "OPEN:$WORK/speech,rdwr"
wait_for listening alice tcp 7001

background events hgw conntrack -E
hears() { fetch alice "http://$WEB/" && grep -q "dst=$WEB" "$WORK/events.log"; }
wait_for hears
# events PATTERN: what was heard of a connection, in its order
events() { grep -- "$1" "$WORK/events.log" | sed -E 's/^ *\[([A-Z]+)\] *([a-z]+) +[0-9]+ ([0-9]+ )?(([A-Z_0-9]+) )?src=.*/\1 \2 \5/' | sed 's/ $//'; }
told() { events "$2" | grep -qx "$1"; } # told EVENT PATTERN
ordinary() { events "src=192.168.0.10 dst=$WEB "; }
wait_for told 'UPDATE tcp TIME_WAIT' "src=192.168.0.10 dst=$WEB "
natf_on
is "a page comes" "$(fetch en http://alice.home.example.net/ --local-port 41000)" "this is alice"
of_page="src=192.168.0.10 dst=$EN sport=80 dport=41000"
ok "its end is heard" wait_for told 'UPDATE tcp TIME_WAIT' "$of_page"
# Where alice's own connection has the SYN/ACK of the other side, a mapping has the SYN of the client, and then her
# SYN/ACK.
is "all that is heard of her own connections was heard, and what a simultaneous open has more" \
    "$(events "$of_page" | paste -sd,)" "$(ordinary | sed '1a UPDATE tcp SYN_SENT2' | paste -sd,)"
is "a datagram is answered" \
    "$(ask_udp en alice.home.example.net 5000 hello 41001)" "alice heard hello from $EN"
of_datagram="src=192.168.0.10 dst=$EN sport=5000 dport=41001"
is "of it, too, the beginning was heard" "$(events "$of_datagram" | grep NEW)" "NEW udp"
is "the list shows both" \
    "$(connections | grep -cE "src=192.168.0.10 dst=$EN sport=(80|5000) .* src=$EN dst=$G2 ")" 2

is "control: nobody had to ask again" "$(stat_of en natf_en asked)" 0
hgw conntrack -D -p udp -s 192.168.0.10 >/dev/null 2>&1
ok "the end of an entry is heard" wait_for told 'DESTROY udp' "$of_datagram"
try_udp() {
    printf 'again\n' | en timeout 2 socat -T 0.3 - UDP4:alice.home.example.net:5000,sourceport=41001 |
        grep -q "alice heard again"
}
ok "the same datagram flow goes again" wait_for try_udp
ok "by another entry" test "$(events "$of_datagram" | grep -c NEW)" -ge 2

talker speaker.heard en alice.home.example.net 7001 41002
echo one >"$WORK/speech"
wait_for heard speaker.heard 'heard: one'
asked=$(stat_of en natf_en asked)
hgw conntrack -D -p tcp --orig-port-src 7001 >/dev/null 2>&1
echo two >"$WORK/speech"
ok "the inside host speaks first: the connection goes on" wait_for heard speaker.heard 'heard: two'
is "without a request" "$(stat_of en natf_en asked)" "$asked"

talker client en alice.home.example.net 7000 41003
tell client one
wait_for heard client 'heard: one'
hgw conntrack -D -p tcp --orig-port-src 7000 >/dev/null 2>&1
tell client two
ok "the client speaks first: it is told that there is no connection any more" \
    wait_for heard client 'ended: Connection reset by peer'
is "a new one works" "$(fetch en http://alice.home.example.net/)" "this is alice"
ok "conntrack -E is still there" kill -0 "${PID[events]}"
