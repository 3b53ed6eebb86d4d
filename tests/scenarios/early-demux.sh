#!/bin/bash
# stock: yes
# Packets from a mapped address reach their socket, whether the kernel looks for it before the route or not, and in
# both cases the firewall of the endpoint sees them as they are on the wire.
#
#   en (curl, UDP; an input rule for the router's address) ─── isp ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
udp_echo alice 5000
natf_on
en nft -f - <<RULES
table ip seen {
    counter wire {}
    counter virtual {}
    counter owned {}
    chain input {
        type filter hook input priority 0;
        ip saddr $G2 meta l4proto { tcp, udp } counter name wire
        ip saddr 240.0.0.0/8 counter name virtual
        ip saddr $G2 meta skuid 0 counter name owned
    }
}
RULES
seen() { en nft reset counter ip seen "$1" | sed -n 's/.*packets \([0-9]*\) .*/\1/p'; }
page() { fetch en http://alice.home.example.net/; }

for on in 1 0; do
    en sysctl -qw net.ipv4.ip_early_demux=$on
    is "early demultiplexing $on: the page comes" "$(page)" "this is alice"
    is "early demultiplexing $on: UDP, too" "$(ask_udp en alice.home.example.net 5000 hello)" "alice heard hello from $EN"
    ok "early demultiplexing $on: the firewall sees the router's address" test "$(seen wire)" -gt 4
    is "early demultiplexing $on: and no virtual one" "$(seen virtual)" 0
    owned=$(seen owned)
    is "early demultiplexing $on: packets have their socket by then" "$((owned > 0))" $on
done

# The firewall decides about packets that have their socket already.
en sysctl -qw net.ipv4.ip_early_demux=1
en nft insert rule ip seen input ip saddr $G2 tcp sport 80 drop
not_ok "what the firewall drops does not arrive" fetch en http://alice.home.example.net/ --max-time 2
