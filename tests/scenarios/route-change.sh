#!/bin/bash
# The route to the router moves to another interface while data flow: the flow follows with its next
# packet, and goes on when the old link is gone.
#
#   en eth0 198.51.100.2 ─── en  isp ─── hgw (masquerade) ─── alice (nginx, UDP echo)
#      eth1 198.51.100.6 ─── en2
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
link en eth1 198.51.100.6/30 isp en2 198.51.100.5/30
name_server
web_server alice
head -c 6M /dev/urandom >"$WORK/web.alice/file"
udp_echo alice 5000
natf_on

download() {
    fetch en http://alice.home.example.net/file --limit-rate 1M -o "$WORK/file"
    echo complete
}
# More than the file's head has come, so the rate rules and the transfer goes on for seconds.
under_way() { [ "$(stat -c %s "$WORK/file")" -gt 1000000 ]; }

capture wire isp en2 "host $G2"
ask_udp en alice.home.example.net 5000 one 41000 >"$WORK/one"
background download - download
wait_for under_way
capture_end wire
is "control: nothing takes the second link before the change" "$(count_packets wire)" 0

ip -n en route add "$G2/32" via 198.51.100.5
capture old isp en "src $EN and dst $G2"
capture new isp en2 "src $EN and dst $G2"
is "a UDP flow that exists goes on" \
    "$(ask_udp en alice.home.example.net 5000 two 41000)" "alice heard two from $EN"
size=$(stat -c %s "$WORK/file")
more_came() { [ "$(stat -c %s "$WORK/file")" -gt $((size + 500000)) ]; }
ok "the transfer goes on" wait_for more_came
capture_end old
capture_end new
is "the datagram took the second link" "$(count_packets new 'udp')" 1
ok "so do the acknowledgements" test "$(count_packets new tcp)" -gt 0
is "and the first link has none" "$(count_packets old)" 0

# The first link breaks, and isp knows.
ip -n en link set eth0 down
ip -n isp route replace $EN/32 via 198.51.100.6
ip -n en route replace default via 198.51.100.5
ok "without the first link it comes to its end" wait_for grep -q complete "$WORK/download.log"
is "the file is whole" "$(sha256sum <"$WORK/file")" "$(sha256sum <"$WORK/web.alice/file")"
is "two flows cost two requests, as before" "$(stat_of en natf_en request_sent)" 2
