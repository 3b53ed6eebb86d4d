#!/bin/bash
# natfctl trace names rarer things that are wrong with a name, and ends at the virtual address.
#
#   en (natfctl) ─── isp (BIND) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

{
    echo "six.home AAAA 2001:db8::1"
    echo "*.full A $G2"
} >"$WORK/more"
ZONE=$WORK/more trace_network cname
write en natf_en/domains "add full.example.net"

cause "the router's own name" is_router 'is the name of the router itself' home.example.net 80
cause "a name that is not there" no_such_name "^the resolver: the DNS has no name .*$NAMESERVER says NXDOMAIN" \
    nosuch.home.example.net 80
cause "a name with an IPv6 address only" no_address '^the resolver: .* has no IPv4 address' six.home.example.net 80

echo "$G2 $name" >/etc/netns/en/hosts
touch /etc/hosts
cause "the answer is from a file" unseen "^this host: the resolver says $G2 .*did not see .*/etc/hosts" "$name" 80
echo "240.0.9.9 $name" >/etc/netns/en/hosts
cause "the address is an old one" stale_address '^the resolver: .*240.0.9.9 .*out of date: natf_en knows no name' "$name" 80
rm /etc/netns/en/hosts
write en natf_en/dns_ports 5353
cause "the answer is from a port that nobody looks at" unseen 'looks at answers from port 5353 only' "$name" 80
write en natf_en/dns_ports 53
repaired

colliding_names 257 full.example.net >"$WORK/names"
en dig +short "@$NAMESERVER" -f <(head -n 256 "$WORK/names") >"$WORK/answers"
cause "no address is left" pool_full '^this host: natf_en had no virtual address left' "$(tail -n 1 "$WORK/names")" 80
repaired
