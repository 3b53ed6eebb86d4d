#!/bin/bash
# stock: yes
# An echo id is mapped like a port: the outside pings an inside host through a router that drops everything
# nobody asked for, with the rule that everybody has, "ct state established,related accept".
#
#   en (raw sockets, ping) ─── isp ─── wan hgw (masquerade, policy drop) lan ─┬─ alice
#                                                                             └─ bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
write hgw natf_router/act "add bob 192.168.0.11 allow"
request() { "$1" python3 "$NATF_TESTS/lib/request.py" protocol=1 s="$2" d="$2" tell=all "${@:3}" | sed 's/ epoch.*//'; }
# answered HOST ID [SIZE]: how many of three pings to the router with this id are, with data of this size
answered() { "$1" ping -q -c 3 -i 0.2 -W 1 -e "$2" -s "${3:-100}" -p a5 $G2 | sed -nE 's/.* ([0-9]+) received.*/\1/p'; }
mapped() { echo "code 0 mapped $G2:$1 lifetime 30 $2"; }

is "control: nobody answers a ping from outside" "$(answered en 777)" 0
hgw conntrack -F 2>/dev/null
capture wan hgw wan icmp
capture lan hgw lan icmp or arp
is "an id is mapped" "$(request en 777)" "$(mapped 777 new)"
is "the router expects pings with it" \
    "$(hgw conntrack -L expect 2>/dev/null | grep -c 'proto=1 src=198.51.100.2 dst=203.0.113.2 ')" 1
is "and they are answered" "$(answered en 777)" 3
matches "bob gets another" "$(request en 777 name=bob)" "^code 0 mapped $G2:[0-9]+ lifetime 30 new$"
other=$(request en 777 name=bob | sed -E 's/.*:([0-9]+) .*/\1/')
differs "since that one is taken" "$other" 777
is "his answers come, too" "$(answered en "$other")" 3
is "another outside host may have the same" "$(request web 777)" "$(mapped 777 new)"
is "and gets its answers" "$(answered web 777)" 3
is "pings without data" "$(request en 778) $(answered en 778 0)" "$(mapped 778 new) 3"
is "pings with little" "$(request en 779) $(answered en 779 15)" "$(mapped 779 new) 3"
is "pings in fragments" "$(request en 780) $(answered en 780 4000)" "$(mapped 780 new) 3"
is "an id that nobody asked for is of no use" "$(answered web "$other")" 0
capture_end wan
capture_end lan

is "alice was pinged with the id of the application, by both" \
    "$(count_packets lan "icmp[icmptype] == icmp-echo and dst 192.168.0.10 and icmp[4:2] == 777")" 6
is "and bob" "$(count_packets lan "icmp[icmptype] == icmp-echo and dst 192.168.0.11 and icmp[4:2] == 777")" 3
seen() { count_packets lan "icmp[icmptype] == icmp-echo and icmp[4:2] == $1 and icmp[8:4] == 0xa5a5a5a5 and icmp[20:2] == 0xa5a5"; }
is "their data is what was sent" "$(seen 779)" 3
is "they saw no other ping" "$(count_packets lan "icmp[icmptype] == icmp-echo and icmp[4:2] == 777")" 9
is "no pseudo-packet left" "$(count_packets wan "icmp[icmptype] == icmp-echo and src $G2")" 0
is "the firewall met nothing invalid" "$(nft_counter hgw filter invalid)" 0
