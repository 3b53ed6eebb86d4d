#!/bin/bash
# The hosts may be anywhere inside: on a bridge, on a VLAN of a port, on a VLAN of a bridge that filters them,
# or behind another router; with and without bridged packets passing the firewall. A VLAN that its owner lets
# not out has no mappings. The reverse-path filter is strict on every interface.
#
#                                       ┌ lan        alice 192.168.0.10        port of a bridge
#   en ─── isp ─── hgw (masquerade) ────┼ trunk.10   dora  10.10.0.2           tagged on the port
#                                       ├ vbr.20     emil  10.20.0.2           untagged on a port of VLAN 20
#                                       ├ vbr.30     fay   10.30.0.2           tagged, not let out
#                                       └ lan, bob   gus   10.40.0.2           behind bob, who routes
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
for host in dora emil fay gus; do
    namespace $host
done

link hgw trunk - dora eth0 -
ip -n hgw link add link trunk name trunk.10 type vlan id 10
ip -n hgw address add 10.10.0.1/24 dev trunk.10
ip -n hgw link set trunk.10 up
ip -n dora link add link eth0 name eth0.10 type vlan id 10
ip -n dora address add 10.10.0.2/24 dev eth0.10
ip -n dora link set eth0.10 up
ip -n dora route add default via 10.10.0.1

ip -n hgw link add vbr type bridge vlan_filtering 1 vlan_default_pvid 0
ip -n hgw link set vbr up
for vlan in 20 30; do
    hgw bridge vlan add dev vbr vid $vlan self
    ip -n hgw link add link vbr name vbr.$vlan type vlan id $vlan
    ip -n hgw address add 10.$vlan.0.1/24 dev vbr.$vlan
    ip -n hgw link set vbr.$vlan up
done
link hgw to-emil - emil eth0 10.20.0.2/24
ip -n hgw link set to-emil master vbr
hgw bridge vlan add dev to-emil vid 20 pvid untagged
ip -n emil route add default via 10.20.0.1
link hgw to-fay - fay eth0 -
ip -n hgw link set to-fay master vbr
hgw bridge vlan add dev to-fay vid 30
ip -n fay link add link eth0 name eth0.30 type vlan id 30
ip -n fay address add 10.30.0.2/24 dev eth0.30
ip -n fay link set eth0.30 up
ip -n fay route add default via 10.30.0.1

link bob eth1 10.40.0.1/24 gus eth0 10.40.0.2/24
bob sysctl -qw net.ipv4.ip_forward=1
ip -n gus route add default via 10.40.0.1
ip -n hgw route add 10.40.0.0/24 via 192.168.0.11

hgw nft insert rule inet filter forward iifname '{ "trunk.10", "vbr.20" }' oifname wan accept
strict_filter hgw
name_server
web_server web
for host in alice dora emil fay gus; do
    web_server $host
    udp_echo $host 5000
done
gets_out() { fetch "$1" "http://$WEB/" --connect-timeout 1; }
for host in alice dora emil gus; do
    is "control: $host gets out" "$(gets_out $host)" "this is web"
done
not_ok "control: fay does not" gets_out fay

natf_on
write hgw natf_router/act "add dora 10.10.0.2 allow"
write hgw natf_router/act "add emil 10.20.0.2 allow"
write hgw natf_router/act "add fay 10.30.0.2 allow"
write hgw natf_router/act "add gus 10.40.0.2 allow"
owners_state hgw >"$WORK/before"
port=42000
round() { # round TEXT
    local host
    port=$((port + 1))
    capture wan isp hgw
    is "$1: all at once, TCP and UDP" "$(served $port alice dora emil gus)" ""
    timed connect en fay.home.example.net 80
    matches "$1: the one who is not let out is not let in" "$(cat "$WORK/timed")" 'No route to host'
    capture_end wan
    is "$1: no pseudo-packet left" "$(count_packets wan "$PSEUDO")" 0
    is "$1: nothing sent twice" "$(repeated_segments wan)" ""
}
round "bridges and VLANs"
is "her router said why" "$(stat_of hgw natf_router forbidden)" 1
is "rules and settings are what they were" "$(owners_state hgw | diff "$WORK/before" -)" ""

if modprobe br_netfilter 2>/dev/null; then
    is "control: bridged packets pass the firewall" "$(hgw sysctl -n net.bridge.bridge-nf-call-iptables)" 1
    round "the same through the firewall"
else
    note "this kernel has no br_netfilter"
fi
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
