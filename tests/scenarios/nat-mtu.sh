#!/bin/bash
# An uplink with the MTU of PPPoE: big transfers come whole both ways, with path-MTU discovery as well as with
# each kind of rule that clamps the MSS, although the rule of iptables adds an option to the pseudo-SYN.
#
#   en ─── isp ── MTU 1492 ── hgw (masquerade; no clamp, nft, iptables) ─── alice (nginx :80, UDP :5000, TCP :7000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
ip -n isp link set hgw mtu 1492
ip -n hgw link set wan mtu 1492
strict_filter hgw
name_server
web_server alice
udp_echo alice 5000
head -c 3M /dev/urandom >"$WORK/web.alice/file"
sum=$(sha256sum <"$WORK/web.alice/file")
natf_on

upload() { # the file from en to alice
    background alice.nc alice nc -l -N 7000
    wait_for listening alice tcp 7000
    en timeout 20 nc -N alice.home.example.net 7000 <"$WORK/web.alice/file" || return
    wait "${PID[alice.nc]}" || return
    [ "$(sha256sum <"$WORK/alice.nc.log")" = "$sum" ]
}
text=$(head -c 1400 /dev/zero | tr '\0' x) # with a head of its own the answer fits the wire, but not the uplink
# The path's MTU, once learnt, also goes into the MSS that a host tells the next peer (Linux 7.3).
forget_mtu() {
    en ip route flush cache
    alice ip route flush cache
}
round() { # round NAME
    forget_mtu
    capture "$1" isp en
    capture "$1.wan" isp hgw "host $EN"
    capture "$1.inside" alice eth0 icmp
    is "$1: a download is whole" "$(fetch en http://alice.home.example.net/file | sha256sum)" "$sum"
    forget_mtu
    ok "$1: an upload, too" upload
    is "$1: a datagram that just fits, and its answer" \
        "$(ask_udp en alice.home.example.net 5000 "$text")" "alice heard $text from $EN"
    capture_end "$1"
    capture_end "$1.wan"
    capture_end "$1.inside"
    is "$1: no pseudo-packet left" "$(count_packets "$1.wan" "$PSEUDO")" 0
    is "$1: one request each" "$(count_packets "$1" 'icmp[icmptype] == icmp-echo')" 3
}
clamped() { # clamped NAME: nobody had to be told
    is "$1: both sides use the smaller segments" \
        "$(packets "$1" 'tcp[tcpflags] & tcp-syn != 0 and src '$G2 | grep -c 'mss 1452')" 2
    is "$1: no packet was too big on the way in" "$(count_packets "$1" 'icmp[icmptype] == icmp-unreach')" 0
    is "$1: nor on the way out" "$(count_packets "$1.inside" 'icmp[icmptype] == icmp-unreach')" 0
}

round none
ok "none: control: packets were too big on the way in" \
    test "$(count_packets none 'icmp[icmptype] == icmp-unreach')" -gt 0
ok "none: control: and on the way out" \
    test "$(count_packets none.inside 'icmp[icmptype] == icmp-unreach')" -gt 0

hgw nft -f - <<'RULES'
table ip clamp {
    chain forward {
        type filter hook forward priority mangle;
        tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
    }
}
RULES
round nft
clamped nft
hgw nft delete table ip clamp

for kind in nft legacy; do
    hgw iptables-$kind -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
    round iptables-$kind
    clamped iptables-$kind
    differs "iptables-$kind: control: the rule met packets" "$(hgw iptables-$kind -t mangle -L FORWARD -nvx |
        awk '/TCPMSS/ { print $1 }')" 0
    hgw iptables-$kind -t mangle -F FORWARD
done
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
