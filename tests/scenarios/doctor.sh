#!/bin/bash
# natfctl doctor says what is wrong with an endpoint or a router, and what to do, and finds nothing where all is right.
#
#   en (natfctl) ─── isp ─── hgw (natfctl; masquerade) ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
cp /etc/nsswitch.conf "$WORK/nsswitch" 2>/dev/null || echo "hosts: files dns" >"$WORK/nsswitch"

doctor() { # doctor NAMESPACE ROLE
    STATUS=0
    in_ns "$1" natfctl doctor --role "$2" --json >"$WORK/doctor" 2>"$WORK/complaint" || STATUS=$?
}
check() { jq -r --arg check "$1" '.checks[] | select(.check == $check) | "\(.state): \(.text); \(.advice)"' "$WORK/doctor"; }
finds() { # finds TEXT NAMESPACE ROLE CHECK REGEX: it says so of this check; of a problem by its status, too
    local text=$1
    doctor "$2" "$3"
    matches "$text" "$(check "$4")" "$5"
    [[ $5 != ^problem* ]] || is "$text: by its status, too" "$STATUS" 1
}

finds "no module" en en natf_en '^problem: neither loaded nor installed.*apt install natf-dkms'
matches "what one needs to build it" "$(check metadata)" '^problem: there are no headers of .*; apt install linux-headers-'
finds "on a router, too" hgw router natf_router '^problem: neither loaded'
mkdir -p "/lib/modules/$(uname -r)/updates/dkms"
cp "$NATF_MODULES/natf_en.ko" "/lib/modules/$(uname -r)/updates/dkms/"
finds "one that is installed" en en natf_en '^problem: installed, but not loaded; modprobe natf_en'

insmod_en
finds "no domain" en en domains '^problem: none.*natfctl en domains add'
write en natf_en/domains "add home.example.net"
doctor en en
is "an endpoint that is right has no problem" "$(jq -c '[.roles, .problems]' "$WORK/doctor") $STATUS" '[["natf_en"],0] 0'
note "$(jq -r '.checks[] | [.check, .state, .text] | @tsv' "$WORK/doctor")"
is "each was looked at" "$(jq -r '.checks | map(.check) | join(" ")' "$WORK/doctor")" \
    "kernel rust metadata natf_en signature domains route resolver nsswitch key files clock"

ip -n en route del default
finds "no route" en en route '^problem: none to 240.0.0.0/8: .*ip route add 240.0.0.0/8'
ip -n en route add default via 198.51.100.1
conf=/etc/netns/en/resolv.conf
: >$conf
finds "no DNS server" en en resolver '^problem: /etc/resolv.conf names no DNS server'
echo "nameserver 2001:db8::53" >$conf
finds "one by IPv6" en en resolver '^problem: 2001:db8::53: asked over IPv6'
echo "nameserver $NAMESERVER" >$conf
mkdir -p /etc/systemd/resolved.conf.d
printf '[Resolve]\nDNSOverTLS=yes\n' >/etc/systemd/resolved.conf.d/scenario.conf
finds "DNS over TLS" en en resolver '^warning: systemd-resolved asks over TLS .DNSOverTLS=yes.*libnss-natf'
rm /etc/systemd/resolved.conf.d/scenario.conf
echo "hosts: files resolve [!UNAVAIL=return] dns" >/etc/netns/en/nsswitch.conf
touch /etc/nsswitch.conf
finds "a service before the DNS" en en nsswitch '^warning: hosts: files resolve'
echo "hosts: files natf resolve dns" >/etc/netns/en/nsswitch.conf
finds "not where libnss-natf is first" en en nsswitch '^ok: hosts: files natf'
echo "hosts: files" >/etc/netns/en/nsswitch.conf
finds "no DNS at all" en en nsswitch '^problem: hosts: files: nothing asks the DNS'
cp "$WORK/nsswitch" /etc/netns/en/nsswitch.conf
write en natf_en/dns_ports 5353
finds "a port that nobody answers from" en en "dns ports" '^problem: .* port 5353 only; natfctl en ports 53'
write en natf_en/dns_ports 53
mkdir -p /etc/natf
printf '0123456789abcdef%.0s' 1 2 3 4 >/etc/natf/home.key
chmod 644 /etc/natf/home.key
finds "a key that all may read" en en "key files" '^problem: others than root may read .*/etc/natf/home.key; chmod 600'
not_ok "but it is not shown" grep -q 0123456789abcdef "$WORK/doctor"
chmod 600 /etc/natf/home.key
finds "one for root alone" en en "key files" '^ok: 1 in /etc/natf'
write en natf_en/keys "add home.example.net $(cat /etc/natf/home.key)"
finds "a key, and a clock that nobody keeps right" en en clock '^warning: .*NTP'
mkdir -p /run/systemd/timesync
touch /run/systemd/timesync/synchronized
finds "one that is" en en clock '^ok: kept right by NTP'

insmod_router
finds "an empty table" hgw router act '^problem: the access control table is empty.*natfctl act add'
write hgw natf_router/act "add alice 192.168.0.10 deny"
finds "one that allows nothing" hgw router act '^warning: 1 entries, and none allows'
write hgw natf_router/act "add bob 192.168.0.11 allow"
doctor hgw router
is "a router that is right has no problem" "$(jq -c '[.roles, .problems]' "$WORK/doctor") $STATUS" '[["natf_router"],0] 0'
note "$(jq -r '.checks[] | [.check, .state, .text] | @tsv' "$WORK/doctor")"
is "each was looked at" "$(jq -r '.checks | map(.check) | join(" ")' "$WORK/doctor")" \
    "kernel rust metadata natf_router signature act forwarding conntrack nat rule echo outside key files clock"
matches "its rule is told" "$(check "nat rule")" '^ok: oifname "wan" masquerade'
hgw sysctl -qw net.ipv4.ip_forward=0
finds "no forwarding" hgw router forwarding '^problem: off.*net.ipv4.ip_forward=1'
hgw sysctl -qw net.ipv4.ip_forward=1
hgw nft flush chain ip nat postrouting
finds "no rule" hgw router "nat rule" '^problem: no rule translates'
hgw iptables-legacy -t nat -A POSTROUTING -o wan -j MASQUERADE
finds "one of iptables" hgw router "nat rule" '^ok: -A POSTROUTING -o wan -j MASQUERADE'
hgw sysctl -qw net.ipv4.icmp_echo_ignore_all=1
finds "pings that are ignored do no harm" hgw router echo '^ok: pings are ignored .*answered all the same'
ip -n hgw address add 100.64.3.2/24 dev wan
ip -n hgw route replace default via 203.0.113.1 src 100.64.3.2
finds "an address of a carrier's NAT" hgw router outside '^warning: 100.64.3.2, an address of a carrier'

in_ns hgw natfctl doctor >"$WORK/human" || true
matches "without a role, both that are loaded" "$(cat "$WORK/human")" $'natf_en +ok.*\nnatf_router +ok'
matches "for people, with what to do at the end" "$(cat "$WORK/human")" $'\nWhat to do\n(.*\n)*outside: ask the carrier'
not_ok "a role that is none" en natfctl doctor --role nosuch
