#!/bin/bash
# A home router that runs natf_en for its hosts keeps from them what its firewall keeps from them, whatever a DNS server
# or a router of the other side says; and what it does itself stays apart from what they do, also on the same port.
#
#   dan ─ lan ─ hgw2 (natf_en; nginx :81 for itself alone) ─── isp (BIND: trap is hgw2; plays a router) ─── hgw ─ alice (echo)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
second_home
printf '%s\n' "trap.home A $HGW2" "blocked.home A 0.0.0.0" "rebind.home A 127.0.0.1" >"$WORK/more"
ZONE=$WORK/more name_server
web_server hgw2 81
udp_echo alice 5000
natf_on
write hgw2 natf_en/domains "add home.example.net"
hgw2 nft insert rule inet filter input tcp dport 81 iifname != lo drop
reads() { fetch "$1" "http://$2:81/" --connect-timeout 2; }

is "control: the router serves itself" "$(reads hgw2 $HGW2)" "this is hgw2"
not_ok "control: its firewall keeps its hosts away" reads dan $HGW2
matches "control: the name of its address is a virtual one" "$(dan dig +short trap.home.example.net)" '^240\.'
timed connect dan trap.home.example.net 81
matches "by that name it is refused, too" "$(cat "$WORK/timed")" 'Permission denied|No route to host'
is "and counted" "$(stat_of hgw2 natf_en reply_malformed)" 1
is "an address that no router has passes as it is" "$(dan dig +short rebind.home.example.net)" 127.0.0.1
is "so does that of a name that is blocked" "$(dan dig +short blocked.home.example.net)" 0.0.0.0
is "both are counted" "$(stat_of hgw2 natf_en dns_no_router)" 2
is "for the router itself its own address is one as any other" "$(reads hgw2 trap.home.example.net)" "this is hgw2"

lose isp forward ip daddr "$G2" icmp type echo-request
background forger isp python3 "$NATF_TESTS/lib/answer.py" hgw2 "mapped=$HGW2:81"
wait_for grep -q listening "$WORK/forger.log"
not_ok "a router elsewhere cannot send them there" reads dan bob.home.example.net
differs "control: it has answered" "$(grep -c 'bob answered' "$WORK/forger.log")" 0
end forger
keep isp

say() { ask_udp "$1" alice.home.example.net 5000 "$2" "$3"; } # say NAMESPACE TEXT PORT
is "dan talks from a port" "$(say dan hello 42000)" "alice heard hello from $HGW2"
is "control: his router from another" "$(say hgw2 mine 42001)" "alice heard mine from $HGW2"
full=$(stat_of hgw2 natf_en out_table_full)
not_ok "not from the same, as answers could not be told apart" say hgw2 mine 42000
ok "which is counted" test "$(stat_of hgw2 natf_en out_table_full)" -gt "$full"
is "dan's go on" "$(say dan again 42000)" "alice heard again from $HGW2"
is "nor can he use a port of the router's" "$(say dan mine 42001 2>&1)" ""
