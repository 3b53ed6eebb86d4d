#!/bin/bash
# stock: yes
# Encryption is left to what does it well: a WireGuard peer behind the NAT is reached by its name and its port, with
# nothing on its router but the entry of the table. What passes in the tunnel is not seen on the way.
#
#   en (wg0 10.9.0.1) ─── isp ─── hgw (alice: udp 51820) ─── alice (wg0 10.9.0.2, nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

command -v wg >/dev/null || skip_all "no wireguard-tools"
topology
ip -n en link add wg0 type wireguard 2>/dev/null || skip_all "this kernel has no WireGuard"
ip -n alice link add wg0 type wireguard
name_server
insmod_en
insmod_router
write en natf_en/domains "add home.example.net"
write hgw natf_router/act "add alice 192.168.0.10 allow udp 51820"
web_server alice

for host in en alice; do
    (umask 077 && wg genkey >"$WORK/$host.key")
    wg pubkey <"$WORK/$host.key" >"$WORK/$host.pub"
done
ip -n en address add 10.9.0.1/24 dev wg0
ip -n alice address add 10.9.0.2/24 dev wg0
alice wg set wg0 listen-port 51820 private-key "$WORK/alice.key" \
    peer "$(cat "$WORK/en.pub")" allowed-ips 10.9.0.1/32
ip -n alice link set wg0 up
endpoint() { # endpoint ADDRESS
    en wg set wg0 private-key "$WORK/en.key" peer "$(cat "$WORK/alice.pub")" allowed-ips 10.9.0.2/32 endpoint "$1:51820"
    ip -n en link set wg0 up
}
endpoint $G2
not_ok "control: the router's address leads nowhere" en curl -sS --max-time 2 http://10.9.0.2/
capture wire isp en -s 0 "host $G2"
endpoint alice.home.example.net
is "by her name, through the tunnel" "$(en curl -sS --max-time 20 http://10.9.0.2/)" "this is alice"
matches "the peer is a virtual address" "$(en wg show wg0 endpoints)" '240\.[0-9.]+:51820$'
is "her side sees the true one" "$(alice wg show wg0 endpoints | cut -f2 | cut -d: -f1)" $EN
capture_end wire
is "on the way nobody reads it" "$(tcpdump -A -r "$WORK/wire.pcap" 2>/dev/null | grep -c 'this is alice')" 0
differs "control: the way saw the tunnel" "$(count_packets wire udp)" 0
