#!/bin/bash
# A host with two uplinks and a routing rule for each source address: the flow and its request leave
# with the source address, and by the uplink, that the route to the virtual address or the application
# says, and strict reverse-path filters let all of it pass.
#
#   en eth0 198.51.100.2 ─── en  isp ─── hgw (masquerade) ─── alice (nginx, UDP echo)
#      eth1 198.51.100.6 ─── en2 (BIND)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

EN2=198.51.100.6
topology
link en eth1 $EN2/30 isp en2 198.51.100.5/30
ip -n en rule add from $EN lookup 101
ip -n en route add default via 198.51.100.1 table 101
ip -n en rule add from $EN2 lookup 102
ip -n en route add default via 198.51.100.5 table 102
for interface in all eth0 eth1; do
    en sysctl -qw "net.ipv4.conf.$interface.rp_filter=1"
done
for interface in all en en2; do
    isp sysctl -qw "net.ipv4.conf.$interface.rp_filter=1"
done
name_server
web_server alice
udp_echo alice 5000
natf_on
write en natf_en/early off

page() { fetch en http://alice.home.example.net/ "$@"; }
seen() { tail -n 1 "$WORK/alice.access" | cut -d' ' -f1; }
# on_the_way TEXT ADDRESS LINK OTHER: what was captured is of this address and on this link alone
on_the_way() {
    capture_end en
    capture_end en2
    is "$1: one request, by the right link" "$(count_packets "$3" 'icmp[icmptype] == icmp-echo')" 1
    is "$1: with the right source" "$(count_packets "$3" "icmp[icmptype] == icmp-echo and src $2")" 1
    is "$1: all data by the right link" "$(count_packets "$4" "host $G2")" 0
    is "$1: nothing sent twice" "$(repeated_segments "$3")" ""
}
captures() {
    capture en isp en "host $G2"
    capture en2 isp en2 "host $G2"
}

captures
is "by the default route: the page comes" "$(page)" "this is alice"
is "from the first address" "$(seen)" $EN
on_the_way "default route" $EN en en2

captures
is "the application takes the second address: the page comes" "$(page --interface $EN2)" "this is alice"
is "from the second address" "$(seen)" $EN2
on_the_way "second address" $EN2 en2 en

ip -n en rule del from $EN2 lookup 102
not_ok "control: without the rule the filters stop that" page --interface $EN2 --max-time 2
ip -n en rule add from $EN2 lookup 102
# The refusal of that moment is remembered for its port alone.

# Routing by a mark, or by the device that the application asks for: the request goes the same way.
ip -n en route add default via 198.51.100.5 metric 200
marked() { en ping -n -W 2 "$@" alice.home.example.net; }
ip -n en rule add fwmark 7 lookup 102
captures
matches "a marked ping is answered" "$(marked -c 1 -e 21 -m 7)" ' 0% packet loss'
capture_end en
capture_end en2
is "mark: all of it by the second link" "$(count_packets en "host $G2")" 0
is "mark: request and ping" "$(count_packets en2 "icmp[icmptype] == icmp-echo and src $EN2")" 2
captures
matches "a ping bound to a device is answered" "$(marked -c 1 -e 22 -I eth1)" ' 0% packet loss'
capture_end en
capture_end en2
is "device: all of it by the second link" "$(count_packets en "host $G2")" 0
is "device: request and ping" "$(count_packets en2 "icmp[icmptype] == icmp-echo and src $EN2")" 2
ip -n en rule del fwmark 7 lookup 102

ip -n en route add 240.0.0.0/8 via 198.51.100.5
captures
is "the route to the virtual addresses goes over the second link: the page comes" "$(page)" "this is alice"
is "from the second address" "$(seen)" $EN2
on_the_way "second link" $EN2 en2 en
is "UDP, too" "$(ask_udp en alice.home.example.net 5000 hello)" "alice heard hello from $EN2"
