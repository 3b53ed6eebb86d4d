#!/bin/bash
# limit: 90
# A port on which nobody listens: the inside host's reset comes through at once, and the flow goes soon,
# also from the router's table.
#
#   en ─── isp ─── hgw (masquerade, "ct state invalid drop") ─── alice (nothing on :81)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
timed fetch en http://alice.home.example.net:81/ --connect-timeout 1
is "control: without the modules nobody says that it is refused" "$STATUS" 28
natf_on
is "control: alice is there" "$(fetch en http://alice.home.example.net/)" "this is alice"

flow() { show en natf_en/vat | grep ':81 '; }
once() { en timeout 10 socat -u /dev/null TCP4:alice.home.example.net:81,sourceport=43000,reuseaddr; }
capture wire isp en
timed connect en alice.home.example.net 81
within "the application knew in less than a second" "$TOOK" 0 999
matches "and was told why" "$(cat "$WORK/timed")" 'Connection refused'
timed once
matches "from a port of its own" "$(cat "$WORK/timed")" 'Connection refused'
timed once
matches "from that port again, at once" "$(cat "$WORK/timed")" 'Connection refused'
start=$(milliseconds)
capture_end wire
is "each was a flow of its own, asked for once" "$(count_packets wire 'icmp[icmptype] == icmp-echo')" 3
is "TCP repeated nothing" "$(repeated_segments wire)" ""
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
is "the resets ended the router's entries" "$(connections -p tcp | grep 'sport=81 ' | grep -vc CLOSE || true)" 0

is "two flows are remembered" "$(flow | grep -c .)" 2
gone() { ! flow; }
WAIT=20 ok "and gone after the reset time" wait_for gone
within "which is 10 s" $(($(milliseconds) - start)) 9000 14000
gone_there() { ! connections -p tcp | grep 'sport=81 '; }
ok "the router's entries are gone, too" wait_for gone_there
is "alice is still there" "$(fetch en http://alice.home.example.net/)" "this is alice"
