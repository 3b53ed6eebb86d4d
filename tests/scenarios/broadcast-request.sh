#!/bin/bash
# A request from the broadcast address of one of the router's networks is not answered, also where the
# kernel's own source check is off (rp_filter 0): the answer would go to all hosts there.
#
#   isp (raw sockets) ─── wan hgw lan ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
request() { isp python3 "$NATF_TESTS/lib/request.py" s=7000 d=5000 "$@"; }
hgw sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.wan.rp_filter=0

is "control: a request from a proper address is answered" \
    "$(request protocol=17)" 'code 0 mapped 203.0.113.2:5000 lifetime 30'
capture wan hgw wan outbound and icmp and not dst 203.0.113.1
capture lan hgw lan outbound and icmp
for source in 203.0.113.3 203.0.113.0 192.168.0.255 192.168.0.0; do
    for protocol in 6 17; do
        is "from $source, protocol $protocol: silence" \
            "$(request "from=$source" "protocol=$protocol")" silence
    done
done
capture_end wan
capture_end lan
is "nothing was sent to the network outside" "$(count_packets wan)" 0
is "nothing was sent to the network inside" "$(count_packets lan)" 0
