#!/bin/bash
# stock: yes
# A packet for a virtual address that nothing stands behind never leaves EN: the application gets an
# error at once.
#
#   en ─── isp (captured here)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
capture control isp en net 240.0.0.0/4
not_ok "control: without the module" fetch en http://240.0.7.7/ --connect-timeout 1
capture_end control
differs "control: the packet leaves EN" "$(count_packets control)" 0

insmod_en
write en natf_en/domains "add home.example.net"
capture wire isp en net 240.0.0.0/4
timed connect en 240.0.7.7 80
is "TCP: no connection" "$STATUS" 1
matches "TCP: because of an error of the kernel" "$(cat "$WORK/timed")" 'No route to host'
within "TCP: it knew in less than a second" "$TOOK" 0 999
timed ask_udp en 240.0.7.7 5000 hello
within "UDP: the same" "$TOOK" 0 999
matches "UDP: an error, not silence" "$(cat "$WORK/timed")" 'No route to host'
capture_end wire
is "nothing left EN" "$(count_packets wire)" 0

# Not even when nothing is configured any more: an application may still have an address.
write en natf_en/domains "flush"
capture wire isp en net 240.0.0.0/4
timed connect en 240.0.7.7 80
matches "without suffixes it is the same" "$(cat "$WORK/timed")" 'No route to host'
capture_end wire
is "and nothing left EN" "$(count_packets wire)" 0
