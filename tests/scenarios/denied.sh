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
    timed fetch en "http://$host.home.example.net/"
    is "$host: curl could not connect" "$STATUS" 7
    within "$host: it knew in less than a second" "$TOOK" 0 999
    matches "$host: for a reason" "$(cat "$WORK/timed")" 'No route to host|Permission denied|not permitted|rohibited'
done
is "no mapping was made" "$(connections | grep -c 'src=192.168.0.12')" 0
is "carol's server heard nothing" "$(cat "$WORK/carol.access")" ""
is "no flow towards carol is left" "$(show en natf_en/vat | grep -c carol)" 0

write hgw natf_router/act "del carol"
write hgw natf_router/act "add carol 192.168.0.12 allow"
ok "once allowed, and the refusal forgotten, carol answers" \
    wait_for fetch en http://carol.home.example.net/
