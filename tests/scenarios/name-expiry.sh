#!/bin/bash
# limit: 120
# A name that nobody uses is forgotten a minute after an answer with a short TTL; one with a longer TTL is
# not. Its address leads nowhere then, which is told at once, and asked for again it has the same one.
#
#   en ─── isp (BIND: alice TTL 1, bob TTL 300) ─── hgw (masquerade) ─── alice, bob (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
printf 'alice.home 1 A %s\nbob.home 300 A %s\n' "$G2" "$G2" >"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
web_server bob
natf_on
known() { show en natf_en/nrt | grep -c " $1 " || true; }
forgotten() { [ "$(known alice)" = 0 ]; }

started=$(milliseconds)
alice=$(address_of alice.home.example.net)
bob=$(address_of bob.home.example.net)
is "both names are known" "$(known alice)$(known bob)" 11
WAIT=70
ok "alice is forgotten" wait_for forgotten
within "after a minute" "$(($(milliseconds) - started))" 60000 63000
is "bob is not" "$(known bob)" 1
timed connect en "$alice" 80
matches "alice's address leads nowhere" "$(cat "$WORK/timed")" 'No route to host'
ok "and that is told at once" test "$TOOK" -lt 500
is "it was counted" "$(stat_of en natf_en out_unknown)" 1
is "control: bob's leads to him" "$(fetch en "http://$bob/")" "this is bob"
is "asked for again, alice has the same address" "$(address_of alice.home.example.net)" "$alice"
is "and it leads to her" "$(fetch en "http://$alice/")" "this is alice"
