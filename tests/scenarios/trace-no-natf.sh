#!/bin/bash
# natfctl trace says so where a host answers at the address of the router, and does not know NAT-f.
#
#   en (natfctl) ─── isp (BIND) ─── hgw (answers pings, no natf_router) ─── alice (nginx)
#                     └── web (neither NAT nor NAT-f) = plain.home.example.net
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

echo "plain.home A $WEB" >"$WORK/more"
ZONE=$WORK/more trace_network
rmmod natf_router
hgw nft insert rule inet filter input icmp type echo-request accept
cause "a router without the module" no_natf "^the router: $G2 answers ping but does not know NAT-f.*does not answer" "$name" 80
cause "another host, and the port is closed" no_natf "$WEB answers ping but .*TCP port 81 is closed" plain.home.example.net 81
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
repaired
