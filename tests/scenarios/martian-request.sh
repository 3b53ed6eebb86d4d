#!/bin/bash
# stock: yes
# A mapping request whose source is no address that a client can have (the router's own, a broadcast, a
# multicast address, one of the inside) is not answered, makes no mapping, and delivers nothing to a
# server on the router, although the pseudo-packet would go there.
#
#   isp (raw sockets) ─── wan hgw (UDP server :7000, open to its LAN) lan ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
# The neighbour of the router asks: nobody on the way drops a strange source.
request() { isp python3 "$NATF_TESTS/lib/request.py" s=7000 d=5000 "$@"; }
reverse_path() { hgw sysctl -qw "net.ipv4.conf.all.rp_filter=$1" "net.ipv4.conf.wan.rp_filter=$1"; }
background server hgw socat -u UDP4-RECV:7000 "CREATE:$WORK/server"
wait_for listening hgw udp 7000
got() { [ "$(stat -c %s "$WORK/server")" -ge "$1" ]; }
counters() { show hgw natf_router/stats | grep -v '^denied '; }  # request.py has one denied each time

alice bash -c 'echo hello >/dev/udp/192.168.0.1/7000'
ok "control: the server takes what comes from the LAN" wait_for got 6
is "control: a request from a proper address is answered" \
    "$(request protocol=17)" 'code 0 mapped 203.0.113.2:5000 lifetime 30'
is "control: and makes a mapping" "$(connections -p udp | grep -c 'sport=5000 dport=7000')" 1
hgw conntrack -F 2>/dev/null

before=$(counters)
capture wan hgw wan outbound and not arp
capture lan hgw lan outbound and not arp
refused() { # refused SOURCE REMARK
    is "from $1, $2: silence for UDP" "$(request "from=$1" protocol=17)" silence
    is "from $1, $2: silence for TCP" "$(request "from=$1")" silence
}
reverse_path 0
refused "$G2" "the router's address there"
refused 192.168.0.1 "the router's address inside"
refused 127.0.0.1 "loopback"
refused 255.255.255.255 "broadcast"
refused 224.0.0.1 "multicast"
reverse_path 1
refused 203.0.113.3 "broadcast there"
refused 192.168.0.255 "broadcast inside"
refused 192.168.0.10 "the host that is asked for"
refused 192.168.0.11 "another inside"
is "the module took none of them for a request" "$(counters)" "$before"
is "a proper address still gets its answer" \
    "$(request)" 'code 0 mapped 203.0.113.2:5000 lifetime 432000'
alice bash -c 'echo world >/dev/udp/192.168.0.1/7000'
ok "the server goes on" wait_for got 12
capture_end wan
capture_end lan

is "it heard nothing in between" "$(cat "$WORK/server")" $'hello\nworld'
is "nobody but the neighbour got an answer" "$(count_packets wan not dst 203.0.113.1)" 0
is "no pseudo-packet went out either" "$(count_packets wan not icmp)" 0
is "nothing was sent to the LAN" "$(count_packets lan)" 0
is "one mapping is in the router's table" "$(connections | grep -c 'port=5000')" 1
