#!/bin/bash
# A router with two uplinks, both translated. Which one a host inside uses is the owner's routing: the main
# table, a rule for its address, or a connection mark. Requests may come in on either address; the mapping is
# on the uplink that the host uses, and the answer leaves by the address that was asked. The reverse-path
# filter is strict on every interface.
#
#                 ┌ hgw  ─── wan  203.0.113.2 ┐       ┌ alice: main table, so wan
#   en ─── isp ───┤          default          │ hgw ──┼ bob:   rule for his address, so wan2
#                 └ hgw2 ─── wan2 203.0.113.6 ┘       └ carol: mark, so wan2
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

SECOND=203.0.113.6
topology
link isp hgw2 203.0.113.5/30 hgw wan2 $SECOND/30
ip -n hgw route add default via 203.0.113.5 table 102
ip -n hgw route add 192.168.0.0/24 dev lan table 102
ip -n hgw rule add from $SECOND lookup 102
ip -n hgw rule add from 192.168.0.11 lookup 102
ip -n hgw rule add fwmark 2 lookup 102
hgw sysctl -qw net.ipv4.conf.all.src_valid_mark=1
strict_filter hgw
strict_filter isp
hgw nft -f - <<'RULES'
add rule ip nat postrouting oifname "wan2" masquerade
add rule inet filter forward iifname "lan" oifname "wan2" accept
table ip uplinks {
    chain prerouting {
        type filter hook prerouting priority mangle;
        ct state new iifname "lan" ip saddr 192.168.0.12 ct mark set 2
        meta mark set ct mark
    }
    chain output {
        type route hook output priority mangle;
        meta mark set ct mark
    }
}
RULES
printf '%s 60 A %s\n' alice.second $SECOND bob.second $SECOND carol.second $SECOND >"$WORK/more"
ZONE=$WORK/more name_server
for host in alice bob carol; do
    web_server $host
    udp_echo $host 5000
done
web_server web
natf_on
write hgw natf_router/act "add carol 192.168.0.12 allow"
write en natf_en/domains "add second.example.net"
owners_state hgw >"$WORK/before"

# uses HOST ADDRESS: its connections outwards
uses() {
    is "control: $1 gets out from $2" "$(fetch "$1" "http://$WEB/who")" "$2"
}
uses alice $G2
uses bob $SECOND
uses carol $SECOND

# reached HOST DOMAIN ASKED MAPPED: by the name whose address is ASKED
reached() {
    local name=$1.$2.example.net
    capture first isp hgw "host $EN"
    capture second isp hgw2 "host $EN"
    is "$name: the page comes" "$(fetch en "http://$name/")" "this is $1"
    is "$name: UDP, too" "$(ask_udp en "$name" 5000 hello)" "$1 heard hello from $EN"
    capture_end first
    capture_end second
    local asked=first mapped=first
    [ "$3" = $G2 ] || asked=second
    [ "$4" = $G2 ] || mapped=second
    is "$name: the requests came to $3" "$(count_packets $asked "icmp[icmptype] == icmp-echo and dst $3")" 2
    is "$name: and were answered there" "$(count_packets $asked "icmp[icmptype] == icmp-echoreply and src $3")" 2
    is "$name: the mappings are of $4" \
        "$(show en natf_en/vat | awk '{ split($4, to, ":"); print to[1] }' | sort -u)" "$4"
    is "$name: the data went there and came from there" \
        "$(count_packets first "(tcp or udp) and not host $4")$(count_packets second "(tcp or udp) and not host $4")" 00
    ok "$name: over that link" test "$(count_packets $mapped "tcp and host $4")" -gt 0
    is "$name: no pseudo-packet left" "$(count_packets first "$PSEUDO")$(count_packets second "$PSEUDO")" 00
    is "$name: nothing sent twice" "$(repeated_segments $mapped)" ""
}
clear() { # so that the table of flows shows one round only
    rmmod natf_en
    insmod_en
    write en natf_en/domains "add home.example.net"
    write en natf_en/domains "add second.example.net"
}
round() { reached "$@"; clear; }
round alice home $G2 $G2
round alice second $SECOND $G2
round bob home $G2 $SECOND
round bob second $SECOND $SECOND
round carol home $G2 $SECOND
round carol second $SECOND $SECOND
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
is "rules and settings are what they were" "$(owners_state hgw | diff "$WORK/before" -)" ""
