#!/bin/bash
# Names that the table gives an address which is no inside host: the router itself, a broadcast address, an
# address outside, one without a route. Each is answered NO_HOST; no packet goes there, no entry is made. Those
# that no host can ever have are not taken into the table.
#
#   en (raw sockets) ─── isp ─── wan hgw lan ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
matches "control: a host is mapped" "$(request)" "^code 0 "
hgw conntrack -F 2>/dev/null

for address in 0.0.0.0 127.0.0.1 224.0.0.1 255.255.255.255 240.0.0.1; do
    not_ok "$address is not taken" write hgw natf_router/act "add never $address allow"
done
before=$(stat_of hgw natf_router no_host)
capture lan hgw lan
capture wan hgw wan ip and not icmp
# address, and what it is
while read -r address what; do
    write hgw natf_router/act "add other $address allow"
    for protocol in 6 17 1; do
        is "$what: protocol $protocol" "$(request name=other protocol=$protocol s=7 d=7)" \
            "code 3 mapped 0.0.0.0:0 lifetime 0"
    done
    write hgw natf_router/act "del other"
done <<ADDRESSES
192.168.0.1 the router, inside
$G2 the router, outside
192.168.0.255 the broadcast address inside
203.0.113.3 the broadcast address outside
$WEB a host outside
$EN the client itself
203.0.113.1 the neighbour outside
ADDRESSES
ip -n hgw route add unreachable 10.0.0.0/8
ip -n hgw route add blackhole 10.1.0.0/16
for address in 10.2.3.4 10.1.2.3; do
    write hgw natf_router/act "add other $address allow"
    is "$address has no route" "$(request name=other)" "code 3 mapped 0.0.0.0:0 lifetime 0"
    write hgw natf_router/act "del other"
done
is "all were counted" "$(stat_of hgw natf_router no_host)" $((before + 23))
capture_end lan
capture_end wan
is "nothing went inside" "$(count_packets lan ip)" 0
is "nothing but the answers went outside" "$(count_packets wan)" 0
is "no entry was made" "$(connections | grep -c "dst=$EN" || true)" 0
