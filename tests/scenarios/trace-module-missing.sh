#!/bin/bash
# natfctl trace says so where natf_en is not loaded.
#
#   en (natfctl, no natf_en) ─── isp (BIND) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
rmmod natf_en
cause "no module" not_loaded '^this host: natf_en is not loaded' "$name" 80
insmod_en
write en natf_en/domains "add home.example.net"
repaired
