#!/bin/bash
# stock: yes
# A validating unbound on the endpoint, as Debian configures it, asks the name server for the zone.
# Applications that ask unbound get the virtual address.
#
#   en (curl, dig → 127.0.0.1 unbound) ─── isp (BIND) ─── hgw (masquerade) ─── alice, bob (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/resolvers.sh
. "$NATF_TESTS/lib/resolvers.sh"

resolver_topology
# There is no signed root in this small world, so the zone has no chain of trust. Nor is there IPv6.
cat >/etc/unbound/unbound.conf.d/zone.conf <<CONF
server:
    interface: 127.0.0.1
    domain-insecure: "example.net"
stub-zone:
    name: "example.net"
    stub-addr: $NAMESERVER
CONF
# As the service does before its start.
/usr/libexec/unbound-helper root_trust_anchor_update
background en.unbound en unbound -d -p
wait_for listening en udp 53
resolver_works 127.0.0.1
