#!/bin/bash
# stock: yes
# EN's own address changes: its old flows end with an error at once, also those that only listen, and new ones
# work. Flows from an address that stays are left alone.
#
#   en (198.51.100.2 and .130, then .131) ─── isp ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
line_echo alice 7000
udp_echo alice 5000
natf_on
ip -n en address add 198.51.100.130/25 dev eth0
ip -n isp address add 198.51.100.129/25 dev en
virtual=$(address_of alice.home.example.net)
talker stays en "$virtual" 7000
matches "one connection is from the first address" "$(cat "$WORK/stays.log")" "$EN"
ip -n en route replace default via 198.51.100.129 src 198.51.100.130
talker goes en "$virtual" 7000
matches "another from the second" "$(cat "$WORK/goes.log")" 198.51.100.130
tell goes hello
ok "it goes" wait_for heard goes 'heard: hello'
# A connected UDP socket that is asked to send once more when the address is gone.
mkfifo "$WORK/go"
# shellcheck disable=SC2016 # perl's variables
background udp en perl -MIO::Socket::INET -e '
    $| = 1;
    my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 5000, Proto => "udp") or die;
    $s->send("one\n"); $s->recv(my $heard, 100); print "heard: $heard";
    open(my $go, "<", $ARGV[1]); <$go>;
    defined $s->send("two\n") or print "ended: $!\n";' "$virtual" "$WORK/go"
ok "UDP goes" wait_for heard udp 'alice heard one from 198.51.100.130'
is "control: there are three flows" "$(rows en natf_en/vat)" 3

en sysctl -qw net.ipv4.conf.all.promote_secondaries=1
ip -n en address add 198.51.100.131/25 dev eth0
ip -n en route replace default via 198.51.100.129 src 198.51.100.131
start=$(milliseconds)
ip -n en address del 198.51.100.130/25 dev eth0
ip -n en route replace default via 198.51.100.129 src 198.51.100.131
ok "the connection that only listens is told" wait_for heard goes 'ended: Software caused connection abort'
within "at once" $(($(milliseconds) - start)) 0 1000
echo >"$WORK/go"
ok "the UDP socket gets an error for its next datagram" wait_for heard udp 'ended: '
is "the flows of that address are gone" "$(show en natf_en/vat | grep -c 198.51.100.130 || true)" 0
is "and counted" "$(stat_of en natf_en address_gone)" 2
tell stays hello
ok "the other connection goes on" wait_for heard stays 'heard: hello'
is "a new datagram is from the new address" \
    "$(ask_udp en "$virtual" 5000 new)" "alice heard new from 198.51.100.131"
