#!/bin/bash
# The table follows leases: a host that gets its address by DHCP is in it, denied; a rule allows it, and it is reached
# from outside; where its address changes, the entry goes with it, and a lease that is given back ends the entry.
#
#   en (curl) ─── isp (BIND) ─── hgw (dnsmasq, natfctl act follow) ─── media (systemd-networkd, nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server web

# One more host of the LAN, without an address.
namespace media
link media eth0 - hgw to-media -
ip -n hgw link set to-media master lan

insmod_en
insmod_router
write en natf_en/domains "add home.example.net"
write hgw natf_router/act "add bob 192.168.0.11 allow tcp 22"
leases=$WORK/leases
rules=$WORK/rules.toml
act() { show hgw natf_router/act | grep media || true; }
is_in() { [ "$(act)" = "add media-box 192.168.0.$1 $2 comment \"discovered by dnsmasq\"" ]; }
gone() { [ -z "$(act)" ]; }
page() { fetch en http://media-box.home.example.net/ "$@"; }

dhcp_server() { # dhcp_server LAST-BYTE: the address that media-box gets
    background hgw.dnsmasq hgw dnsmasq -k --port=0 --pid-file --user=root --interface=lan --bind-interfaces \
        --dhcp-range=192.168.0.100,192.168.0.200,1h --dhcp-host="media-box,192.168.0.$1" \
        --dhcp-authoritative --dhcp-leasefile="$leases"
    wait_for listening hgw udp 67
}

has() { ip -n media -4 address show dev eth0 | grep -q "192.168.0.$1/24"; }

dhcp_server 110
dhcp_client media Media-Box
ok "the host gets an address by DHCP" wait_for has 110
wait_for grep -qi media-box "$leases"
web_server media

ok "it is proposed, denied" grep -qx 'add media-box 192.168.0.110 deny comment "discovered by dnsmasq"' \
    <(hgw natfctl act discover --from "dnsmasq=$leases" --rules /dev/null)
is "which changes nothing" "$(act)" ""

: >"$rules"
background hgw.follow hgw natfctl act follow --from "dnsmasq=$leases" --rules "$rules" --interval 0.2
ok "the service puts it in, denied" wait_for is_in 110 deny
not_ok "nobody reaches it" page --max-time 3
echo '"media-*" = "allow tcp 80"' >"$rules"
ok "a rule allows it" wait_for is_in 110 "allow tcp 80"
is "and it is reached" "$(page)" "this is media"

# The router gives it another address when it asks anew.
end media.networkd
end hgw.dnsmasq
ip -n media address flush dev eth0
rm -f "$leases"
dhcp_server 120
dhcp_client media Media-Box
ok "it gets another address" wait_for has 120
ok "the entry follows" wait_for is_in 120 "allow tcp 80"
is "and it is reached there" "$(page)" "this is media"

# The lease is given back.
mac=$(ip -n media -json link show dev eth0 | jq -r '.[0].address')
end hgw.dnsmasq
sed -i "/$mac/d" "$leases"
ok "without a lease there is no entry" wait_for gone
is "that by hand stays" "$(show hgw natf_router/act)" "add bob 192.168.0.11 allow tcp 22"
