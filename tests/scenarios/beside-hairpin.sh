#!/bin/bash
# Hosts inside use the names of their own home, as a notebook does that is at home today. If they run natf_en, they
# talk to each other directly where no NAT lies between them, and by the usual rule of hairpin masquerade where
# another of the router's networks does. Without natf_en of their own they get there by that of the router.
#
#                           ┌ lan   alice 192.168.0.10 (nginx, UDP)    bob 192.168.0.11 (natf_en)   carol .12
#   isp (name server) ─ hgw ┤
#                           └ lan2  dora  192.168.1.10 (natf_en)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
namespace dora
link hgw lan2 192.168.1.1/24 dora eth0 192.168.1.10/24
ip -n dora route add default via 192.168.1.1
asks_isp bob carol dora
name_server
web_server alice
udp_echo alice 5000
# The networks may talk to each other, and lan2 to the world.
hgw nft insert rule inet filter forward iifname lan2 accept
hgw nft insert rule inet filter input iifname lan2 accept
hgw nft insert rule inet filter forward iifname lan oifname lan2 accept
strict_filter hgw
page() { fetch "$1" http://alice.home.example.net/ --connect-timeout 2; }
seen() { fetch "$1" http://alice.home.example.net/who --connect-timeout 2; } # by alice's server

not_ok "control: without the modules the name leads to the router alone" page bob
insmod_en
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
write hgw natf_router/act "add carol 192.168.0.12 deny"
for host in bob dora; do
    write $host natf_en/domains "add home.example.net"
done

capture lan alice eth0 ip
is "bob, on the same network: the page comes" "$(page bob)" "this is alice"
is "she saw his own address" "$(seen bob)" 192.168.0.11
is "datagrams, too" "$(ask_udp bob alice.home.example.net 5000 hello)" "alice heard hello from 192.168.0.11"
capture_end lan
is "nothing of it was between her and the router" "$(count_packets lan not host 192.168.0.11)" 0
is "the router's table has nothing of it" "$(connections | grep -c 'dst=192.168.0.1' || true)" 0
timed connect bob carol.home.example.net 80
matches "whom the table denies is denied inside, too" "$(cat "$WORK/timed")" 'No route to host'

not_ok "dora, on another network: there is no mapping where there is no NAT" page dora
hgw nft add rule ip nat postrouting ip saddr 192.168.0.0/16 ip daddr 192.168.0.0/16 masquerade
is "with hairpin masquerade the page comes" "$(page dora)" "this is alice"
is "she saw her own address" "$(seen dora)" 192.168.1.10
is "datagrams, too" "$(ask_udp dora alice.home.example.net 5000 hello)" "alice heard hello from 192.168.1.10"

write hgw natf_en/domains "add home.example.net"
not_ok "carol, without natf_en: a strict filter on lan does not take the virtual address there" page carol
hgw sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lan.rp_filter=2
is "with a loose one the page comes by that of the router" "$(page carol)" "this is alice"
is "she saw the router's address" "$(seen carol)" "$G2"
is "datagrams, too" "$(ask_udp carol alice.home.example.net 5000 hello)" "alice heard hello from $G2"
