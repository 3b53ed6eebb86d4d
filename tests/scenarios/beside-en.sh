#!/bin/bash
# Both modules on the same router, in two homes: the applications of a router reach its own hosts by their names,
# and those of the other home, and hosts of either home reach those of the other, both ways at the same time.
#
#   alice, bob ─── hgw (natf_router, natf_en) ─── isp (name server) ─── hgw2 (natf_en, natf_router) ─── dan
#   192.168.0.10, .11   home.example.net                                   house.example.net   192.168.0.10
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
second_home
asks_isp hgw alice bob
strict_filter hgw
strict_filter hgw2
echo "dan.house 60 A $HGW2" >"$WORK/more"
ZONE=$WORK/more name_server
for host in alice bob dan; do
    web_server $host
    udp_echo $host 5000
done
insmod_en
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
write hgw natf_router/act "add bob 192.168.0.11 allow"
write hgw2 natf_router/act "add dan 192.168.0.10 allow"
ALICE=alice.home.example.net BOB=bob.home.example.net DAN=dan.house.example.net
page() { fetch "$1" "http://$2/" --connect-timeout 2; }
echo_of() { ask_udp "$1" "$2" 5000 hello; }
not_ok "control: without a suffix a router does not reach its host" page hgw $ALICE
for router in hgw hgw2; do
    write $router natf_en/domains "add home.example.net"
    write $router natf_en/domains "add house.example.net"
    owners_state $router >"$WORK/$router.before"
done

capture wire isp hgw
is "the router's own application and its own host" "$(page hgw $ALICE)" "this is alice"
is "datagrams, too" "$(echo_of hgw $ALICE)" "alice heard hello from $G2"
is "another of them at the same time" "$(page hgw $BOB)" "this is bob"
timed connect hgw carol.home.example.net 80
matches "of one that the table does not know it is told" "$(cat "$WORK/timed")" 'No route to host'
within "at once" "$TOOK" 0 999
is "and a host of the other home" "$(page hgw $DAN)" "this is dan"
is "datagrams, too" "$(echo_of hgw $DAN)" "dan heard hello from $G2"
is "the other router and a host of this home" "$(page hgw2 $ALICE)" "this is alice"
is "a host here and one there" "$(page alice $DAN)" "this is dan"
is "datagrams, too" "$(echo_of alice $DAN)" "dan heard hello from $G2"
is "one there and one here" "$(page dan $ALICE)" "this is alice"
is "datagrams, too" "$(echo_of dan $ALICE)" "alice heard hello from $HGW2"

head -c 2M /dev/urandom >"$WORK/web.alice/file"
head -c 2M /dev/urandom >"$WORK/web.dan/file"
background here alice curl -sS --max-time 20 -o "$WORK/dan.file" http://$DAN/file
background there dan curl -sS --max-time 20 -o "$WORK/alice.file" http://$ALICE/file
ok "big files both ways at the same time, one" wait "${PID[here]}"
ok "and the other" wait "${PID[there]}"
ok "the one is whole" cmp "$WORK/web.dan/file" "$WORK/dan.file"
ok "and the other" cmp "$WORK/web.alice/file" "$WORK/alice.file"
capture_end wire
is "no virtual address was on the wire" "$(count_packets wire net 240.0.0.0/4)" 0
is "nor a private one" "$(count_packets wire net 192.168.0.0/16)" 0
is "no pseudo-packet" "$(count_packets wire 'udp[8:4] == 0x4e415466')" 0
is "nothing was sent twice" "$(repeated_segments wire)" ""
for router in hgw hgw2; do
    is "$router: the firewall met no invalid packet" "$(nft_counter $router filter invalid)" 0
    is "$router: rules and settings are what they were" \
        "$(owners_state $router | diff "$WORK/$router.before" -)" ""
done
