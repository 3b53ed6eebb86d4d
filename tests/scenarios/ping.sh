#!/bin/bash
# stock: yes
# ping goes to a host behind the NAT like everything else: its identifier takes the place of the ports.
#
#   en ─── isp ─── hgw (masquerade; lets in what is established or related) ─── alice, bob, carol (denied)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
ping_of() { # ping_of HOST [ping options]
    local host=$1
    shift
    en ping -n -i 0.2 -W 2 "$@" "$host"
}
not_ok "control: without the modules the router lets no ping in" ping_of alice.home.example.net -c 1
natf_on
write en natf_en/early off
virtual=$(address_of alice.home.example.net)
capture wire isp en icmp
capture inside alice eth0 icmp
timed ping_of alice.home.example.net -c 5
is "five pings" "$STATUS" 0
matches "all are answered" "$(cat "$WORK/timed")" '5 packets transmitted, 5 received, 0% packet loss'
matches "from the virtual address" "$(cat "$WORK/timed")" "from ${virtual//./\\.}: icmp_seq=5 ttl=62"
capture_end inside
capture_end wire
is "alice heard five, from en" "$(count_packets inside "icmp[icmptype] == icmp-echo and src $EN")" 5
is "no pseudo-packet was on the wire, nor a virtual address" \
    "$(packets wire | grep -cE '240\.|192\.168' || true)" 0
is "control: en sent five and a request" "$(count_packets wire "icmp[icmptype] == icmp-echo and src $EN")" 6
matches "big ones in fragments, too" "$(ping_of alice.home.example.net -c 2 -s 4000)" ' 0% packet loss'

# Two at a time, with the same identifier, to two hosts of one router.
background one en ping -n -i 0.2 -c 5 -e 7 alice.home.example.net
background two en ping -n -i 0.2 -c 5 -e 7 bob.home.example.net
both() { grep -q '5 received' "$WORK/one.log" && grep -q '5 received' "$WORK/two.log"; }
ok "two hosts with one identifier are told apart" wait_for both
timed ping_of carol.home.example.net -c 1
matches "who is denied is told" "$(cat "$WORK/timed")" 'No route to host|Packet filtered|prohibited|Unreachable'
within "at once" "$TOOK" 0 1500
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0

# The router forgets ICMP soon; the next ping asks again, and none is lost.
hgw sysctl -qw net.netfilter.nf_conntrack_icmp_timeout=1
matches "pings with pauses longer than the router's time-out" \
    "$(en ping -n -i 2.5 -W 2 -c 3 -e 11 alice.home.example.net)" '3 received, 0% packet loss'
