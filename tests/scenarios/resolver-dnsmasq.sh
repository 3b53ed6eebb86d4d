#!/bin/bash
# stock: yes
# A dnsmasq on the endpoint forwards to the name server, with its protection against rebinding.
# Applications that ask dnsmasq get the virtual address.
#
#   en (curl, dig → 127.0.0.1 dnsmasq) ─── isp (BIND) ─── hgw (masquerade) ─── alice, bob (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/resolvers.sh
. "$NATF_TESTS/lib/resolvers.sh"

resolver_topology
# The addresses of this small world are those of documentation, which dnsmasq takes for private ones.
background en.dnsmasq en dnsmasq -k --pid-file --no-resolv --server="$NAMESERVER" \
    --listen-address=127.0.0.1 --bind-interfaces --stop-dns-rebind --rebind-domain-ok=example.net
wait_for listening en udp 53
resolver_works 127.0.0.1

end en.dnsmasq
background en.dnsmasq en dnsmasq -k --pid-file --no-resolv --server="$NAMESERVER" \
    --listen-address=127.0.0.1 --bind-interfaces --stop-dns-rebind
wait_for listening en udp 53
is "control: rebinding is noticed, a private address is no answer" \
    "$(en dig +short @127.0.0.1 web.example.net)" ""
matches "a virtual address is none" "$(en dig +short @127.0.0.1 alice.home.example.net)" '^240\.'
