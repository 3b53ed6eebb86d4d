#!/bin/bash
# A request in fragments is dropped and counted, whether the router's connection tracking puts it
# together or not.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"

matches "control: in one piece it is answered" "$(request)" '^code 0 '
is "in two pieces it is not" "$(request split=64)" silence
is "and counted" "$(stat_of hgw natf_router fragment)" 1
