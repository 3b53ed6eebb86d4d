#!/bin/bash
# stock: yes
# However the router's name is registered, and however the question is spelt, the name leads to one
# virtual address; names that are nobody's business are left alone.
#
#   en (dig, curl) ─── isp (BIND: wildcard, CNAME, several A) ─── hgw ─── alice, bob (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
web_server alice
web_server bob
ask() { en dig +short +tries=1 +time=3 "@$NAMESERVER" "$@" | tail -n 1; }
flags() { en dig +tries=1 +time=3 "@$NAMESERVER" "$@" | sed -n 's/^;; flags: \([^;]*\);.*/\1/p'; }

name_server
is "control: without the module" "$(ask alice.home.example.net)" "$G2"
end isp.named
natf_on

first=
for variant in wildcard cname several; do
    name_server "$variant"
    address=$(ask alice.home.example.net)
    matches "$variant: a virtual address" "$address" '^240\.'
    is "$variant: the same name, the same address" "$address" "${first:=$address}"
    differs "$variant: another name, another address" "$(ask bob.home.example.net)" "$address"
    is "$variant: alice's page" "$(fetch en http://alice.home.example.net/)" "this is alice"
    is "$variant: bob's page" "$(fetch en http://bob.home.example.net/)" "this is bob"
    is "$variant: mixed case is the same name" "$(ask aLiCe.hOmE.eXaMpLe.NeT)" "$address"
    is "$variant: with EDNS, too" "$(ask +bufsize=1232 +cookie alice.home.example.net)" "$address"
    is "$variant: without EDNS, too" "$(ask +noedns alice.home.example.net)" "$address"
    is "$variant: a name of no configured suffix" "$(ask web.example.net)" "$WEB"
    is "$variant: no way around by AAAA" "$(ask AAAA alice.home.example.net | grep -c :)" 0
    end isp.named
done
name_server
matches "the flags are those of the server" "$(flags alice.home.example.net)" '^qr aa rd$'

write en natf_en/domains "del home.example.net"
is "a suffix taken away: the name is what it was" "$(ask alice.home.example.net)" "$G2"
write en natf_en/domains "add *"
matches "the suffix *: the paper's behaviour" "$(ask alice.home.example.net)" '^240\.'
