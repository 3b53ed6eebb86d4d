#!/bin/bash
# stock: yes
# limit: 90
# The router's connection tracking stays strict for everybody: a long transfer over a connection that
# began with a pseudo-packet runs through rules that drop what is invalid, and its close is tracked.
#
#   en ─── isp ─── hgw (policy drop, "ct state invalid drop") ─── alice (nginx, 50 MB)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
head -c 50M /dev/urandom >"$WORK/web.alice/big"
sum=$(sha256sum <"$WORK/web.alice/big")
sysctls() { hgw sysctl -a 2>/dev/null | grep -E '^net\.netfilter\.' | grep -vE 'nf_conntrack_count|_rr' | sort; }
entry() { connections -p tcp | grep 'src=192.168.0.10 .*sport=80'; }
has() { entry | grep -q "$1"; }

is "control: window tracking is strict" "$(hgw sysctl -n net.netfilter.nf_conntrack_tcp_be_liberal)" 0
not_ok "control: without the modules nothing comes" \
    fetch en http://alice.home.example.net/big --connect-timeout 1 -o /dev/null
natf_on
# More is on its way at a time than a window without scaling allows.
delay 5
before=$(sysctls)

background download en curl -sS --max-time 80 --limit-rate 25M -o "$WORK/big" http://alice.home.example.net/big
ok "while it runs, the entry is ESTABLISHED" wait_for has 'ESTABLISHED'
ok "and assured" wait_for has 'ASSURED'
ok "the transfer ends well" wait "${PID[download]}"
is "50 MB came whole" "$(sha256sum <"$WORK/big")" "$sum"
ok "the close was tracked" wait_for has 'TIME_WAIT'
is "one entry, not two" "$(entry | grep -c .)" 1
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
is "the router's sysctls are what they were" "$(sysctls)" "$before"
