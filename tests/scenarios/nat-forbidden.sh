#!/bin/bash
# What the owner of the router forbids a host inside to send is not to be had by a request either: each rule
# that stops the host's own packets stops its pseudo-packet, the client hears FORBIDDEN at once, nothing leaves
# and nothing is left behind.
#
#   en (raw sockets) ─── isp (captured here) ─── hgw (a rule a round) ─┬ alice, whom the rule concerns
#                                                                      └ bob, whom it does not
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
write hgw natf_router/act "add bob 192.168.0.11 allow"
hgw nft add table ip user
capture wan isp hgw
port=42000
request() { # request NAME PROTOCOL: the code of the answer
    en python3 "$NATF_TESTS/lib/request.py" "name=$1" "protocol=$2" s=$port | cut -d' ' -f1,2
}
concerns() { # concerns TEXT CODE: what alice's requests get, of flows that were not asked for before
    port=$((port + 1))
    is "$1: TCP to alice" "$(request alice 6)" "code $2"
    is "$1: UDP to alice" "$(request alice 17)" "code $2"
    is "$1: control: TCP to bob" "$(request bob 6)" "code 0"
}
forbids() { # forbids HOOK PRIORITY RULE [CODE]
    hgw nft -f - <<RULES
table ip user {
    chain user {
        type filter hook $1 priority $2;
        $3
    }
}
RULES
    concerns "$1 $2: $3" "${4:-2}"
    hgw nft delete chain ip user user
}

concerns "control: no such rule" 0
forbids forward filter 'ip saddr 192.168.0.10 drop'
forbids forward filter 'iifname lan oifname wan ip saddr 192.168.0.10 reject'
forbids forward filter "ip saddr 192.168.0.10 ip daddr $EN reject with icmp admin-prohibited"
forbids forward filter 'ip saddr 192.168.0.10 meta l4proto tcp reject with tcp reset; ip saddr 192.168.0.10 drop'
forbids forward filter 'ct original saddr 192.168.0.10 ct state new drop'
forbids prerouting raw 'ip saddr 192.168.0.10 drop'
forbids prerouting mangle 'ip saddr 192.168.0.10 drop'
forbids postrouting mangle 'ip saddr 192.168.0.10 drop'
# After source NAT the host is known by what its packets were.
forbids postrouting 300 'ct original saddr 192.168.0.10 drop'
for kind in nft legacy; do
    for target in DROP REJECT 'REJECT --reject-with icmp-admin-prohibited'; do
        # shellcheck disable=SC2086 # the target is several words
        hgw iptables-$kind -A FORWARD -s 192.168.0.10 -o wan -j $target
        concerns "iptables-$kind: $target" 2
        hgw iptables-$kind -F FORWARD
    done
done
# No rule forbids these, but there is no mapping: an untracked packet is not translated, and from a host
# that the owner does not translate it is no use to anybody.
forbids prerouting raw 'ip saddr 192.168.0.10 notrack' 4
capture_end wan

is "no pseudo-packet left" "$(count_packets wan "$PSEUDO")" 0
is "nor anything else but answers" "$(count_packets wan "ip src $G2 and not icmp[icmptype] == icmp-echoreply")" 0

entries() { connections -p tcp | grep -c "src=$1 "; }
is "alice has the mapping of the control alone" "$(entries 192.168.0.10)" 1
is "control: bob has his" "$(entries 192.168.0.11)" $((port - 42000))
