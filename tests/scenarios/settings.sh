#!/bin/bash
# What can be set on an endpoint: the range of virtual addresses and the ports of DNS servers.
#
#   en ─── isp (BIND on 53, behind a relay on 5354, too) ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on

is "the range is 240/8 at first" "$(show en natf_en/prefix)" "240.0.0.0/8"
for wrong in 127.0.0.0/8 224.0.0.0/8 255.0.0.0/8 240.0.0.0/4 240.1.0.0/8 nonsense; do
    not_ok "no range: $wrong" write en natf_en/prefix "$wrong"
done
write en natf_en/prefix 250.0.0.0/8
matches "names get addresses from the new range" "$(address_of alice.home.example.net)" '^250\.0\.'
is "and they work" "$(fetch en http://alice.home.example.net/)" "this is alice"
not_ok "the range cannot change while there are names" write en natf_en/prefix 240.0.0.0/8
is "and did not" "$(show en natf_en/prefix)" "250.0.0.0/8"
is "another namespace has its own" "$(show hgw natf_en/prefix)" "240.0.0.0/8"

background isp.relay isp socat "UDP4-RECVFROM:5354,bind=$NAMESERVER,fork" "UDP4-SENDTO:$NAMESERVER:53"
wait_for listening isp udp 5354
ask() { en dig +short -p 5354 "@$NAMESERVER" bob.home.example.net; }
is "port 53 alone at first" "$(show en natf_en/dns_ports)" 53
is "control: an answer from another port is left alone" "$(ask)" "$G2"
for wrong in 0 65536 dns "1 2 3 4 5" ""; do
    not_ok "no ports: '$wrong'" write en natf_en/dns_ports "$wrong"
done
write en natf_en/dns_ports "53 5354"
is "two ports" "$(show en natf_en/dns_ports)" "53 5354"
matches "now it is rewritten" "$(ask)" '^250\.'
