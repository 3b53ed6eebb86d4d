#!/bin/bash
# Somebody through whose hands all packets pass. For a name without a key he can play its router, as he could change
# any plain connection. For one with a key he can only keep connections from coming about: nothing that he says is
# believed, neither an address, nor a refusal, nor that the host knows no NAT-f.
#
#   en ─── isp (the attacker, swallows requests and answers them) ─×─ hgw (key office) ─── alice; his server is web
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server web
web_server alice
natf_on
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
other=$(printf 'fedcba9876543210%.0s' 1 2 3 4)
write hgw natf_router/keys "add office $key"
fake() { # fake NAME KEY=VALUE…: a connection there, while he answers for its router
    local name=$1
    shift
    lose isp forward ip daddr "$G2" icmp type echo-request
    background forger isp python3 "$NATF_TESTS/lib/answer.py" en "mapped=$WEB:80" "$@"
    wait_for grep -q listening "$WORK/forger.log"
    FETCHED=$(fetch en "http://$name.home.example.net/" --max-time 1 2>&1 || true)
    end forger
}
# not_believed TEXT: nothing was opened, and what he said was counted. Up to here nobody else could answer.
not_believed() {
    is "$1: no flow is open" "$(show en natf_en/vat | grep -vc 'negotiating\|refused' || true)" 0
    differs "$1: it was counted" "$(stat_of en natf_en auth_wrong)" "$wrong"
    wrong=$(stat_of en natf_en auth_wrong)
    keep isp
}

write en natf_en/keys "add home.example.net $key"
wrong=$(stat_of en natf_en auth_wrong)
fake alice
not_believed "an address"
fake bob code=1
not_believed "a refusal"
is "a refusal: nor was it taken for one" "$(stat_of en natf_en denied)" 0
fake carol "key=$other"
not_believed "another key"
fake dave "key=$key"
is "control: with her key he could" "$FETCHED" "this is web"
keep isp
going_on() { show en natf_en/vat | grep -c 'negotiating\|refused' || true; }
over() { [ "$(going_on)" = 0 ]; }
wait_for over
is "when he is gone she is there" "$(fetch en http://alice.home.example.net/)" "this is alice"
write en natf_en/keys flush
fake emil
is "control: without a key he is believed" "$FETCHED" "this is web"
