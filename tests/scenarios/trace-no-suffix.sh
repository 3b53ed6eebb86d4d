#!/bin/bash
# natfctl trace says so where no domain of natf_en fits the name.
#
#   en (natfctl) ─── isp (BIND) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
write en natf_en/domains flush
cause "no domains" no_domain '^this host: no domain fits .*natf_en has no domains' "$name" 80
write en natf_en/domains "add office.example.net"
cause "another domain" no_domain 'the domains of natf_en are office.example.net' "$name" 80
write en natf_en/domains "add home.example.net"
repaired
