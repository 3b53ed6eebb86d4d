#!/bin/bash
# natfctl trace names what is wrong with a name, from the module to the virtual address.
#
#   en (natfctl) ─── isp (BIND) ─── hgw (masquerade) ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

name=alice.home.example.net
topology
{
    echo "six.home AAAA 2001:db8::1"
    echo "*.full A $G2"
} >"$WORK/more"
ZONE=$WORK/more name_server cname
web_server alice
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"

cause "no module" not_loaded '^this host: natf_en is not loaded' $name 80
insmod_en
cause "no domains" no_domain '^this host: no domain fits .*natf_en has no domains' $name 80
write en natf_en/domains "add full.example.net"
cause "another domain" no_domain 'the domains of natf_en are full.example.net' $name 80
write en natf_en/domains "add home.example.net"
cause "the router's own name" is_router 'is the name of the router itself' home.example.net 80
all_right "control" $name 80

cause "a name that is not there" no_such_name "^the resolver: the DNS has no name .*$NAMESERVER says NXDOMAIN" \
    nosuch.home.example.net 80
cause "a name with an IPv6 address only" no_address '^the resolver: .* has no IPv4 address' six.home.example.net 80
conf=/etc/netns/en/resolv.conf
cp $conf "$WORK/resolv.conf"
echo "options timeout:1 attempts:1" >>$conf
lose isp input "udp dport 53"
cause "the resolver is silent" resolver_silent "^the resolver: no DNS server answers .*$NAMESERVER: no answer" $name 80
keep isp
end isp.named
cause "no resolver is there" resolver_silent "no DNS server answers .*$NAMESERVER: Connection refused" $name 80
: >$conf
cause "none is named" no_resolver '^this host: /etc/resolv.conf names no DNS server' $name 80
cp "$WORK/resolv.conf" $conf
ZONE=$WORK/more name_server cname

echo "$G2 $name" >/etc/netns/en/hosts
touch /etc/hosts
cause "the answer is from a file" unseen "^this host: the resolver says $G2 .*did not see .*/etc/hosts" $name 80
echo "240.0.9.9 $name" >/etc/netns/en/hosts
cause "the address is an old one" stale_address '^the resolver: .*240.0.9.9 .*out of date: natf_en knows no name' $name 80
rm /etc/netns/en/hosts
write en natf_en/dns_ports 5353
cause "the answer is from a port that nobody looks at" unseen 'looks at answers from port 5353 only' $name 80
write en natf_en/dns_ports 53

colliding_names 257 full.example.net >"$WORK/names"
en dig +short "@$NAMESERVER" -f <(head -n 256 "$WORK/names") >"$WORK/answers"
cause "no address is left" pool_full '^this host: natf_en had no virtual address left' "$(tail -n 1 "$WORK/names")" 80

ip -n en route del default
ip -n en route add 203.0.113.0/24 via 198.51.100.1
cause "no route to virtual addresses" no_route '^this host: this host has no route for the virtual address 240' $name 80
ip -n en route add 240.0.0.0/8 dev lo
all_right "with one" $name 80
