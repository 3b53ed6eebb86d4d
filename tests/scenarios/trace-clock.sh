#!/bin/bash
# natfctl trace says so where the clocks of this host and the router differ, and the router insists.
#
#   en (natfctl, key) ─── isp (BIND) ─── hgw (first in its place: a program that is an hour ahead) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

topology
name_server
web_server alice
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
insmod_en
write en natf_en/domains "add home.example.net"
write en natf_en/keys "add home.example.net $key"
# The router's kernel is not to answer in its place.
hgw sysctl -qw net.ipv4.icmp_echo_ignore_all=1
hgw nft insert rule inet filter input icmp type echo-request accept
PYTHONPATH=$NATF_TESTS/lib background clock hgw python3 "$NATF_TESTS/lib/clock.py" "$key" 3600 always
wait_for grep -q listening "$WORK/clock.log"
cause "a clock that is wrong" clock_wrong "^this host: the clocks differ: that of $G2 is 3[56][0-9][0-9] s ahead" "$name" 80
end clock
insmod_router
write hgw natf_router/keys "add office $key"
write hgw natf_router/act "add alice 192.168.0.10 allow key office"
repaired
