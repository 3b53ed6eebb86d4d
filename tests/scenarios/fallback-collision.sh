#!/bin/bash
# Two names of one host without NAT-f, the same port there and the same source port here: on the wire the
# two connections could not be told apart, so the second is refused, and the first stays what it is.
#
#   en :40000 ─── isp ─── web (nginx :80, no NAT, no NAT-f) = one.home, two.home.example.net
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
printf 'one.home A %s\ntwo.home A %s\n' "$WEB" "$WEB" >"$WORK/more"
ZONE=$WORK/more name_server
web_server web
insmod_en
write en natf_en/domains "add home.example.net"

# hold NAME: a connection from port 40000 that stays open until it is told to go on
hold() {
    mkfifo "$WORK/go.$1"
    background "hold.$1" en socat -t 5 "OPEN:$WORK/go.$1,rdonly!!CREATE:$WORK/got.$1" \
        "TCP4:$1.home.example.net:80,sourceport=40000,reuseaddr"
    exec {go}>"$WORK/go.$1"
}
established() { [ "$(en ss -Htn state established "sport = :40000" | grep -c .)" = "$1" ]; }
second() { en timeout 15 socat -u /dev/null TCP4:two.home.example.net:80,sourceport=40000,reuseaddr; }

is "control: the second name works" "$(fetch en http://two.home.example.net/)" "this is web"
differs "each name has an address of its own" \
    "$(address_of one.home.example.net)" "$(address_of two.home.example.net)"
hold one
ok "the first connection stands" wait_for established 1
capture wire isp en "tcp port 40000"
timed second
differs "the second, of the same ports, does not" "$STATUS" 0
matches "the application was told" "$(cat "$WORK/timed")" 'No route to host'
within "in less than a second" "$TOOK" 0 999
differs "it was counted" "$(stat_of en natf_en out_table_full)" 0

ok "the first one is as it was" established 1
printf 'GET / HTTP/1.0\r\n\r\n' >&"$go"
ok "and brings its page" wait_for grep -q "this is web" "$WORK/got.one"
capture_end wire
is "no second SYN was on the wire" "$(count_packets wire 'tcp[tcpflags] == tcp-syn')" 0
is "and no reset" "$(count_packets wire 'tcp[tcpflags] & tcp-rst != 0')" 0
is "from another port the second name works" "$(fetch en http://two.home.example.net/)" "this is web"
