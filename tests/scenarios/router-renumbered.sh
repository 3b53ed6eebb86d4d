#!/bin/bash
# The router gets another address, and the DNS tells: flows find it at the next packet. UDP goes on, TCP is reset.
#
#   en ─── isp ─── hgw (203.0.113.2, then 203.0.113.18) ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

G2NEW=203.0.113.18
topology
name_server
udp_echo alice 5000
line_echo alice 7000
natf_on
try_udp() {
    printf 'again\n' | en timeout 2 socat -T 0.3 - "UDP4:$virtual:5000,sourceport=41000" |
        grep -q "alice heard again"
}
virtual=$(address_of alice.home.example.net)
talker tcp en "$virtual" 7000
tell tcp hello
ok "TCP goes" wait_for heard tcp 'heard: hello'
ok "UDP goes" wait_for try_udp

ip -n isp address add 203.0.113.17/30 dev hgw
ip -n hgw address flush dev wan
ip -n hgw address add $G2NEW/30 dev wan
ip -n hgw route add default via 203.0.113.17
not_ok "control: nobody can know the new address yet" try_udp
sed -i "s/$G2/$G2NEW/" "$WORK/bind/zone"
sed -i 's/ns hostmaster 1 /ns hostmaster 2 /' "$WORK/bind/zone"
kill -HUP "${PID[isp.named]}"
told() { [ "$(en dig +short home.example.net)" = $G2NEW ]; }
ok "the name server knows" wait_for told
is "the name keeps its virtual address" "$(address_of alice.home.example.net)" "$virtual"
matches "and has another router" "$(show en natf_en/nrt | grep "^$virtual ")" "$G2NEW"
start=$(milliseconds)
ok "UDP goes on" wait_for try_udp
within "at once" $(($(milliseconds) - start)) 0 2500
is "by a mapping there" "$(show en natf_en/vat | grep -c "^udp .* $G2NEW:")" 1
tell tcp "are you there"
ok "TCP is told" wait_for heard tcp 'ended: Connection reset by peer'
talker again en "$virtual" 7000
tell again hello
ok "a new connection to the same virtual address goes" wait_for heard again 'heard: hello'
