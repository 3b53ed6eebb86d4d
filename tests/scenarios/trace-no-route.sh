#!/bin/bash
# natfctl trace says so where this host has no route for virtual addresses.
#
#   en (natfctl, no default route) ─── isp (BIND) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
ip -n en route del default
ip -n en route add 203.0.113.0/24 via 198.51.100.1
cause "no route" no_route '^this host: this host has no route for the virtual address 240' "$name" 80
ip -n en route add 240.0.0.0/8 dev lo
repaired
