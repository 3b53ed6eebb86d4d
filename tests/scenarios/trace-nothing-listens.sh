#!/bin/bash
# natfctl trace says so where nothing listens at the port of the inside host.
#
#   en (natfctl) ─── isp (BIND) ─── hgw ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
cause "over TCP" inside_refuses '^the inside host: alice refuses TCP port 81' "$name" 81
cause "over UDP" inside_refuses '^the inside host: alice refuses UDP port 81: .* port unreachable' "$name" 81 --udp
line_echo alice 81
repaired "$name" 81
