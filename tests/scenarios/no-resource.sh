#!/bin/bash
# A NAT that has no port left, or no entry: the answer says so (NO_RESOURCE), and is another than where a rule
# of the owner stopped the pseudo-packet (FORBIDDEN). When there is room again mappings are made again.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
none="code 4 mapped 0.0.0.0:0 lifetime 0"
forbidden="code 2 mapped 0.0.0.0:0 lifetime 0"
count() { stat_of hgw natf_router "$1"; }
entries() { connections | grep -c "dst=$EN" || true; }

hgw nft flush chain ip nat postrouting
hgw nft add rule ip nat postrouting oifname wan meta l4proto '{ tcp, udp }' snat to $G2:2000-2001
for protocol in 6 17; do
    request protocol=$protocol d=81 >/dev/null
    matches "protocol $protocol: the last port" "$(request protocol=$protocol d=82)" "^code 0 mapped $G2:200[01] "
    is "no port is left" "$(request protocol=$protocol d=83)" "$none"
    matches "for another flow of the client there is" "$(request protocol=$protocol d=83 s=40001)" "^code 0 "
    matches "what is there is there" "$(request protocol=$protocol d=81)" "^code 0 mapped $G2:200[01] "
done
is "both were counted" "$(count no_resource)" 2
is "nothing is left of the attempts" "$(entries)" 6
hgw conntrack -D -p tcp --orig-port-src 81 >"$WORK/output" 2>&1
matches "a port is free again" "$(request d=83)" "^code 0 mapped $G2:200[01] "

# Entries of the kind that conntrack does not drop for others.
hgw conntrack -F 2>/dev/null
for port in 1 2; do
    hgw conntrack -I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport $port --dport 1 --state ESTABLISHED -t 600 \
        -u ASSURED,SEEN_REPLY >"$WORK/output" 2>&1
done
max=$(sysctl -n net.netfilter.nf_conntrack_max)
sysctl -qw net.netfilter.nf_conntrack_max=2
is "conntrack is full: TCP" "$(request)" "$none"
is "UDP" "$(request protocol=17)" "$none"
is "echo" "$(request protocol=1 s=7 d=7)" "$none"
is "all were counted" "$(count no_resource)" 5
sysctl -qw net.netfilter.nf_conntrack_max="$max"
matches "with room again" "$(request)" "^code 0 "

is "nothing was forbidden so far" "$(count forbidden)" 0
hgw nft insert rule inet filter forward ip saddr 192.168.0.10 udp sport 7 drop
is "control: what a rule drops is forbidden" "$(request protocol=17 d=7)" "$forbidden"
waiting() { show hgw natf_router/tables | awk '/^pending/ { print $2 }'; }
is "no pseudo-packet is waited for, of those that were dropped" "$(waiting)" 0
hgw nft flush ruleset
is "without a NAT there is no mapping" "$(request d=99)" "$none"
