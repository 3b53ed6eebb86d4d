#!/bin/bash
# limit: 120
# Two names with equal hashes keep their addresses when one of them is forgotten for a while, so an
# application that remembers an address never talks to the other's host.
#
#   en ─── isp ─── hgw (masquerade) ─── alice as "kitchen", bob as "mallory" (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
printf 'kitchen.home 1 A %s\nmallory.home 100 A %s\n' "$G2" "$G2" >"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
web_server bob
natf_on
write hgw natf_router/act "add kitchen 192.168.0.10 allow"
write hgw natf_router/act "add mallory 192.168.0.11 allow"
kitchen=$(address_of kitchen.home.example.net)
mallory=$(address_of mallory.home.example.net)
is "control: the address of the second" "$(fetch en "http://$mallory/")" "this is bob"
forgotten() { ! show en natf_en/nrt | grep -q kitchen; }
WAIT=70 ok "the first name is forgotten" wait_for forgotten
note "$(show en natf_en/nrt)"
is "control: the second is not" "$(show en natf_en/nrt | grep -c mallory)" 1
is "the second keeps its address when it is asked for again" "$(address_of mallory.home.example.net)" "$mallory"
is "the first has its own again" "$(address_of kitchen.home.example.net)" "$kitchen"
note "$(show en natf_en/nrt)"
is "who remembers the first reaches it" "$(fetch en "http://$kitchen/")" "this is alice"
is "who remembers the second reaches that" "$(fetch en "http://$mallory/")" "this is bob"
