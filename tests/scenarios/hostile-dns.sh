#!/bin/bash
# limit: 120
# A DNS server, and who has an endpoint ask it, want the endpoint's tables full: of names, of queries that are never
# answered, of flows to routers that are silent, of flows that nobody answers, of packets that wait. What has been
# unused longest gives way; connections stand, others open, and the address of a name that gave way is no other name's.
#
#   en ─── isp (BIND: evil.example.net is hostile) ─×─ nobody (203.0.113.130, where evil leads to)
#           └ web (drops DNS queries)         └─ hgw ─── alice (nginx :80, echo :7, :5000 never answers), bob (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

NAMES=${NAMES:-1024}
topology
echo '*.evil 86400 A 203.0.113.130' >"$WORK/evil"
ZONE=$WORK/evil name_server
isp ip route add blackhole 203.0.113.128/25
web_server alice
web_server bob
line_echo alice 7
background alice.sink alice socat -u UDP4-RECV:5000 "OPEN:$WORK/arrived,creat,append"
wait_for listening alice udp 5000
natf_on
natf_unlimited
write en natf_en/domains "add evil.example.net"
is "the bounds are shown" "$(show en natf_en/limits)" $'names 16384\nflows 1048576\nqueries 4096'
for wrong in "names 15" "names 16385" "queries 4097" "flows" "sauce 100"; do
    not_ok "no bound: $wrong" write en natf_en/limits "$wrong"
done
page() { fetch en "http://$1.home.example.net/" --connect-timeout 3; }
count() { stat_of en natf_en "$1"; }
slab() { awk '/^Slab:/ { print $2 }' /proc/meminfo; }
counted() { (($(count "$1") > ${2:-0})); }

note "--- names"
write en natf_en/limits "names $NAMES"
alice=$(address_of alice.home.example.net)
bob=$(address_of bob.home.example.net)
talker kept en "$alice" 7
before=$(slab)
seq -f "n%.0f.evil.example.net" $((NAMES * 3 / 2)) >"$WORK/names"
en dig +short "@$NAMESERVER" -f "$WORK/names" >"$WORK/answers"
note "$(grep -c '^240\.' "$WORK/answers") names: slab $before to $(slab) kB"
is "each name has an address" "$(grep -c '^240\.' "$WORK/answers")" $((NAMES * 3 / 2))
within "the table is no fuller than it may be" "$(rows en natf_en/nrt)" $((NAMES / 2)) "$NAMES"
ok "names had to give way" counted names_evicted $((NAMES / 2 - 1))
is "those that were unused longest" "$(show en natf_en/nrt | grep -c -e ' bob home' -e ' n1 evil')" 0
tell kept hello
ok "a connection stands" wait_for heard kept 'heard: hello'
is "its name is there, for further ones" "$(fetch en "http://$alice/")" "this is alice"
not_ok "the address of one that gave way leads nowhere" connect en "$bob" 80
# A name of the same domain with the same hash as bob's.
# shellcheck disable=SC2016 # perl's variables
other=$(perl -e '
    sub hash { my $h = 0x811c9dc5; $h = (($h ^ ord $_) * 0x01000193) & 0xffffffff for split //, shift; $h % 254 }
    my $i = 0; $i++ until hash("h$i") == hash("bob"); print "h$i";')
is "control: it has the same place" "$(address_of "$other.home.example.net" | cut -d. -f3-)" "$(cut -d. -f3- <<<"$bob")"
differs "but not the same address" "$(address_of "$other.home.example.net")" "$bob"
is "which is its own, when it is asked for again" "$(address_of bob.home.example.net)" "$bob"
is "and leads to it" "$(page bob)" "this is bob"

note "--- queries that are not answered"
write en natf_en/limits "queries 64"
lose web input udp dport 53
# shellcheck disable=SC2016
en perl -MSocket -e '
    socket(S, PF_INET, SOCK_DGRAM, 0);
    my $to = sockaddr_in(53, inet_aton(shift));
    my $name = pack("(C/a)*x", qw(n evil example net));
    send(S, pack("n6a*nn", $_, 0x0100, 1, 0, 0, 0, $name, 1, 1), 0, $to) for 1 .. 200;' $WEB
ok "those that waited longest are forgotten" wait_for counted queries_evicted
is "control: there was no room for some" "$(counted queries_full && echo yes)" yes
matches "there is room for a query that is answered" "$(address_of carol.home.example.net)" '^240\.'

note "--- routers that are silent"
open_udp() { # open_udp ADDRESS PORT COUNT BYTES EACH: so many sockets, and from each so many datagrams, at once
    # shellcheck disable=SC2016
    en perl -MSocket -e '
        my ($to, $port, $count, $bytes, $each) = @ARGV;
        my $there = sockaddr_in($port, inet_aton($to));
        for (1 .. $count) {
            socket(my $s, PF_INET, SOCK_DGRAM, 0);
            send($s, "x" x $bytes, MSG_DONTWAIT, $there) for 1 .. $each;
            push @kept, $s;
        }' "$@"
}
evil=$(tail -n 1 "$WORK/answers")
ulimit -n 4096
open_udp "$evil" 5000 1200 1 1
within "no more are asked at a time than may be" "$(show en natf_en/vat | grep -c negotiating)" 700 1024
ok "those that were asked longest ago give way" wait_for counted hurried
is "so that others can be" "$(page alice)" "this is alice"
all_over() { ! show en natf_en/vat | grep -q ' n[0-9]* '; }
wait_for all_over

note "--- packets that wait"
before=$(count held)
open_udp "$evil" 5000 150 60000 3
ok "not more may wait than 16 MiB" counted hold_full
within "that is, so many" $((($(count held) - before) * 60000)) 4000000 $((16 << 20))
is "others may, all the same" "$(page alice)" "this is alice"
wait_for all_over

note "--- flows that nobody answers"
write en natf_en/limits "flows 64"
evicted=$(count flows_evicted)
open_udp "$alice" 5000 100 1 1
is "control: the table was full" "$(counted out_table_full && echo yes)" yes
ok "those that were unused longest give way" wait_for counted flows_evicted "$evicted"
ok "so that others have room" wait_for page alice
tell kept again
ok "and the connection of the beginning stands" wait_for heard kept 'heard: again'
