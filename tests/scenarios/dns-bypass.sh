#!/bin/bash
# stock: yes
# No DNS record leads around the virtual address: AAAA and HTTPS records of a name under a configured
# suffix have no meaning any more, those of other names stay.
#
#   en (dig, getent) ─── isp (BIND: alice.home with A, AAAA and HTTPS) ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
cat >"$WORK/more" <<RECORDS
alice.home A $G2
alice.home AAAA 2001:db8::10
alice.home HTTPS 1 . alpn=h2 ipv4hint=$G2 ipv6hint=2001:db8::10
web AAAA 2001:db8::66
RECORDS
ZONE=$WORK/more name_server
web_server alice

ask() { en dig +short +noall +answer "@$NAMESERVER" "$@"; }

is "control: without the modules there is an IPv6 address" \
    "$(ask alice.home.example.net AAAA)" "2001:db8::10"
matches "control: and a service binding with an address" \
    "$(ask alice.home.example.net HTTPS)" "ipv4hint=$G2"
natf_on
matches "the name has a virtual address" "$(ask alice.home.example.net A)" '^240\.'
is "no IPv6 address" "$(en dig +noall +answer "@$NAMESERVER" alice.home.example.net AAAA | grep -c AAAA || true)" 0
is "no service binding" "$(en dig +noall +answer "@$NAMESERVER" alice.home.example.net HTTPS | grep -c hint || true)" 0
is "the answers are successful all the same" \
    "$(en dig "@$NAMESERVER" alice.home.example.net AAAA | grep -c 'status: NOERROR')" 1
is "libc sees the virtual address alone" \
    "$(en getent ahosts alice.home.example.net | awk '{ print $1 }' | sort -u | grep -vc '^240\.' || true)" 0
is "and connects to it" "$(fetch en http://alice.home.example.net/)" "this is alice"
is "a name under no suffix keeps its IPv6 address" "$(ask web.example.net AAAA)" "2001:db8::66"
ok "the answers were counted" test "$(stat_of en natf_en dns_bypass)" -ge 2
