#!/bin/bash
# Datagrams that do not fit into a packet: fragmented on the way, whole for the application, both ways.
#
#   en ─── isp ─── hgw (masquerade) ─── alice (socat, UDP 5000 echo)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
background alice.echo alice socat -b 60000 UDP4-RECVFROM:5000,fork EXEC:cat
wait_for listening alice udp 5000
natf_on
capture wire isp en udp

echo_of() { # echo_of BYTES: is what comes back what was sent?
    head -c "$1" /dev/urandom >"$WORK/datagram"
    en timeout 8 socat -b 60000 -T 3 - UDP4:alice.home.example.net:5000,sourceport=41000 \
        <"$WORK/datagram" >"$WORK/echo"
    cmp "$WORK/datagram" "$WORK/echo"
}
ok "a small datagram and its answer, as a control" echo_of 1000
ok "4000 bytes" echo_of 4000
ok "40000 bytes" echo_of 40000
capture_end wire
ok "they were fragmented on the wire" \
    test "$(count_packets wire 'ip[6:2] & 0x1fff != 0')" -gt 20
is "no virtual address was on the wire" "$(count_packets wire net 240.0.0.0/4)" 0
