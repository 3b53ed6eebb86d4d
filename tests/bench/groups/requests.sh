#!/bin/bash
# guest: uml
# limit: 300
# How many requests a second: over one connection, of 64 bytes each way; and with a connection for each.
#
#   en (natf-load) ─── isp ─── hgw ─── alice (natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

LOAD_SECONDS=0.5
CONNECTIONS=2000
CONTENDERS=(direct forward natf dnat ipip wireguard pcp)
# Each has a port of its own: en keeps those of closed connections for a minute. (Behind a tunnel it has another address.)
declare -A PORT=([direct]=5400 [forward]=5401 [natf]=5402 [dnat]=5403 [ipip]=5404 [wireguard]=5405 [pcp]=5405)

say chart requests requests/s Requests and responses over one connection
say row requests "64 bytes each way"
say goal requests natf/forward least 0.98 "Requests over one connection"
say chart connections connections/s Connections with one request each, one after the other
say row connections "opened, used, closed"

quiet_topology

measure() {
    local name value
    {
        natf-load requests en alice "$TARGET" "${PORT[$1]}" 64 $LOAD_SECONDS
        natf-load reconnect en alice "$TARGET" "${PORT[$1]}" $CONNECTIONS
    } >"$WORK/rates"
    while read -r name value; do
        say figure "$name" "$1" "$value"
    done <"$WORK/rates"
}
one() { with "$1" measure "$1"; }
rounds one "${CONTENDERS[@]}"
