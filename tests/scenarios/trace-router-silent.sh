#!/bin/bash
# natfctl trace says so where nobody answers at the address of the router.
#
#   en (natfctl) ─── isp (BIND, drops) ─── hgw (answers no pings) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
lose isp forward "ip daddr $G2"
cause "nothing gets there" router_silent "^the way to the router: $G2 answers neither requests nor a ping" "$name" 80
keep isp
rmmod natf_router
cause "nobody there knows NAT-f" router_silent "^the way to the router: $G2 answers neither" "$name" 80
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
repaired
