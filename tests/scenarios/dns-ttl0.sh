#!/bin/bash
# A name with TTL 0, as many dynamic ones have: an application that got the address can still connect
# some seconds later, and name and address stay together.
#
#   en ─── isp (BIND: alice.home 0 A) ─── hgw (masquerade) ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
echo "alice.home 0 A $G2" >"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
ttl() { en dig +noall +answer "@$NAMESERVER" alice.home.example.net A | awk '{ print $2 }'; }
is "control: the server says TTL 0" "$(ttl)" 0
natf_on

v=$(address_of alice.home.example.net)
matches "the name leads to a virtual address" "$v" '^240\.'
# A name with a longer TTL is the clock: after three seconds the table was swept twice at least.
differs "control: another name has TTL 60" "$(address_of bob.home.example.net)" "$v"
left() { show en natf_en/nrt | awk -v name="$1" '$2 == name { print $5 }'; }
three_seconds_later() { [ "$(left bob)" -le 57 ]; }
wait_for three_seconds_later
matches "three seconds later the address is still known" "$(left alice)" '^[0-9]+$'
is "and the page comes from it" "$(fetch en "http://$v/")" "this is alice"
is "no packet met an unknown address" "$(stat_of en natf_en out_unknown)" 0
is "the answer's TTL is what the server said" "$(ttl)" 0
is "the name has the address that it had" "$(address_of alice.home.example.net)" "$v"
is "there is one entry for it" "$(show en natf_en/nrt | grep -c " alice ")" 1
