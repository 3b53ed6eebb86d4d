#!/bin/bash
# natfctl trace says so where the key of this host is not one of the router, or somebody without keys answers.
#
#   en (natfctl, key) ─── isp (BIND) ─── hgw (key) ─── alice (nginx)
#                          └── web (neither NAT nor NAT-f) = plain.home.example.net
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

topology
echo "plain.home A $WEB" >"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
natf_on_with_key
all_right control "$name" 80
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
write en natf_en/keys "add home.example.net ${key//0/1}"
cause "the router does not know it" key_unknown "^the router: $G2 does not know the key .*id [0-9a-f]{8}" "$name" 80
cause "who answers does not sign" unsigned "^the router: $WEB answers without NAT-f, and .*signed with key" plain.home.example.net 80
write en natf_en/keys "del home.example.net"
cause "this host has none" denied "^the router: $G2 denies .*wants a key" "$name" 80
write en natf_en/keys "add home.example.net $key"
repaired
