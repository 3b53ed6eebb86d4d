#!/bin/bash
# stock: yes
# The first packets of hosts behind a router that runs natf_en travel, too: NAT first, then the request. Its conntrack
# has an entry for each, though the packet did not leave, and what answers it finds its way back.
#
#   dan 192.168.0.10 ─ lan ─ hgw2 (masquerade, firewall, natf_en) ── isp ── hgw (natf_router) ─ alice 192.168.0.10
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
second_home
# What dan asks for there does not get out.
hgw2 nft insert rule inet filter forward iifname lan tcp dport 81 drop
name_server
web_server alice
web_server web
web_server alice 81 2>/dev/null || true
udp_echo alice 5000
natf_on
write hgw2 natf_en/domains "add home.example.net"
of_en() { stat_of hgw2 natf_en "early_$1"; }
address=$(dan getent ahostsv4 alice.home.example.net | awk 'NR == 1 { print $1 }')

all() { # all NAME: TCP, UDP and ping work, and each first packet met alice once
    capture wire isp hgw2
    capture in alice eth0 'tcp[tcpflags] == tcp-syn or udp dst port 5000 or icmp[icmptype] == icmp-echo'
    is "$1: TCP" "$(fetch dan "http://$address/")" "this is alice"
    is "$1: UDP" "$(ask_udp dan "$address" 5000 hello)" "alice heard hello from $HGW2"
    matches "$1: ping" "$(dan ping -n -c 1 -W 3 "$address")" '1 received'
    capture_end in
    capture_end wire
    is "$1: alice heard each once" "$(count_packets in)" 3
    is "$1: they left in requests only" "$(count_packets wire "src $HGW2 and (tcp[tcpflags] == tcp-syn or
        udp dst port 5000 or (icmp[icmptype] == icmp-echo and icmp[8:4] != 0x4e415466))")" 0
    is "$1: nobody was told off" "$(count_packets wire "src $HGW2 and
        (icmp[icmptype] == icmp-unreach or tcp[tcpflags] & tcp-rst != 0)")" 0
}
all "control: nothing is lost"
is "so say both ends" "$(of_en delivered) $(stat_of hgw natf_router early_delivered)" "3 3"
is "dan's router tracks his connection" "$(hgw2 conntrack -L -p tcp 2>/dev/null |
    grep -c "src=192.168.0.10 dst=$address .*dport=80 .*ASSURED\|src=192.168.0.10 dst=$address .*dport=80")" 1
lose isp forward ip saddr "$G2" icmp type echo-reply @th,64,32 0x4e415466 numgen inc mod 2 == 0
all "every other reply is lost"
keep isp
is "the answers were kept" "$(of_en kept)" 3
not_ok "what dan's router does not let out does not get in" connect dan alice.home.example.net 81
is "nor travels" "$(of_en sent)" 9
is "the firewalls met nothing invalid" "$(nft_counter hgw2 filter invalid) $(nft_counter hgw filter invalid)" "0 0"
