#!/bin/bash
# natfctl trace says so where the access control table of the router does not allow it.
#
#   en (natfctl) ─── isp (BIND) ─── hgw (denies) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
write hgw natf_router/act "add alice 192.168.0.10 deny"
cause "an entry that denies" denied "^the router: $G2 denies TCP port 80 of alice" "$name" 80
write hgw natf_router/act "del alice"
cause "no entry" denied "$G2 denies .* or has no alice" "$name" 80
write hgw natf_router/act "add alice 192.168.0.10 allow tcp 22"
cause "another port" denied "$G2 denies TCP port 80 of alice" "$name" 80
write hgw natf_router/act "add alice 192.168.0.10 allow tcp 80"
repaired
