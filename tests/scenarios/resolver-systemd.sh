#!/bin/bash
# stock: yes
# systemd-resolved on the endpoint, with its stub on 127.0.0.53. Applications that ask the stub get the
# virtual address.
#
#   en (curl, dig → 127.0.0.53 resolved) ─── isp (BIND) ─── hgw (masquerade) ─── alice, bob (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/resolvers.sh
. "$NATF_TESTS/lib/resolvers.sh"

resolver_topology
# What systemd would do before its start.
mkdir -p /etc/systemd/resolved.conf.d /run/systemd/netif/links
install -d -o systemd-resolve -g systemd-resolve /run/systemd/resolve
cat >/etc/systemd/resolved.conf.d/scenario.conf <<CONF
[Resolve]
DNS=$NAMESERVER
FallbackDNS=
Domains=~.
LLMNR=no
MulticastDNS=no
CONF
background en.resolved en /usr/lib/systemd/systemd-resolved
wait_for en dig +short +time=1 +tries=1 @127.0.0.53 web.example.net
resolver_works 127.0.0.53
