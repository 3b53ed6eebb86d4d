#!/bin/bash
# Hosts that say their names themselves: the router asks its neighbours by multicast DNS, and proposes what they say,
# denied; a host that knows no multicast DNS is left out, and what an entry by hand says stays.
#
#   hgw (natfctl act discover) ─── alice (systemd-resolved, multicast DNS), bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add bob 192.168.0.11 allow tcp 22"

mkdir -p /etc/systemd/resolved.conf.d /run/systemd/netif/links
install -d -o systemd-resolve -g systemd-resolve /run/systemd/resolve
cat >/etc/systemd/resolved.conf.d/scenario.conf <<'CONF'
[Resolve]
FallbackDNS=
LLMNR=no
MulticastDNS=yes
DNSStubListener=no
CONF
hostname Alice-PC
background alice.resolved alice sh -c 'mount -o remount,bind,ro /sys && exec /usr/lib/systemd/systemd-resolved'
wait_for listening alice udp 5353

# The kernel knows a neighbour that it has spoken to.
discover() { hgw natfctl act discover --from mdns --interface lan --rules /dev/null "$@"; }
is "control: who is no neighbour is not asked" "$(discover --wait 0.5)" ""
hgw ping -qc 1 192.168.0.10 >"$WORK/ping"
hgw ping -qc 1 192.168.0.11 >"$WORK/ping"
alice_found() { discover --wait 1 | grep -qx 'add alice-pc 192.168.0.10 deny comment "discovered by mdns"'; }
ok "a neighbour says its name" wait_for alice_found
ok "it is put in" discover --apply --wait 1
is "beside what is made by hand" "$(show hgw natf_router/act)" 'add bob 192.168.0.11 allow tcp 22
add alice-pc 192.168.0.10 deny comment "discovered by mdns"'
