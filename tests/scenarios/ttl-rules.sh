#!/bin/bash
# stock: yes
# A router that sets the TTL of what it forwards: the pseudo-packet is known all the same, and does not
# get out.
#
#   en ─── isp (captured here) ─── hgw (TTL := 64) ─── alice (nginx :80, socat UDP 5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
udp_echo alice 5000
natf_on

mangled() { hgw nft list chain ip mangle "$1" | sed -n 's/.*packets \([0-9]*\) .*/\1/p'; }
nft_rule() { # nft_rule HOOK
    hgw nft -f - <<RULES
table ip mangle {
    chain $1 {
        type filter hook $1 priority mangle;
        ip ttl set 64 counter
    }
}
RULES
}

# works RULES: a page and a datagram, from ports of their own, with nothing else on the wire
port=41000
works() {
    port=$((port + 1))
    capture "$1" isp hgw
    is "$1: the page comes" "$(fetch en http://alice.home.example.net/)" "this is alice"
    is "$1: the datagram, too" \
        "$(ask_udp en alice.home.example.net 5000 hello $port)" "alice heard hello from $EN"
    capture_end "$1"
    is "$1: no pseudo-SYN on the wire" "$(count_packets "$1" "src $G2 and tcp[tcpflags] == tcp-syn")" 0
    is "$1: no pseudo-datagram, one true one" "$(count_packets "$1" "src $G2 and udp")" 1
    is "$1: one request each" "$(count_packets "$1" 'icmp[icmptype] == icmp-echo')" 2
}

for hook in forward postrouting; do
    nft_rule $hook
    works "nft in $hook"
    within "nft in $hook: control: the rule met packets" "$(mangled $hook)" 2 1000
    hgw nft delete table ip mangle
done

if hgw iptables -t mangle -A FORWARD -j TTL --ttl-set 64 2>/dev/null; then
    hgw iptables -t mangle -A POSTROUTING -j TTL --ttl-set 64
    works "iptables"
    differs "iptables: control: the rule met packets" \
        "$(hgw iptables -t mangle -L POSTROUTING -nvx | awk '/TTL set/ { print $1 }')" 0
else
    note "this kernel has no TTL target of iptables"
fi
is "the router caught every pseudo-packet" \
    "$(stat_of hgw natf_router mapped)" "$(stat_of en natf_en mapped)"
is "and refused none" "$(stat_of hgw natf_router forbidden)" 0
