#!/bin/bash
# What a request carries is delivered once, and only if it is a first packet of the request's own flow; anything else
# is ignored, and the mapping made all the same.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
write hgw natf_router/keys "add office $key"
write hgw natf_router/act "add alice 192.168.0.10 allow"
write hgw natf_router/act "add kept 192.168.0.10 allow key office"
capture in alice eth0 'tcp dst port 80 or udp dst port 80 or icmp[icmptype] == icmp-echo'
# Nobody takes them, and what alice answers is no matter.
en nft 'table ip own { chain in { type filter hook input priority filter; ip protocol != icmp drop; }; }'
alice nft 'table ip own { chain out { type filter hook output priority filter; drop; }; }'
request() { en python3 "$NATF_TESTS/lib/request.py" tell=all "$@" | sed -E 's/ lifetime.* (kept|new)/ \1/; s/ epoch.*//'; }
of_router() { stat_of hgw natf_router "early_$1"; }
heard() { captured in | cut -d' ' -f1; }
port=41000
kinds=("6 syn" "17 datagram" "1 echo")
for kind in "${kinds[@]}"; do
    read -r protocol early <<<"$kind"
    port=$((port + 1))
    is "$early: delivered" "$(request protocol="$protocol" early="$early" s=$port nonce=$port)" \
        "code 0 mapped $G2:$([ "$protocol" = 1 ] && echo $port || echo 80) new delivered"
    is "$early: the same again: said to be, and not done twice" "$(request protocol="$protocol" early="$early" s=$port nonce=$port)" \
        "code 0 mapped $G2:$([ "$protocol" = 1 ] && echo $port || echo 80) kept delivered"
    is "$early: nor without the packet" "$(request protocol="$protocol" s=$port nonce=$port)" \
        "code 0 mapped $G2:$([ "$protocol" = 1 ] && echo $port || echo 80) kept delivered"
done
is "alice heard each once" "$(heard) $(of_router delivered) $(of_router again)" "3 3 6"
matches "which the router remembers" "$(show hgw natf_router/tables)" $'\ndelivered [1-3] 65536 '
is "a new nonce is a new packet" "$(request protocol=17 early=datagram s=41002 nonce=7)" "code 0 mapped $G2:80 kept delivered"
is "in many small pieces" "$(request protocol=17 early=datagram pieces=1 s=41009)" "code 0 mapped $G2:80 new delivered"
hgw conntrack -F 2>/dev/null
is "the mapping is lost, the packet is not delivered anew" "$(request protocol=17 early=datagram s=41002 nonce=41002)" \
    "code 0 mapped $G2:80 new delivered"
is "alice heard two more" "$(heard) $(of_router delivered)" "5 5"

signed() { request name=kept key="$key" early=syn s=42000 "$@"; }
now=$(($(date +%s) * 1000))
matches "signed: delivered" "$(signed nonce=1 time=$now)" ' new delivered'
matches "signed: altered, it is nobody's" "$(signed nonce=2 mac=wrong)" '^code 9 '
matches "signed: heard and sent again" "$(signed nonce=1 time=$now)" ' kept delivered'
is "alice heard one more" "$(heard)" 6

wrong() { # wrong ARGUMENT…: it is mapped, and nothing delivered
    local before
    port=$((port + 1))
    before=$(of_router wrong)
    matches "ignored: $*" "$(request s=$port "$@")" '^code 0 mapped [0-9.:]+ new$'
    is "ignored: $*: counted" "$(of_router wrong)" $((before + 1))
}
for kind in "${kinds[@]}"; do
    read -r protocol early <<<"$kind"
    for inner in s:1 sum:wrong cut:1 cut:7; do
        wrong protocol="$protocol" early="$early" inner=$inner
    done
done
for kind in "${kinds[@]:0:2}"; do
    read -r protocol early <<<"$kind"
    for inner in d:81 to:192.168.0.10 "to:$EN"; do
        wrong protocol="$protocol" early="$early" inner="$inner"
    done
done
for flags in 0 16 18 3 6 7 1 4; do wrong protocol=6 early=syn inner=flags:$flags; done
for inner in offset:4 offset:6 offset:15; do wrong protocol=6 early=syn inner=$inner; done
for inner in len:13 len:15 len:0 len:65535 more:1; do wrong protocol=17 early=datagram inner=$inner; done
wrong protocol=1 early=echo inner=type:0
wrong protocol=1 early=echo inner=type:3
# The router would have to take it, and whatever is in that one, and so on.
asked=$(stat_of hgw natf_router mapped)
wrong protocol=1 early=request
is "and not taken for a request" "$(stat_of hgw natf_router mapped)" $((asked + 1))
wrong protocol=17 early=syn
wrong protocol=6 early=datagram
wrong protocol=17 early=echo
wrong protocol=17 option=5:
wrong protocol=17 option=5:00
malformed=$(stat_of hgw natf_router malformed)
is "two packets" "$(request protocol=17 early=datagram option=6:00 option=5:00)" silence
is "one that is cut off" "$(request protocol=17 early=datagram cut=60)" silence
is "both are malformed" "$(stat_of hgw natf_router malformed)" $((malformed + 2))
is "somebody else's address" "$(request en=192.0.2.1 protocol=17 early=datagram)" "code 6 mapped 0.0.0.0:0 new"
is "a packet that would die here dies here" "$(request protocol=17 early=datagram s=43000 ttl=2)" "code 0 mapped $G2:80 new delivered"
capture_end in
is "of all these alice heard none" "$(count_packets in)" 6
is "the firewall met nothing invalid" "$(nft_counter hgw filter invalid)" 0
