#!/bin/bash
# The lifetime in an answer is that of the entry that was made: the kernel's default, the owner's sysctl, or
# the owner's timeout policy for this host.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice, bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
write hgw natf_router/act "add bob 192.168.0.11 allow"
lifetime() { en python3 "$NATF_TESTS/lib/request.py" "$@" | sed -n 's/^code 0 .* lifetime //p'; }
udp_left() { connections -p udp | awk '/sport='"$1"' / { print $3; exit }'; }

is "TCP by default" "$(lifetime)" 432000
is "UDP" "$(lifetime protocol=17)" 30
is "echo" "$(lifetime protocol=1)" 30
hgw sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=7200 \
    net.netfilter.nf_conntrack_udp_timeout=20 net.netfilter.nf_conntrack_icmp_timeout=15
is "TCP by sysctl" "$(lifetime d=81)" 7200
is "UDP" "$(lifetime protocol=17 d=81)" 20
within "and the entry has it" "$(udp_left 81)" 18 20
is "echo" "$(lifetime protocol=1 s=81 d=81)" 15

hgw nft -f - <<'RULES'
table ip times {
    ct timeout longer {
        protocol tcp
        l3proto ip
        policy = { established : 10000s }
    }
    ct timeout shorter {
        protocol udp
        l3proto ip
        policy = { unreplied : 8s, replied : 9s }
    }
    chain prerouting {
        type filter hook prerouting priority -150;
        ip saddr 192.168.0.10 meta l4proto tcp ct timeout set "longer"
        ip saddr 192.168.0.10 meta l4proto udp ct timeout set "shorter"
    }
}
RULES
is "TCP by the policy for alice" "$(lifetime d=82)" 10000
is "UDP" "$(lifetime protocol=17 d=82)" 8
within "and the entry has it" "$(udp_left 82)" 6 8
is "asked for again, it is the same" "$(lifetime protocol=17 d=82)" 8
is "bob has none: TCP" "$(lifetime name=bob d=82)" 7200
is "UDP" "$(lifetime name=bob protocol=17 d=82)" 20

# A connection that is made, and idle.
web_server alice
page() { en curl -sS --max-time 5 --local-port 40007 "http://$G2/"; }
is "an answer for a connection" "$(lifetime s=40007)" 10000
is "which is made" "$(page)" "this is alice"
mkfifo "$WORK/idle"
is "another" "$(lifetime s=40008)" 10000
background idle en socat -u "OPEN:$WORK/idle,rdonly" "TCP4:$G2:80,sourceport=40008"
exec {idle}>"$WORK/idle"
open() { connections -p tcp | grep -q 'ESTABLISHED .* dport=40008 .*ASSURED'; }
ok "and which stays" wait_for open
within "lives as long as was told" "$(connections -p tcp | awk '/ dport=40008 / { print $3 }')" 9990 10000
exec {idle}>&-
