#!/bin/bash
# stock: yes
# A router or host without NAT-f answers the request as any ping: EN then talks to it directly, under
# the virtual address and the same port.
#
#   en ─── isp ─── web (nginx :80, :8080; no NAT, no NAT-f) = plain.home.example.net
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
echo "plain.home A $WEB" >"$WORK/more"
ZONE=$WORK/more name_server
web_server web 8080
insmod_en
is "control: an unconfigured EN takes the name as it is" "$(address_of plain.home.example.net)" "$WEB"
write en natf_en/domains "add home.example.net"

matches "the name leads to a virtual address" "$(address_of plain.home.example.net)" '^240\.'
capture wire isp en
is "the page comes, and the server saw EN's real address" "$(fetch en http://plain.home.example.net:8080/who)" "$EN"
capture_end wire
is "the answer to the request was a plain echo reply, once" \
    "$(count_packets wire "icmp[icmptype] == icmp-echoreply and src $WEB")" 1
is "the port stayed what it was" "$(count_packets wire "dst $WEB and tcp[tcpflags] == tcp-syn and dst port 8080")" 1
is "TCP repeated nothing" "$(repeated_segments wire)" ""
not_ok "a port without a server is refused, as it should be" \
    fetch en http://plain.home.example.net:81/ --connect-timeout 3
is "a name of no configured suffix stays as it is" "$(address_of web.example.net)" "$WEB"
matches "ping goes there, too, and comes from the virtual address" \
    "$(en ping -n -c 2 -i 0.2 plain.home.example.net)" 'from 240\..* 0% packet loss'
is "nothing was left to the kernel's own ping" "$(show en natf_en/vat | grep -c '^icmp ')" 1
