#!/bin/bash
# A validating resolver says that an answer is authentic (AD). One whose address was replaced is not, so
# the flag must go; other answers keep it.
#
#   en (dig) ─── isp (BIND, zone signed)
#                 └── web (unbound, validates)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
SIGNED=yes name_server
key_signing() { en dig +short "@$NAMESERVER" example.net DNSKEY | grep '^257 3 '; }
wait_for key_signing
signed() { en dig +dnssec "@$NAMESERVER" "$1.example.net" | grep -q 'RRSIG.*A'; }
wait_for signed web
wait_for signed alice.home

cat >"$WORK/unbound.conf" <<CONF
server:
    interface: $WEB
    access-control: 0.0.0.0/0 allow
    chroot: ""
    username: ""
    directory: "$WORK"
    pidfile: ""
    use-syslog: no
    do-ip6: no
    trust-anchor: "example.net. DNSKEY $(key_signing)"
remote-control:
    control-enable: no
stub-zone:
    name: example.net
    stub-addr: $NAMESERVER
CONF
background web.unbound web unbound -d -p -c "$WORK/unbound.conf"
ask() { en dig +tries=1 +time=5 +ad "@$WEB" "$1.example.net"; }
flags() { sed -n 's/^;; flags: \([^;]*\);.*/\1/p' <<<"$1"; }
address() { awk '$4 == "A" { print $5 }' <<<"$1"; }
wait_for ask web

answer=$(ask alice.home)
matches "control: without the module the answer is authentic" "$(flags "$answer")" '(^| )ad( |$)'
insmod_en
write en natf_en/domains "add home.example.net"

answer=$(ask alice.home)
matches "the address is virtual" "$(address "$answer")" '^240\.'
matches "the other flags are there" "$(flags "$answer")" '^qr rd ra'
is "authentic it is not" "$(flags "$answer" | grep -cw ad)" 0
answer=$(ask web)
is "another name has its own address" "$(address "$answer")" "$WEB"
matches "and stays authentic" "$(flags "$answer")" '(^| )ad( |$)'
