#!/bin/bash
# 256 names with the same two hashes have an address each; the answer for one more passes on unchanged and
# is counted, and so leads to the router itself. A name with other hashes is not concerned.
#
#   en ─── isp (BIND, wildcard) ─── hgw
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
insmod_en
write en natf_en/domains "add home.example.net"
colliding_names 257 home.example.net >"$WORK/names"
en dig +short "@$NAMESERVER" -f <(head -n 256 "$WORK/names") >"$WORK/answers"
is "256 names have 256 addresses" "$(sort -u "$WORK/answers" | grep -c '^240\.')" 256
is "in one pool" "$(cut -d. -f3- "$WORK/answers" | sort -u | grep -c .)" 1
is "control: nothing was counted" "$(stat_of en natf_en dns_pool_full)" 0
is "one more has none" "$(en dig +short "@$NAMESERVER" "$(tail -n 1 "$WORK/names")")" "$G2"
is "which is counted" "$(stat_of en natf_en dns_pool_full)" 1
matches "another name has one" "$(address_of alice.home.example.net)" '^240\.'
is "and the first of them keeps its own" \
    "$(en dig +short "@$NAMESERVER" "$(head -n 1 "$WORK/names")")" "$(head -n 1 "$WORK/answers")"
