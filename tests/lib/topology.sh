# shellcheck shell=bash
# The network of the scenarios: one namespace per host, joined by veth pairs.
#
#   en                    isp                          hgw                      alice .10
#   198.51.100.2 ─ eth0 ─ .1  203.0.113.1 ─ wan ─ 203.0.113.2   192.168.0.1 ─ lan ┬ bob   .11
#                         name server, router          masquerade, firewall      └ carol .12
#                         203.0.113.65 ─ eth0 ─ web 203.0.113.66: a host with neither NAT nor NAT-f
#
# Interfaces: every host has eth0; isp has en, hgw, web; hgw has wan and the bridge lan.
#
# second_home adds another one, with the same private addresses: isp 203.0.113.9 ─ wan hgw2 .10 ─ lan ─ dan 192.168.0.10

EN=198.51.100.2
G2=203.0.113.2
WEB=203.0.113.66
NAMESERVER=198.51.100.1
HGW2=203.0.113.10
export EN G2 WEB NAMESERVER HGW2

# in NAMESPACE CMD…
in_ns() { ip netns exec "$@"; }
en() { ip netns exec en "$@"; }
isp() { ip netns exec isp "$@"; }
hgw() { ip netns exec hgw "$@"; }
hgw2() { ip netns exec hgw2 "$@"; }
web() { ip netns exec web "$@"; }
alice() { ip netns exec alice "$@"; }
bob() { ip netns exec bob "$@"; }
carol() { ip netns exec carol "$@"; }
dan() { ip netns exec dan "$@"; }

namespace() {
    ip netns add "$1"
    ip -n "$1" link set lo up
    # No neighbour discovery between the packets that count. A kernel without IPv6 has none anyway.
    in_ns "$1" sh -c 'echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/default/disable_ipv6' 2>/dev/null || true
    # TCP sends its last segment again when its acknowledgment is delayed (a tail loss probe, after some milliseconds).
    # Without these, what is sent twice was lost.
    in_ns "$1" sysctl -qw net.ipv4.tcp_early_retrans=0
}

# link NS IF ADDRESS NS IF ADDRESS; "-" for no address
link() {
    ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
    [ "$3" = - ] || ip -n "$1" address add "$3" dev "$2"
    [ "$6" = - ] || ip -n "$4" address add "$6" dev "$5"
    ip -n "$1" link set "$2" up
    ip -n "$4" link set "$5" up
}

# home_host NAME LAST-BYTE: one more host on hgw's LAN
home_host() {
    namespace "$1"
    link "$1" eth0 "192.168.0.$2/24" hgw "to-$1" -
    ip -n hgw link set "to-$1" master lan
    ip -n "$1" route add default via 192.168.0.1
}

topology() {
    local host
    for host in en isp hgw web; do
        namespace "$host"
    done
    link en eth0 $EN/30 isp en 198.51.100.1/30
    link isp hgw 203.0.113.1/30 hgw wan $G2/30
    link isp web 203.0.113.65/30 web eth0 $WEB/30
    ip -n en route add default via 198.51.100.1
    ip -n hgw route add default via 203.0.113.1
    ip -n web route add default via 203.0.113.65
    ip -n hgw link add lan type bridge
    ip -n hgw address add 192.168.0.1/24 dev lan
    ip -n hgw link set lan up
    isp sysctl -qw net.ipv4.ip_forward=1
    hgw sysctl -qw net.ipv4.ip_forward=1
    home_host alice 10
    home_host bob 11
    home_host carol 12
    firewall
    # A Debian root may have none, or a link to a daemon's; "ip netns exec" binds the host's own over it.
    rm -f /etc/resolv.conf
    : >/etc/resolv.conf
    asks_isp en
}

second_home() {
    namespace hgw2
    namespace dan
    link isp hgw2 203.0.113.9/30 hgw2 wan $HGW2/30
    link hgw2 lan 192.168.0.1/24 dan eth0 192.168.0.10/24
    ip -n hgw2 route add default via 203.0.113.9
    ip -n dan route add default via 192.168.0.1
    hgw2 sysctl -qw net.ipv4.ip_forward=1
    firewall hgw2
    asks_isp hgw2 dan
}

# asks_isp NAMESPACE…: their name server is the one in isp
asks_isp() {
    local host
    for host; do
        mkdir -p "/etc/netns/$host"
        echo "nameserver $NAMESERVER" >"/etc/netns/$host/resolv.conf"
    done
}

# firewall [NAMESPACE]: a home router (hgw) as a careful owner sets it up: masquerade outwards, and nothing that was
# not asked for comes in, not even a ping. Invalid packets are dropped, which is what makes a badly tracked
# connection visible.
firewall() {
    in_ns "${1:-hgw}" nft -f - <<'RULES'
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "wan" masquerade
    }
}
table inet filter {
    counter invalid { }
    counter unsolicited { }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state invalid counter name invalid drop
        ct state established,related accept
        iifname "lan" oifname "wan" accept
        counter name unsolicited
    }
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "lo" accept
        iifname "lan" accept
        counter name unsolicited
    }
}
RULES
}

# lose NAMESPACE input|forward MATCH…: drop what matches; keep NAMESPACE: end that
lose() {
    local ns=$1 hook=$2
    shift 2
    in_ns "$ns" nft -f - <<RULES
table ip lose {
    chain lose {
        type filter hook $hook priority filter;
        $* counter drop
    }
}
RULES
}
keep() { in_ns "$1" nft delete table ip lose; }

# nft_counter NAMESPACE TABLE NAME: packets counted so far
nft_counter() {
    in_ns "$1" nft list counter inet "$2" "$3" | sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

# delay MS: each way between en and home, on isp
delay() {
    isp tc qdisc add dev en root netem delay "$1ms"
    isp tc qdisc add dev hgw root netem delay "$1ms"
}
