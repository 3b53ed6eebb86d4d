#!/bin/bash
# What natfctl shows is what the modules have, in the namespace that it runs in; and it sets what they are told.
#
#   en (curl, natfctl) ─── isp ─── hgw (natfctl) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
insmod_en
insmod_router
ok "a domain" en natfctl en domains add home.example.net
ok "an entry" hgw natfctl act add alice 192.168.0.10 allow
is "the kernel has the domain" "$(show en natf_en/domains)" "add home.example.net"
is "a page comes" "$(en curl -sS --local-port 40000 http://alice.home.example.net/)" "this is alice"

address=$(address_of alice.home.example.net)
matches "show: the name" "$(en natfctl show nrt)" "$address  alice  home.example.net  $G2 "
matches "show: the flow" "$(en natfctl show vat)" "tcp +$EN:40000 +$address:80 +$G2:[0-9]+ +alice"
matches "show: the mapping" "$(hgw natfctl show mappings)" "tcp +192.168.0.10:80 +$EN:40000 +$G2:[0-9]+ +alice"
matches "show: all of it" "$(en natfctl show | tr '\n' ' ')" "natf_en domains home.example.net .*natf_en vat .*natf_router act none"
dump() { en natfctl dump "$1" | cut -f3- | tr '\t' ' '; }
is "dump is what the kernel writes" "$(dump vat | cut -d' ' -f1-5)" "$(show en natf_en/vat | cut -d' ' -f1-5)"
counters() { show en natf_en/stats; show en natf_router/stats; }
is "counters, too" "$(dump stats)" "$(counters)"
matches "stats" "$(en natfctl stats en)" "mapped +1"
matches "with what they mean" "$(hgw natfctl stats router --explain)" "mapped +1 +requests answered with a mapped address"
matches "watch" "$(en natfctl watch --count 2 --interval 0.1)" "natf_en vat: 1.*$address:80.*natf_en vat: 1"
is "names are saved" "$(en natfctl en names save | cut -d' ' -f1-4)" "$address alice home.example.net $G2"

ok "limits" en natfctl en limits names=100 flows=200
is "are set" "$(show en natf_en/limits | head -n 2)" $'names 100\nflows 200'
ok "ports" en natfctl en ports 53 5353
is "are set" "$(show en natf_en/dns_ports)" "53 5353"
ok "first packets do not travel" en natfctl en early off
ok "nor are any delivered but proven ones" hgw natfctl router early proven
is "that is shown" "$(dump early)" "$(show en natf_en/early; show en natf_router/early)"
is "by each alone" "$(en natfctl en early) $(hgw natfctl router early)" "off proven"
ok "limits of the router" hgw natfctl router limits source=10
is "are set" "$(show hgw natf_router/limits | head -n 1)" "source 10"
matches "tables of the router" "$(hgw natfctl router tables)" "mappings +1 +1048576"
matches "tables of the endpoint" "$(en natfctl en tables)" "names +1 +100"

namespace other
is "another namespace has nothing" "$(in_ns other natfctl dump vat; in_ns other natfctl dump act; in_ns other natfctl en domains)" ""
is "and its own settings" "$(in_ns other natfctl en limits | awk '$1 == "names" { print $2 }')" 16384

# A key of its own on both sides: the file never leaves the machine, the ids are the same.
en natfctl key gen "$WORK/key" >"$WORK/id"
is "a key is for its owner only" "$(stat -c %a "$WORK/key")" 600
ok "the endpoint takes it" en natfctl key add en home.example.net "$WORK/key"
ok "the router takes it" hgw natfctl key add router office - <"$WORK/key"
is "the kernel calls it by the same id" "$(show hgw natf_router/keys)" "office $(cat "$WORK/id")"
is "on both sides" "$(show en natf_en/keys)" "home.example.net $(cat "$WORK/id")"
hgw natfctl act flush
hgw natfctl act add alice 192.168.0.10 allow key office
is "with it the page comes" "$(en curl -sS --local-port 40001 http://alice.home.example.net/)" "this is alice"
ok "it is removed" hgw natfctl key del router office
is "and is gone" "$(show hgw natf_router/keys)" ""
