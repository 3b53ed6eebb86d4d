#!/bin/bash
# Dynamic DNS with what BIND brings: the router's address changes, its nsupdate tells the name server, signed with a key,
# and the next lookup leads to the new address.
#
#   en ─── isp (BIND, updates with a TSIG key) ─── hgw (nsupdate; 203.0.113.2, then 203.0.113.18) ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

G2NEW=203.0.113.18
topology
tsig-keygen ddns >"$WORK/ddns.key"
UPDATES=$WORK/ddns.key name_server
web_server alice
natf_on
name=alice.home.example.net
update() { # update ADDRESS [nsupdate options]: docs/ddns.md has these lines, too
    hgw nsupdate "${@:2}" <<LINES
server $NAMESERVER
zone example.net
update delete home.example.net A
update add home.example.net 60 A $1
update delete *.home.example.net A
update add *.home.example.net 60 A $1
send
LINES
}
page() { fetch en http://$name/ --connect-timeout 1; }

is "at first alice's page comes" "$(page)" "this is alice"
virtual=$(address_of $name)
ip -n isp address add 203.0.113.17/30 dev hgw
ip -n hgw address flush dev wan
ip -n hgw address add $G2NEW/30 dev wan
ip -n hgw route add default via 203.0.113.17
not_ok "control: as long as the DNS has the old address, it does not" page
not_ok "control: nobody changes it without the key" update 192.0.2.66
is "and nobody did" "$(en dig +short home.example.net)" "$G2"
ok "the router tells its new address" update $G2NEW -k "$WORK/ddns.key"
is "the page comes again, at the next lookup" "$(page)" "this is alice"
is "the name has kept its virtual address" "$(address_of $name)" "$virtual"
is "which leads to the new one" "$(show en natf_en/nrt | grep "^$virtual " | cut -d' ' -f4)" $G2NEW
is "and to no other" "$(show en natf_en/nrt | grep -c "$G2 " || true)" 0
matches "it holds for the TTL of the answer" "$(show en natf_en/nrt | grep "^$virtual " | cut -d' ' -f5)" '^(59|60)$'
