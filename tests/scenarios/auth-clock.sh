#!/bin/bash
# An endpoint whose clock is an hour off learns by how much from the router's signed refusal, and repeats its request
# once; the application does not notice. What is not signed teaches it nothing.
#
# The guest has one clock, so a router that says it is an hour later (a script with the key) puts the endpoint's idea
# of the router's clock wrong first.
#
#   en (key) ─── isp ─── hgw (the script, then natf_router) ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
insmod_en
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
write en natf_en/domains "add home.example.net"
write en natf_en/keys "add home.example.net $key"
virtual=$(address_of alice.home.example.net)
hgw nft insert rule inet filter input icmp type echo-request accept

PYTHONPATH=$NATF_TESTS/lib background clock hgw python3 "$NATF_TESTS/lib/clock.py" "$key" 3600
wait_for grep -q listening "$WORK/clock.log"
not_ok "the first router has no mapping for anyone" connect en "$virtual" 80
is "it has told its clock" "$(cat "$WORK/clock.log")" $'listening\nanswered'
kill "${PID[clock]}"
is "the first request, one more at once, three by the clock" "$(stat_of en natf_en request_sent)" 5

insmod_router
write hgw natf_router/keys "add office $key"
write hgw natf_router/act "add alice 192.168.0.10 allow key office"
forgotten() { ! show en natf_en/vat | grep -q refused; }
wait_for forgotten
is "a page from the second router" "$(fetch en http://alice.home.example.net/)" "this is alice"
is "it was an hour off" "$(stat_of hgw natf_router stale)" 1
is "and asked once more" "$(stat_of en natf_en request_sent)" 7
is "from then on its time is right" "$(fetch en http://alice.home.example.net/)" "this is alice"
is "so nothing is repeated" "$(stat_of en natf_en request_sent) $(stat_of hgw natf_router stale)" "8 1"
