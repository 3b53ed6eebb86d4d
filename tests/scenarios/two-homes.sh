#!/bin/bash
# stock: yes
# Private to private: a host in one home reaches a host in another by name, though both homes use the
# same private addresses. Its router does the endpoint's part, NAT first, then translation.
#
#   dan 192.168.0.10 ─ lan ─ hgw2 (masquerade, firewall) ─ 203.0.113.10 ── isp (BIND) ── hgw ─ alice 192.168.0.10
#                            natf_en, dnsmasq                                            natf_router
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
second_home
strict_filter hgw2
name_server
web_server alice
web_server carol
udp_echo alice 5000

not_ok "control: without the modules dan cannot get in" \
    fetch dan http://alice.home.example.net/ --connect-timeout 1
natf_on
not_ok "control: nor while his router has no suffix" \
    fetch dan http://alice.home.example.net/ --connect-timeout 1
write hgw2 natf_en/domains "add home.example.net"
capture wire isp hgw2

matches "dan's name server is outside; the answer to him has a virtual address" \
    "$(dan dig +short alice.home.example.net)" '^240\.0\.'
is "dan reads alice's page" "$(fetch dan http://alice.home.example.net/)" "this is alice"
is "her server saw the other home's outside address" "$(fetch dan http://alice.home.example.net/who)" "$HGW2"
is "UDP, too" "$(ask_udp dan alice.home.example.net 5000 hello)" "alice heard hello from $HGW2"
matches "ping, too" "$(dan ping -n -c 2 -i 0.2 alice.home.example.net)" '2 received, 0% packet loss'
timed connect dan carol.home.example.net 80
matches "carol is denied, and dan was told so" "$(cat "$WORK/timed")" 'No route to host'
ok "in less than a second" test "$TOOK" -lt 1000
is "the other router's own applications get in as well" \
    "$(fetch hgw2 http://alice.home.example.net/)" "this is alice"

background hgw2.dnsmasq hgw2 dnsmasq -k -u root -p 53 --no-hosts --no-resolv --server="$NAMESERVER" \
    --listen-address=192.168.0.1 --bind-interfaces --pid-file="$WORK/dnsmasq.pid"
wait_for listening hgw2 udp 53
echo "nameserver 192.168.0.1" >/etc/netns/dan/resolv.conf
matches "with his own router as the name server he gets a virtual address, too" \
    "$(dan dig +short bob.home.example.net)" '^240\.0\.'
is "and reads alice's page" "$(fetch dan http://alice.home.example.net/)" "this is alice"

head -c 8000000 /dev/urandom >"$WORK/web.alice/big"
is "8 MB arrive unchanged" \
    "$(fetch dan http://alice.home.example.net/big | sha256sum)" "$(sha256sum <"$WORK/web.alice/big")"
is "dan's router tracks the flow to the virtual address" \
    "$(hgw2 conntrack -L -p tcp 2>/dev/null | grep -c 'src=192.168.0.10 dst=240\.' | awk '{ print ($1 > 0) }')" 1

line_echo alice 7000
talker dans dan alice.home.example.net 7000
tell dans hello
ok "a connection that stays" wait_for heard dans 'heard: hello'
hgw conntrack -F 2>/dev/null
tell dans "are you there"
ok "is reset when alice's router forgot it" wait_for heard dans 'ended: Connection reset by peer'
is "also in the table of dan's router" \
    "$(hgw2 conntrack -L -p tcp --dport 7000 2>/dev/null | grep -vc CLOSE || true)" 0
capture_end wire
is "no virtual address was on the wire" "$(packets wire | grep -c '240\.0\.' || true)" 0
is "no first packet was sent twice" "$(repeated_segments wire 'tcp[tcpflags] & tcp-syn != 0' | grep -c . || true)" 0
