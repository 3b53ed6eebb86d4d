#!/bin/bash
# limit: 90
# What the router shows of its mappings: which name, which host, which endpoint, where the NAT put it. It is
# what conntrack has, no more: an entry that ends is gone from the list at once, and forgotten soon.
#
#   en (raw sockets, curl, ping) ─── isp ─── hgw ─── alice (nginx), bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
configure() {
    write hgw natf_router/act "add alice 192.168.0.10 allow"
    write hgw natf_router/act "add www.bob 192.168.0.11 allow"
}
configure
web_server alice
web_server web
list() { show hgw natf_router/mappings | sed -E 's/ [0-9]+ [0-9]+$//' | sort; }
table() { show hgw natf_router/tables | awk -v name="$1" '$1 == name { print $2, $3 }'; }

is "there is none" "$(list)" ""
request s=40000 >/dev/null
is "one of TCP" "$(list)" "tcp 192.168.0.10:80 $EN:40000 $G2:80 alice"
request s=40000 >/dev/null
is "asked for again, it is the same" "$(list)" "tcp 192.168.0.10:80 $EN:40000 $G2:80 alice"
alice curl -sS -o /dev/null "http://$WEB/"
is "alice's own connections are none" "$(list)" "tcp 192.168.0.10:80 $EN:40000 $G2:80 alice"
other=$(request s=40000 name=www.bob | sed -E 's/.*mapped ([0-9.:]+) .*/\1/')
is "another host on the same ports" "$(list)" "\
tcp 192.168.0.10:80 $EN:40000 $G2:80 alice
tcp 192.168.0.11:80 $EN:40000 $other www.bob"
request protocol=17 s=5000 d=53 >/dev/null
request protocol=1 s=7 d=7 name=www.bob >/dev/null
is "UDP and echo" "$(list)" "\
icmp 192.168.0.11:7 $EN:7 $G2:7 www.bob
tcp 192.168.0.10:80 $EN:40000 $G2:80 alice
tcp 192.168.0.11:80 $EN:40000 $other www.bob
udp 192.168.0.10:53 $EN:5000 $G2:53 alice"
is "four are counted" "$(table mappings)" "4 1048576"
is "those refused are not" "$(request name=nobody; list | grep -c .)" $'code 1 mapped 0.0.0.0:0 lifetime 0\n4'
hgw conntrack -D -p udp >"$WORK/output" 2>&1
hgw conntrack -D -p tcp --orig-src 192.168.0.11 >"$WORK/output" 2>&1
is "what conntrack has no more is not shown" "$(list)" "\
icmp 192.168.0.11:7 $EN:7 $G2:7 www.bob
tcp 192.168.0.10:80 $EN:40000 $G2:80 alice"

is "its connection is made" "$(en curl -sS --max-time 5 --local-port 40000 "http://$G2/")" "this is alice"
line() { show hgw natf_router/mappings | grep '^tcp'; }
within "which tells how long it lives on" "$(line | awk '{ print $7 }')" 100 120
old() { (($(line | awk '{ print $6 }') >= 2)); }
ok "and how old it is" wait_for old
hgw conntrack -D -p tcp --orig-port-src 80 >"$WORK/output" 2>&1
request s=40000 >/dev/null
within "when it is made anew, it is young again" "$(line | awk '{ print $6 }')" 0 1
hgw sysctl -qw net.netfilter.nf_conntrack_icmp_timeout=1
request protocol=1 s=8 d=8 >/dev/null
ok "an echo with pings" test "$(en ping -q -c 10 -i 0.3 -e 8 $G2 | grep -c ' 0% packet loss')" = 1
is "is alive by them" "$(show hgw natf_router/mappings | grep -c ":8 alice ")" 1

namespace other
is "another namespace has none" "$(show other natf_router/mappings)" ""
is "nor do they count there" "$(in_ns other cat /sys/kernel/natf_router/tables | awk '{ print $2 }' | sort -u)" 0
before=$(show hgw natf_router/mappings | grep -c '^tcp')
rmmod natf_router
configure_again() { insmod_router && configure; }
configure_again
is "a module that was loaded anew knows of none" "$before $(list)" "1 "
request s=40001 >/dev/null
is "but of new ones" "$(list)" "tcp 192.168.0.10:80 $EN:40001 $G2:80 alice"
hgw conntrack -F 2>/dev/null
is "which end" "$(list)" ""
forgotten() { [ "$(table mappings)" = "0 1048576" ]; }
WAIT=20 ok "and are forgotten" wait_for forgotten
