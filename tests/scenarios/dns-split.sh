#!/bin/bash
# A DNS answer over TCP that comes in several segments passes untouched and is counted; whole ones on the
# same host are rewritten.
#
#   en (its route offers a tiny MSS) ─── isp (BIND) ─── hgw
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
insmod_en
write en natf_en/domains "add home.example.net"
ask() { en dig +short +tcp "@$NAMESERVER" alice.home.example.net; }
matches "control: a whole answer is rewritten" "$(ask)" '^240\.'
is "and not counted" "$(stat_of en natf_en dns_split)" 0
isp sysctl -qw net.ipv4.tcp_min_snd_mss=48
ip -n isp link set dev en gso_max_segs 1
ip -n en route replace 198.51.100.0/30 dev eth0 advmss 48
capture wire isp en tcp port 53
is "an answer in pieces arrives as it was sent" "$(ask)" "$G2"
capture_end wire
differs "it was in pieces" "$(count_packets wire 'src port 53 and greater 54 and tcp[tcpflags] & tcp-syn == 0')" 1
differs "which is counted" "$(stat_of en natf_en dns_split)" 0
is "it was not taken for a bad one" "$(stat_of en natf_en dns_malformed)" 0
ip -n en route replace 198.51.100.0/30 dev eth0
matches "the next whole one is rewritten" "$(ask)" '^240\.'
