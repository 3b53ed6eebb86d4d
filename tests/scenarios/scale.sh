#!/bin/bash
# limit: 120
# 10,000 TCP connections to 200 names, opened as fast as the machine can: none fails, no first packet is
# lost or sent twice, the hold queues empty.
#
#   en (perl, 10,000 sockets) ─── isp ─── hgw (masquerade) ─── alice (200 addresses; perl accepts all)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

CONNECTIONS=10000
NAMES=200
topology
# A busy host may stop the whole guest for longer than TCP waits by default (200 ms); what is lost is sent again
# all the same, only later.
for host in en alice; do
    $host sysctl -qw net.ipv4.tcp_rto_min_us=3000000
done
name_server
natf_on
natf_unlimited
for ((i = 1; i <= NAMES; i++)); do
    echo "address add 192.168.0.$((20 + i))/24 dev eth0"
done | ip -n alice -batch -
for ((i = 1; i <= NAMES; i++)); do
    echo "add host$i 192.168.0.$((20 + i)) allow"
done | in_ns hgw tee /sys/kernel/natf_router/act >/dev/null
sysctl -qw net.netfilter.nf_conntrack_max=65536
alice sysctl -qw net.core.somaxconn=16384 net.ipv4.tcp_max_syn_backlog=16384
ulimit -n 30000

# shellcheck disable=SC2016 # perl's variables
background alice.server alice perl -MSocket -e '
    socket(L, PF_INET, SOCK_STREAM, 0); setsockopt(L, SOL_SOCKET, SO_REUSEADDR, 1);
    bind(L, sockaddr_in(7000, INADDR_ANY)); listen(L, 16384);
    while (accept(my $c, L)) { push @kept, $c }'
wait_for listening alice tcp 7000

# Non-blocking connects, all at once; then a byte on each, which waits for its connection.
# shellcheck disable=SC2016
open_all() {
    en perl -MSocket -MIO::Handle -MErrno=EINPROGRESS -e '
        my ($names, $count) = @ARGV; my ($failed, @addr, @s) = (0);
        for my $i (1 .. $names) {
            push @addr, inet_aton("host$i.home.example.net") or die "host$i does not resolve";
        }
        for my $i (0 .. $count - 1) {
            socket(my $s, PF_INET, SOCK_STREAM, 0) or die $!;
            $s->blocking(0);
            connect($s, sockaddr_in(7000, $addr[$i % $names])) or $!{EINPROGRESS} or $failed++;
            push @s, $s;
        }
        for my $s (@s) { $s->blocking(1); syswrite($s, "x") or $failed++ }
        print "failed $failed of ", scalar @s, "\n"' "$NAMES" "$CONNECTIONS"
}
timed open_all
is "all connections were made" "$(cat "$WORK/timed")" "failed 0 of $CONNECTIONS"
note "$CONNECTIONS connections in $TOOK ms"
is "each was mapped" "$(stat_of en natf_en mapped)" $CONNECTIONS
is "with one request each" "$(stat_of en natf_en request_sent)" $CONNECTIONS
is "no segment was sent twice" "$(en nstat -asz TcpRetransSegs | awk '/TcpRetransSegs/ { print $2 }')" 0
is "no hold queue was full" "$(stat_of en natf_en hold_full)" 0
is "every held packet was released" "$(sent_on en)" "$(stat_of en natf_en held)"
is "$NAMES names are known" "$(rows en natf_en/nrt)" $NAMES
is "the whole table can be read" "$(rows en natf_en/vat)" $CONNECTIONS
