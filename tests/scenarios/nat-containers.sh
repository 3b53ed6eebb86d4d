#!/bin/bash
# stock: yes
# A container host is the router of its containers, with the rules that Docker makes, in iptables-nft or
# iptables-legacy: containers are reached by name on any port, without being published; what is published
# works as before and at the same time; a network that Docker isolates stays so.
#
#   en ─── isp (captured here) ─── hgw (Docker's rules) ─┬ docker0  c1 172.17.0.2 :80, also published on :8080
#                                                        │          c2 172.17.0.3 :80
#                                                        └ br-inner c3 172.18.0.2 :80  (docker network --internal)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
hgw nft flush ruleset
ip -n hgw link add docker0 type bridge
ip -n hgw address add 172.17.0.1/16 dev docker0
ip -n hgw link set docker0 up
ip -n hgw link add br-inner type bridge
ip -n hgw address add 172.18.0.1/16 dev br-inner
ip -n hgw link set br-inner up
container() { # container NAME BRIDGE NETWORK LAST-BYTE
    namespace "$1"
    link "$1" eth0 "$3.$4/16" hgw "veth-$1" -
    ip -n hgw link set "veth-$1" master "$2"
    ip -n "$1" route add default via "$3.1"
}
container c1 docker0 172.17.0 2
container c2 docker0 172.17.0 3
container c3 br-inner 172.18.0 2

# What "docker run -p 8080:80" leaves on a host of its own, of version 28.
cat >"$WORK/docker" <<'RULES'
*raw
:PREROUTING ACCEPT
-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
COMMIT
*filter
:INPUT ACCEPT
:FORWARD DROP
:DOCKER -
:DOCKER-BRIDGE -
:DOCKER-CT -
:DOCKER-FORWARD -
:DOCKER-ISOLATION-STAGE-1 -
:DOCKER-ISOLATION-STAGE-2 -
:DOCKER-USER -
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-FORWARD -i br-inner -o br-inner -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 ! -s 172.18.0.0/16 -o br-inner -j DROP
-A DOCKER-ISOLATION-STAGE-1 ! -d 172.18.0.0/16 -i br-inner -j DROP
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
COMMIT
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
RULES
name_server
web_server web
for host in c1 c2 c3; do
    web_server $host
    udp_echo $host 5000
done
natf_on
write hgw natf_router/act "add c1 172.17.0.2 allow"
write hgw natf_router/act "add c2 172.17.0.3 allow"
write hgw natf_router/act "add c3 172.18.0.2 allow"
if modprobe br_netfilter 2>/dev/null; then note "bridged packets pass the firewall, too"; fi

port=42000
for kind in nft legacy; do
    hgw iptables-$kind-restore "$WORK/docker"
    hgw conntrack -F 2>/dev/null
    owners_state hgw >"$WORK/before"
    port=$((port + 1))
    is "$kind: control: a container gets out" "$(fetch c1 "http://$WEB/")" "this is web"
    is "$kind: control: what is published can be had" "$(fetch en "http://$G2:8080/")" "this is c1"
    not_ok "$kind: control: what is not cannot" fetch en http://172.17.0.3/ --connect-timeout 1
    capture wan isp hgw "host $EN"
    is "$kind: the containers by name, all at once, TCP and UDP" "$(served $port c1 c2)" ""
    is "$kind: by name and published, over one client" "$(
        fetch en http://c2.home.example.net/ "http://$G2:8080/" http://c1.home.example.net/ | paste -sd,
    )" "this is c1,this is c1,this is c2"
    timed connect en c3.home.example.net 80
    matches "$kind: an isolated one cannot be had" "$(cat "$WORK/timed")" 'No route to host'
    capture_end wan
    is "$kind: no pseudo-packet left" "$(count_packets wan "$PSEUDO")" 0
    is "$kind: nothing sent twice" "$(repeated_segments wan)" ""
    is "$kind: rules and settings are what they were" "$(owners_state hgw | diff "$WORK/before" -)" ""
    for table in raw filter nat; do
        hgw iptables-$kind -t $table -F
        hgw iptables-$kind -t $table -X
    done
    hgw iptables-$kind -P FORWARD ACCEPT
done
is "the router said why the isolated one is none" "$(stat_of hgw natf_router forbidden)" 2
