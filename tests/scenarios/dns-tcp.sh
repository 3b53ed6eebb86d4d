#!/bin/bash
# DNS over TCP: an answer in one segment is rewritten like one over UDP.
#
#   en (dig +tcp, libc with use-vc) ─── isp (BIND) ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice

ask() { en dig +short +tcp "$@" "@$NAMESERVER"; }
is "control: without the modules the name leads to the router" "$(ask alice.home.example.net)" "$G2"
natf_on
virtual=$(ask alice.home.example.net)
matches "the name leads to a virtual address" "$virtual" '^240\.'
is "the same one as over UDP" "$(en dig +short alice.home.example.net "@$NAMESERVER")" "$virtual"
is "several queries on one connection" \
    "$(ask +keepopen alice.home.example.net bob.home.example.net | grep -c '^240\.')" 2
is "a name under no suffix stays" "$(ask web.example.net)" "$WEB"
echo "options use-vc" >>/etc/netns/en/resolv.conf
is "an application whose libc asks over TCP gets the page" \
    "$(fetch en http://alice.home.example.net/)" "this is alice"
is "nothing passed as malformed" "$(stat_of en natf_en dns_malformed)" 0
