#!/bin/bash
# A mapped echo id that is asked for again, and what can stand in its way: entries that ended, pings of
# the same id, a firewall, a full table.
#
#   en (raw sockets, ping) ─── isp ─── wan hgw (masquerade, policy drop) lan ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

LIFE=4
topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
hgw sysctl -qw net.netfilter.nf_conntrack_icmp_timeout=$LIFE
request() { en python3 "$NATF_TESTS/lib/request.py" protocol=1 s="$1" d="$1" tell=all | sed 's/ epoch.*//'; }
answered() { en ping -q -c 3 -i 0.2 -W 1 -e "$1" $G2 | sed -nE 's/.* ([0-9]+) received.*/\1/p'; }
mapped() { echo "code 0 mapped $G2:$1 lifetime $LIFE $2"; }
expectations() { hgw conntrack -L expect 2>/dev/null | grep -c "src=$EN" || true; }
seconds_left() { hgw conntrack -L expect 2>/dev/null | awk '{ print $1 }'; }
masters() { connections -p icmp | grep -c 'src=192.168.0.10 .*type=8' || true; }
others() { connections -p icmp | grep -c "src=$EN dst=$G2 type=8" || true; }
at_alice() { alice nft list counter ip seen pings | sed -n 's/.*packets \([0-9]*\) .*/\1/p'; }
alice nft -f - <<'RULES'
table ip seen {
    counter pings { }
    chain input {
        type filter hook input priority filter;
        icmp type echo-request counter name pings
    }
}
RULES

is "asked for once" "$(request 777)" "$(mapped 777 new)"
within "it is expected for the lifetime" "$(seconds_left)" $((LIFE - 1)) $LIFE
old() { (($(seconds_left) < LIFE - 1)); }
ok "time passes" wait_for old
is "asked for again, it was there" "$(request 777)" "$(mapped 777 kept)"
within "it is expected for the lifetime again" "$(seconds_left)" $((LIFE - 1)) $LIFE
is "once" "$(expectations)" 1
is "pings are answered" "$(answered 777)" 3
is "asked for while they run, it was there" "$(request 777)" "$(mapped 777 kept)"
is "and is expected once" "$(expectations)" 1
is "pings are answered still" "$(answered 777)" 3

background ping en ping -q -i 0.2 -W 1 -e 777 $G2
gone() { [ "$(masters)" = 0 ]; }
ok "the first entry ends in spite of pings" wait_for gone
is "their own lives" "$(others)" 1
is "asked for now, it is a new one, with the same id" "$(request 777)" "$(mapped 777 new)"
again() { [ "$(others)" = 1 ]; }
ok "which the pings use" wait_for again
hgw conntrack -D -p icmp -s 192.168.0.10 >"$WORK/output" 2>&1
is "also when somebody deletes it" "$(request 777)" "$(mapped 777 new)"
is "one entry, one expectation" "$(masters) $(expectations)" "1 1"
kill -INT "${PID[ping]}"
wait "${PID[ping]}" || true
matches "no ping was lost meanwhile" "$(cat "$WORK/ping.log")" ' 0% packet loss'

hgw nft flush chain ip nat postrouting
hgw nft add rule ip nat postrouting oifname wan masquerade fully-random
id() { request 700 | sed -E 's/.*:([0-9]+) .*/\1/'; }
first=$(id)
is "pings with an id that the NAT drew are answered" "$(answered "$first")" 3
hgw conntrack -D -p icmp -s 192.168.0.10 >"$WORK/output" 2>&1
second=$(id)
differs "it draws another for the same application" "$second" "$first"
is "and pings with that are answered, although those of the other could go on" "$(answered "$second")" 3
hgw nft flush chain ip nat postrouting
hgw nft add rule ip nat postrouting oifname wan masquerade

ok "alice pings with an id" alice ping -q -c 1 -e 888 $EN
is "the same id is mapped" "$(request 888)" "$(mapped 888 new)"
is "and answered" "$(answered 888)" 3
hgw nft insert rule inet filter input icmp type echo-request accept
is "control: the router itself can be pinged now" "$(answered 999)" 3
is "the id of those pings is mapped" "$(request 999)" "$(mapped 999 new)"
before=$(at_alice)
is "pings are answered" "$(answered 999)" 3
is "by alice" "$(at_alice)" $((before + 3))

rule=$(hgw nft -ea insert rule inet filter forward ip daddr 192.168.0.10 icmp type echo-request drop |
    sed -n 's/.*handle //p')
is "a firewall that lets nobody ping alice" "$(request 1001)" "$(mapped 1001 new)"
is "drops all pings, none is taken for one of the router" "$(answered 1001)" 0
hgw nft delete rule inet filter forward handle "$rule"

limit=$(sysctl -n net.netfilter.nf_conntrack_expect_max)
flush() { hgw conntrack -F && hgw conntrack -F expect; }
ok "no entry" flush
is "a mapping" "$(request 1004)" "$(mapped 1004 new)"
before=$(masters)
sysctl -qw net.netfilter.nf_conntrack_expect_max=1
is "a full table is told" "$(request 1002)" "code 4 mapped 0.0.0.0:0 lifetime 0 new"
is "and nothing is left of the attempt" "$(masters)" "$before"
sysctl -qw net.netfilter.nf_conntrack_expect_max="$limit"
is "with room again" "$(request 1002)" "$(mapped 1002 new)"
is "its pings are answered" "$(answered 1002)" 3

is "a mapping" "$(request 1003)" "$(mapped 1003 new)"
rmmod natf_router
is "outlives the module" "$(answered 1003)" 3
