#!/bin/bash
# An ICMP error about a translated packet finds the application it concerns, in both directions: nobody
# listens on alice's port, and nobody listens any more on EN's.
#
#   en ─── isp ─── hgw (masquerade) ─── alice (UDP 5001; nothing on UDP 5999)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
natf_on
capture wire isp en

refused() { # one datagram to a port where nobody listens; what the kernel says about it
    printf 'hello\n' | en timeout 5 socat -T 3 - UDP4:alice.home.example.net:5999 2>&1 || true
}
matches "the application on EN hears that alice's port is closed" "$(refused)" "Connection refused"
is "the error was translated" "$(stat_of en natf_en error_in)" 1

# Alice answers late, when EN's socket is gone.
mkfifo "$WORK/late"
# shellcheck disable=SC2016 # perl's variables
background alice.late alice perl -MSocket -e '
    socket(S, PF_INET, SOCK_DGRAM, 0); bind(S, sockaddr_in(5001, INADDR_ANY)); $| = 1;
    $peer = recv(S, $data, 99, 0); connect(S, $peer); print "heard\n";
    open(GO, "<", $ARGV[0]); <GO>; send(S, "late", 0);
    recv(S, $data, 99, 0); print "$!\n";' "$WORK/late"
wait_for listening alice udp 5001
printf 'hello\n' | en socat -u - UDP4:alice.home.example.net:5001,sourceport=41009
wait_for grep -q heard "$WORK/alice.late.log"
echo go >"$WORK/late"
ok "alice hears that EN's port is closed" wait_for grep -q 'Connection refused' "$WORK/alice.late.log"
is "that error was translated, too" "$(stat_of en natf_en error_out)" 1

capture_end wire
is "no virtual address was on the wire, not even inside an error" \
    "$(packets wire | grep -c '240\.0\.' || true)" 0
ok "control: the errors crossed the wire" \
    test "$(count_packets wire 'icmp[icmptype] == icmp-unreach')" -ge 2
