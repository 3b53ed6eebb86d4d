#!/bin/bash
# stock: yes
# limit: 120
# The source NAT of the router may be written in any way that people write it, with nft, iptables-nft or
# iptables-legacy: two hosts behind it are reached on the same port at the same time, from the same port of
# the client, where the rule says, and no pseudo-packet leaves. The reverse-path filter is strict on every
# interface, invalid packets are dropped, and the rules and settings stay as they are.
#
#   en :s ─── isp (captured here) ─── hgw (the rule of the round) ─┬ alice :80, UDP :5000
#                   203.0.113.2, 203.0.113.128/28 are routed there └ bob   :80, UDP :5000
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
ip -n isp route add 203.0.113.128/28 via $G2
strict_filter hgw
hgw nft add table inet path
hgw nft 'add chain inet path in { type filter hook prerouting priority raw; }'
hgw nft add rule inet path in fib saddr . iif oif missing counter drop
name_server
web_server alice
web_server bob
web_server web
udp_echo alice 5000
udp_echo bob 5000
hgw nft delete table ip nat

differs "control: without the modules nothing comes" "$(served 41999 alice)" ""
natf_on
capture wan isp hgw

# Addresses, as regular expressions.
pool='203\.0\.113\.1(2[89]|3[01])'
home='203\.0\.113\.2'
one='203\.0\.113\.130'
port=42000
# works STYLE ADDRESSES PORTS: PORTS is LOW-HIGH, "kept", or "random". MAPPED gets the rows of the table.
works() {
    local style=$1 addresses=$2 ports=$3 wrong
    port=$((port + 1))
    # The kernel gives a host's port the outside port that it had before, while that lives.
    hgw conntrack -F 2>/dev/null
    SEEN=$(fetch alice "http://$WEB/who")
    matches "$style: control: alice gets out by the rule" "$SEEN" "^$addresses$"
    is "$style: alice and bob at once, TCP and UDP" "$(served $port alice bob)" ""
    MAPPED=$(show en natf_en/vat | grep " $EN:$port ")
    # protocol, own, virtual, mapped, host, idle
    wrong=$(awk -v addresses="^$addresses$" -v ports="$ports" '
        {
            split($4, to, ":"); split($3, asked, ":"); split(ports, range, "-")
            if (to[1] !~ addresses || ($1, $4) in seen) print
            if (ports ~ /-/ && (to[2] < range[1] + 0 || to[2] > range[2] + 0)) print
            if ($5 == "alice" && to[2] == asked[2]) kept++
            seen[$1, $4]
        }
        END {
            if (NR != 4) print NR " flows"
            if (ports == "kept" && kept != 2 || ports == "random" && kept == 2) print kept + 0 " ports kept"
        }' <<<"$MAPPED")
    is "$style: mapped as the rule says" "$wrong" ""
    # Nothing else may have been on the wire.
    awk '{ split($2, own, ":"); sub(":", ".", $4); print $1, $4, own[2] }' <<<"$MAPPED" >>"$WORK/mapped"
}
same_outside() { # same_outside STYLE: whatever the destination
    is "$1: alice has one outside address" \
        "$(awk '$5 == "alice" { sub(":.*", "", $4); print $4 }' <<<"$MAPPED" | sort -u)" "$SEEN"
}

rule_nft() { # rule_nft RULE [FAMILY]: what follows "oifname wan"
    hgw nft -f - <<RULES
add table ${2:-ip} nat
delete table ${2:-ip} nat
table ${2:-ip} nat {
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "wan" $1
    }
}
RULES
}
works_nft() { # works_nft RULE ADDRESSES PORTS
    rule_nft "$1"
    works "nft $1" "$2" "$3"
}
all='203.0.113.128-203.0.113.131'
works_nft 'masquerade' "$home" kept
works_nft 'masquerade random' "$home" random
works_nft 'masquerade fully-random' "$home" random
works_nft 'masquerade persistent' "$home" kept
works_nft 'meta l4proto { tcp, udp } masquerade to :20000-20999' "$home" 20000-20999
works_nft 'snat to 203.0.113.130' "$one" kept
works_nft "snat to $all" "$pool" kept
works_nft "snat to $all random" "$pool" random
works_nft "snat to $all fully-random" "$pool" random
works_nft "snat to $all persistent" "$pool" kept
same_outside "nft persistent"
works_nft "meta l4proto { tcp, udp } snat to $all:30000-30099" "$pool" 30000-30099
works_nft "meta l4proto { tcp, udp } snat to $all:30000-30099 fully-random,persistent" "$pool" 30000-30099
same_outside "nft fully-random,persistent"
works_nft 'snat to ip saddr map { 192.168.0.10 : 203.0.113.130, 192.168.0.11 : 203.0.113.131 }' "$pool" kept
works_nft 'snat ip prefix to ip saddr map { 192.168.0.0/28 : 203.0.113.128/28 }' '203\.0\.113\.13[89]' kept
hgw nft delete table ip nat
rule_nft 'masquerade' inet
works "nft masquerade in a table of inet" "$home" kept
hgw nft delete table inet nat

works_iptables() { # works_iptables KIND TARGET ADDRESSES PORTS: a rule for each protocol
    local protocol
    hgw "iptables-$1" -t nat -F POSTROUTING
    for protocol in tcp udp; do
        # shellcheck disable=SC2086 # the target is several words
        hgw "iptables-$1" -t nat -A POSTROUTING -o wan -p $protocol -j $2
    done
    works "iptables-$1 $2" "$3" "$4"
}
for kind in nft legacy; do
    works_iptables $kind 'MASQUERADE' "$home" kept
    works_iptables $kind 'MASQUERADE --random' "$home" random
    works_iptables $kind 'MASQUERADE --random-fully' "$home" random
    works_iptables $kind 'MASQUERADE --to-ports 20000-20999' "$home" 20000-20999
    works_iptables $kind 'SNAT --to-source 203.0.113.130' "$one" kept
    works_iptables $kind "SNAT --to-source $all" "$pool" kept
    works_iptables $kind "SNAT --to-source $all --random" "$pool" random
    works_iptables $kind "SNAT --to-source $all --random-fully" "$pool" random
    works_iptables $kind "SNAT --to-source $all --persistent" "$pool" kept
    same_outside "iptables-$kind --persistent"
    works_iptables $kind "SNAT --to-source $all:30000-30099" "$pool" 30000-30099
    [ $kind != nft ] || hgw nft delete table ip nat
done
owners_state hgw >"$WORK/before"
is "a client by name, and nothing but its name" "$(fetch en http://alice.home.example.net/)" "this is alice"
is "rules and settings are what they were" "$(owners_state hgw | diff "$WORK/before" -)" ""
capture_end wan

is "no pseudo-packet left" "$(count_packets wan "$PSEUDO")" 0
is "all that went to en's ports came from where they were mapped" "$(
    packets wan "dst $EN and (tcp or udp) and dst portrange 42000-$port" | sed -nE \
        's/.* proto (TCP|UDP) .*\) ([0-9.]+) > [0-9.]+\.([0-9]+): .*/\L\1 \2 \3/p' | sort -u |
        diff - <(sort -u "$WORK/mapped") || true
)" ""
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
is "each flow was mapped once" "$(stat_of hgw natf_router mapped)" $((4 * (port - 42000) + 1))
is "and none was refused" "$(show hgw natf_router/stats | awk '$1 !~ /^(mapped|early_delivered)$/ && $2 > 0')" ""
