#!/bin/bash
# Dynamic DNS with ddclient on the router, as Debian's hooks run it when an interface comes up: it looks at the address
# of the interface, and when that has changed, tells the name server. The hosts are names for the router's own (CNAME),
# so one record changes.
#
#   en ─── isp (BIND, updates with a TSIG key) ─── hgw (ddclient; 203.0.113.2, then 203.0.113.18) ─── alice, bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

G2NEW=203.0.113.18
topology
tsig-keygen ddns >"$WORK/ddns.key"
UPDATES=$WORK/ddns.key name_server cname
web_server alice
web_server bob
natf_on
cat >"$WORK/ddclient.conf" <<CONF
min-interval=1
use=if, if=wan
protocol=nsupdate
server=$NAMESERVER
password=$WORK/ddns.key
zone=example.net
ttl=60
home.example.net
CONF
chmod 600 "$WORK/ddclient.conf"
fetch_both() { fetch en http://alice.home.example.net/ --connect-timeout 1 && fetch en http://bob.home.example.net/ --connect-timeout 1; }
address() { en dig +short home.example.net; }
leads_to() { [ "$(address)" = "$1" ]; }

hgw nsupdate -k "$WORK/ddns.key" <<LINES
server $NAMESERVER
update delete home.example.net A
update add home.example.net 60 A 192.0.2.1
send
LINES
is "control: the DNS has another address" "$(address)" 192.0.2.1
run() { hgw ddclient -daemon=0 -file "$WORK/ddclient.conf" -cache "$WORK/ddclient.cache"; }
ok "ddclient runs" run
ok "and tells the router's" leads_to $G2
is "the pages come by name" "$(fetch_both)" $'this is alice\nthis is bob'

ip -n isp address add 203.0.113.17/30 dev hgw
ip -n hgw address flush dev wan
ip -n hgw address add $G2NEW/30 dev wan
ip -n hgw route add default via 203.0.113.17
not_ok "control: as long as the DNS has the old one, nothing comes" fetch_both
# It may not tell of another address in the very second of the last one.
told() { run && leads_to $G2NEW; }
ok "ddclient tells the new one" wait_for told
is "the pages come again" "$(fetch_both)" $'this is alice\nthis is bob'
is "by the new address" "$(show en natf_en/nrt | cut -d' ' -f4 | sort -u)" $G2NEW
