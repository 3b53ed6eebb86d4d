#!/bin/bash
# stock: yes
# The router's access control list says no, or says nothing: the application is refused at once, and the
# router's NAT keeps no mapping.
#
#   en ─── isp ─── hgw (ACT: alice allow, carol deny; dave not in it) ─── alice, carol (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
web_server carol
natf_on

is "control: alice is allowed" "$(fetch en http://alice.home.example.net/)" "this is alice"
for host in carol dave; do
    timed connect en "$host.home.example.net" 80
    is "$host: no connection" "$STATUS" 1
    within "$host: the application knew in less than a second" "$TOOK" 0 999
    matches "$host: and was told why" "$(cat "$WORK/timed")" 'No route to host'
    not_ok "$host: the same for curl" fetch en "http://$host.home.example.net/" --connect-timeout 5
done
is "no mapping was made" "$(connections | grep -c 'src=192.168.0.12')" 0
is "carol's server heard nothing" "$(cat "$WORK/carol.access")" ""
is "EN translates nothing towards carol" "$(show en natf_en/vat | grep carol | grep -vc refused)" 0
differs "the router counted the refusals" "$(stat_of hgw natf_router denied)" 0

write hgw natf_router/act "del carol"
write hgw natf_router/act "add carol 192.168.0.12 allow"
ok "once allowed, and the refusal forgotten, carol answers" \
    wait_for fetch en http://carol.home.example.net/
