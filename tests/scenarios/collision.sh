#!/bin/bash
# Two names whose hashes are equal get different virtual addresses, which differ in the second octet
# alone, and each leads to its own host. Asked for in the same order they have the same addresses again
# when the module was reloaded.
#
#   en ─── isp ─── hgw (masquerade) ─── alice as "kitchen", bob as "mallory" (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
web_server bob
natf_on
# FNV-1a of "kitchen" and of "mallory" is 25 modulo 254, so D is 26 for both.
write hgw natf_router/act "add kitchen 192.168.0.10 allow"
write hgw natf_router/act "add mallory 192.168.0.11 allow"

addresses() { # of the three names, in this order
    local host
    for host in kitchen mallory alice; do
        address_of $host.home.example.net
    done | xargs
}
first=$(addresses)
read -r kitchen mallory alice <<<"$first"
is "the first name has B = 0" "${kitchen#240.0.}" "${kitchen#240.*.}"
is "C and D are equal" "${mallory#240.*.}" "${kitchen#240.*.}"
is "D is the hash" "${kitchen##*.}" 26
is "the second name has B = 1" "${mallory#240.1.}" "${mallory#240.*.}"
differs "control: the hash of another name differs" "${alice##*.}" "${kitchen##*.}"
is "the first leads to its host" "$(fetch en http://kitchen.home.example.net/)" "this is alice"
is "the second to its own" "$(fetch en http://mallory.home.example.net/)" "this is bob"
is "there are two rows for them" "$(show en natf_en/nrt | grep -c "\.26 ")" 2
is "asked again, all are what they were" "$(addresses)" "$first"

rmmod natf_en
insmod_en
write en natf_en/domains "add home.example.net"
is "control: the reloaded module knows no name" "$(rows en natf_en/nrt)" 0
not_ok "nor what its address means" fetch en "http://$alice/" --connect-timeout 2
is "the names have the addresses that they had" "$(addresses)" "$first"
is "an application that remembered one reaches its host" "$(fetch en "http://$mallory/")" "this is bob"
