#!/bin/bash
# An entry may be about some protocols, ports and sources only; a request that it is not about is denied,
# as if the name were not there.
#
#   en 198.51.100.2 (raw sockets) ─── isp ─── hgw ─── alice
#   web 203.0.113.66 (raw sockets) ────┘
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
# asked NAMESPACE KEY=VALUE…: the code of the answer
asked() { in_ns "$1" python3 "$NATF_TESTS/lib/request.py" "${@:2}" | cut -d' ' -f1,2; }
tcp=protocol=6
udp=protocol=17

write hgw natf_router/act "\
add alice 192.168.0.10 allow tcp 22,8000-8099 udp 53
add bob 192.168.0.11 allow udp
add carol 192.168.0.12 allow from 198.51.100.0/30,203.0.113.64
add dave 192.168.0.12 allow tcp 80 from 203.0.113.0/24 comment \"# not before \"
add erin 192.168.0.12 allow icmp"
is "control: one of the ports" "$(asked en name=alice $tcp d=22)" "code 0"
is "the first of a range" "$(asked en name=alice $tcp d=8000)" "code 0"
is "the last of a range" "$(asked en name=alice $tcp d=8099)" "code 0"
is "the one before" "$(asked en name=alice $tcp d=7999)" "code 1"
is "the one behind" "$(asked en name=alice $tcp d=8100)" "code 1"
is "a port of the other protocol" "$(asked en name=alice $udp d=22)" "code 1"
is "its own" "$(asked en name=alice $udp d=53)" "code 0"
is "all ports of a protocol" "$(asked en name=bob $udp d=65535)" "code 0"
is "not of another" "$(asked en name=bob $tcp d=65535)" "code 1"
is "neither is allowed where only ICMP is" "$(asked en name=erin $tcp) $(asked en name=erin $udp)" "code 1 code 1"
is "but a ping is" "$(asked en name=erin protocol=1 s=7 d=7)" "code 0"
is "which is not where ports of TCP and UDP are" "$(asked en name=alice protocol=1 s=22 d=22)" "code 1"
is "a source within the prefix" "$(asked en name=carol)" "code 0"
is "and one that is not" "$(asked web name=carol)" "code 1"
is "port and source are right" "$(asked web name=dave)" "code 0"
is "the port alone" "$(asked en name=dave)" "code 1"
is "the source alone" "$(asked web name=dave d=81)" "code 1"
is "to claim the right source does not help" "$(asked en name=dave en=203.0.113.66)" "code 6"
