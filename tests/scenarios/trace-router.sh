#!/bin/bash
# natfctl trace names what is wrong with the router, or with the way there.
#
#   en (natfctl) ─── isp (BIND) ─── hgw (masquerade) ─── alice, bob (nginx :80)
#                     └── web (neither NAT nor NAT-f) = plain.home.example.net
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

name=alice.home.example.net
topology
{
    echo "plain.home A $WEB"
    echo "carrier.home A 100.64.3.2"
    echo "inner.home A 192.168.7.2"
} >"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
web_server bob
insmod_en
write en natf_en/domains "add home.example.net"

cause "nobody answers" router_silent "^the way to the router: $G2 answers neither requests nor a ping" $name 80
hgw nft insert rule inet filter input icmp type echo-request accept
cause "a router without the module" no_natf "^the router: $G2 answers ping but does not know NAT-f.*does not answer" $name 80
cause "a host without it, and the port is closed" no_natf "$WEB answers ping but .*TCP port 81 is closed" \
    plain.home.example.net 81
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
write hgw natf_router/act "add bob 192.168.0.11 allow max 1"
write hgw natf_router/act "add carol 192.168.0.12 deny"
write hgw natf_router/act "add far 10.9.9.9 allow"
all_right "control" $name 80

cause "the table denies" denied "^the router: $G2 denies TCP port 80 of carol" carol.home.example.net 80
cause "the table does not know the host" denied "$G2 denies .* or has no nobody" nobody.home.example.net 80
cause "its address is not there" no_host "^the router: .* an address for far that the router cannot reach" far.home.example.net 80
all_right "control: the first mapping of a maximum of one" bob.home.example.net 80
cause "the maximum is reached" no_resource '^the router: .*as many mappings as the table .max. or the limits allow' \
    bob.home.example.net 80
hgw nft insert rule inet filter forward ip saddr 192.168.0.10 oifname wan ct state new drop
cause "the firewall forbids it" forbidden "^the router: the table of $G2 allows alice, but a rule of its firewall" $name 80
hgw nft delete rule inet filter forward handle "$(hgw nft -a list chain inet filter forward | sed -n 's/.*192.168.0.10.*handle //p')"
hgw nft flush chain ip nat postrouting
cause "there is no NAT" no_resource '^the router: the NAT of .* gave no mapping' $name 80
hgw nft add rule ip nat postrouting oifname wan masquerade

write hgw natf_router/limits "cookie 0"
all_right "control: the router wants a cookie, and gets it" $name 80
# A router drops requests with their cookies when there are too many of them. Here all are dropped on their way: the
# cookie is behind the name, which ends at byte 51 of the message.
on_the_way() { # on_the_way TYPE HOOK PRIORITY RULE: isp does so
    isp nft -f - <<RULES
table ip carrier {
    chain carrier {
        type $1 hook $2 priority $3;
        $4
    }
}
RULES
}
on_the_way filter forward filter 'icmp type echo-request @th,472,8 2 drop'
cause "too many ask" rate_limited "^the router: $G2 gets more requests than it may answer" $name 80
isp nft delete table ip carrier
write hgw natf_router/limits "cookie 2000"

on_the_way nat postrouting srcnat "ip saddr $EN oifname hgw masquerade"
cause "a NAT before this host" nat_before_endpoint "^the way to the router: this host is behind a NAT: $EN asked" $name 80
isp nft delete table ip carrier
isp conntrack -F 2>/dev/null
on_the_way filter forward filter "ip saddr $G2 icmp type echo-reply ip saddr set $WEB"
cause "another answers" answered_by_another "^the way to the router: $G2 was asked, and $WEB answered" $name 80
isp nft delete table ip carrier
cause "the router has an address of a carrier's NAT" router_behind_nat \
    '^the way to the router: the DNS says 100.64.3.2 of the router, an address of a carrier' carrier.home.example.net 80
cause "a private one" router_behind_nat '192.168.7.2 of the router, a private address' inner.home.example.net 80
# A second has one ICMP error for each host, and this host has had some just now.
isp sysctl -qw net.ipv4.icmp_ratelimit=0
on_the_way filter forward filter 'icmp type echo-request reject with icmp admin-prohibited'
cause "a firewall on the way" router_unreachable "^the way to the router: $NAMESERVER says of the request .*: prohibited" $name 80
isp nft delete table ip carrier
on_the_way filter forward filter 'icmp type echo-request @th,64,32 0x4e415466 drop'
cause "one that drops requests only" requests_lost "^the way to the router: $G2 answers a plain ping, and not the requests" $name 80
isp nft delete table ip carrier
all_right "control: the way is free again" $name 80

key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
write en natf_en/keys "add home.example.net $key"
cause "a key that the router does not know" key_unknown "^the router: $G2 does not know the key .*id [0-9a-f]{8}" $name 80
cause "a host that does not sign" unsigned "^the router: $WEB answers without NAT-f, and .*signed with key" plain.home.example.net 80
write hgw natf_router/keys "add office $key"
all_right "control: the key is known" $name 80
rmmod natf_router
# A router that says it is an hour later. Its kernel is not to answer in its place.
hgw sysctl -qw net.ipv4.icmp_echo_ignore_all=1
PYTHONPATH=$NATF_TESTS/lib background clock hgw python3 "$NATF_TESTS/lib/clock.py" "$key" 3600 always
wait_for grep -q listening "$WORK/clock.log"
cause "a clock that is wrong" clock_wrong "^this host: the clocks differ: that of $G2 is 3[56][0-9][0-9] s ahead" $name 80
