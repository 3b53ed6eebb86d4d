#!/bin/bash
# A name with two router addresses: the first one is dead, the second one answers, and is used.
#
#   en ─── isp ─── (203.0.113.6: nobody)
#              └── hgw 203.0.113.2 ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

DEAD=203.0.113.6
topology
ip -n isp route add blackhole $DEAD/32
printf 'alice.home A %s\nalice.home A %s\nbob.home A %s\n' $DEAD $G2 $DEAD >"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
natf_on

# The name server rotates its answers: ask until the dead one comes first. An entry keeps its order.
dead_first() { # alice resolves, and the dead address stands first
    [ "$(en getent ahostsv4 alice.home.example.net | awk 'NR == 1 { print $1 }')" != "" ] &&
        show en natf_en/nrt | grep -q "alice home.example.net $DEAD,$G2 "
}
retry_name() { # forget the name and ask again
    rmmod natf_en
    insmod_en
    write en natf_en/domains "add home.example.net"
    dead_first
}
ok "both addresses are kept, one virtual address stands for them" wait_for retry_name
capture wire isp en icmp
timed connect en alice.home.example.net 80
is "the connection is made" "$STATUS" 0
ok "after the first router's time-out, not before" test "$TOOK" -ge 3700 -a "$TOOK" -lt 6000
capture_end wire
is "four requests went to the dead one" "$(count_packets wire "dst host $DEAD")" 4
is "one to the other" "$(count_packets wire "icmp[icmptype] == icmp-echo and dst host $G2")" 1

timed connect en bob.home.example.net 80
matches "control: with the dead one alone there is an error" "$(cat "$WORK/timed")" 'No route to host'
