#!/bin/bash
# natfctl trace says so where the router allows it and has no mapping to give.
#
#   en (natfctl) ─── isp (BIND) ─── hgw (masquerade) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
hgw nft flush chain ip nat postrouting
cause "there is no NAT" no_resource '^the router: the NAT of .* gave no mapping' "$name" 80
hgw nft add rule ip nat postrouting oifname wan masquerade
repaired
write hgw natf_router/act "add alice 192.168.0.10 allow max 1"
all_right "the first of at most one" "$name" 80
cause "the maximum is reached" no_resource '^the router: .*as many mappings as the table .max. or the limits allow' "$name" 80
write hgw natf_router/act "add alice 192.168.0.10 allow"
repaired
