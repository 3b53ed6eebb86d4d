#!/bin/bash
# An endpoint with a key for a suffix opens connections that the table allows to that key only, also when its clock
# is wrong. What is not signed with the key is no answer: not a router's without keys, not a host's without NAT-f.
#
#   en (key for home.example.net) ─── isp ─── hgw (alice: key office) ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
insmod_en
insmod_router
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
other=$(printf 'fedcba9876543210%.0s' 1 2 3 4)
write en natf_en/domains "add home.example.net"
write hgw natf_router/keys "add office $key"
write hgw natf_router/act "add alice 192.168.0.10 allow key office"
page() { fetch en http://alice.home.example.net/ "$@"; }

not_ok "control: without the key" page --connect-timeout 3
write en natf_en/keys "add home.example.net $key"
is "its id is shown, and the same on both sides" "$(show en natf_en/keys | cut -d' ' -f2)" \
    "$(show hgw natf_router/keys | cut -d' ' -f2)"
forgotten() { ! show en natf_en/vat | grep -q refused; }
wait_for forgotten
is "with it" "$(page)" "this is alice"
is "the router knew whose request it was" "$(stat_of hgw natf_router authenticated)" 1
write hgw natf_router/limits "cookie 0"
is "also when the router wants a cookie" "$(page)" "this is alice"
write hgw natf_router/limits "cookie 2000"

# Both clocks are this guest's: what the endpoint has learnt is spoilt by setting the clock between two requests.
is "control: no clock was wrong so far" "$(stat_of hgw natf_router stale)" 0
is "refusals are signed and believed" "$(fetch en http://dave.home.example.net/ --connect-timeout 3 2>&1 | grep -c .)" 1
is "it was a refusal" "$(stat_of en natf_en denied)" 2

write en natf_en/keys "add home.example.net $other"
timed page --connect-timeout 10
differs "with another key than the router's nothing is believed" "$STATUS" 0
differs "which is counted" "$(stat_of en natf_en auth_wrong)" 0
is "the router was not believed to have refused" "$(stat_of en natf_en denied)" 2

write en natf_en/keys "add home.example.net $key"
rmmod natf_router
hgw nft add rule inet filter input icmp type echo-request accept
before=$(stat_of en natf_en auth_wrong)
not_ok "a host that answers as any host does is not talked to: no way down" page --connect-timeout 10
is "nothing went there directly" "$(stat_of en natf_en fallback)" 0
ok "its answers were counted" test "$(stat_of en natf_en auth_wrong)" -gt "$before"
write en natf_en/keys "del home.example.net"
wait_for forgotten
not_ok "control: without a key it is (and has no page)" page --connect-timeout 3
is "control: directly" "$(stat_of en natf_en fallback)" 1
