#!/bin/bash
# natfctl trace says so where the NAT of a carrier, or another one, is before the router or before this host.
#
#   en (natfctl) ─── isp (BIND, translates) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

{
    echo "carrier.home A 100.64.3.2"
    echo "inner.home A 192.168.7.2"
} >"$WORK/more"
ZONE=$WORK/more trace_network
cause "the router has an address of a carrier's NAT" router_behind_nat \
    "^the way to the router: the DNS says 100.64.3.2 of the router, an address of a carrier" carrier.home.example.net 80
cause "a private one" router_behind_nat '192.168.7.2 of the router, a private address' inner.home.example.net 80
on_the_way nat postrouting srcnat "ip saddr $EN oifname hgw masquerade"
cause "a NAT before this host" nat_before_endpoint "^the way to the router: this host is behind a NAT: $EN asked" "$name" 80
way_free
repaired
