#!/bin/bash
# The owner loads his rules anew, all at once and again and again, while a transfer runs over a mapping: nothing is
# lost. With other rules of NAT old mappings stay where they are, and new ones are made by the new rules.
#
#   en ─── isp (captured here) ─── hgw (nft -f and iptables-restore, over and over) ─── alice (nginx, TCP :7000, UDP :5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
ip -n isp route add 203.0.113.128/28 via $G2
name_server
web_server alice
udp_echo alice 5000
line_echo alice 7000
head -c 4M /dev/urandom >"$WORK/web.alice/file"
sum=$(sha256sum <"$WORK/web.alice/file")
natf_on
{
    echo flush ruleset
    hgw nft -s list ruleset
} >"$WORK/rules"
sed 's/masquerade/snat to 203.0.113.130/' "$WORK/rules" >"$WORK/other"

transfer() { # transfer TEXT CMD…: CMD, again and again while it runs
    local text=$1 rounds=0
    shift
    capture "$rounds" isp hgw
    background download en curl -sS --max-time 20 --limit-rate 4M -o "$WORK/file" http://alice.home.example.net/file
    # Whoever has something to lose has it now.
    wait_for test -s "$WORK/file"
    while kill -0 "${PID[download]}" 2>/dev/null; do
        "$@"
        rounds=$((rounds + 1))
    done
    ok "$text: the transfer ends well" wait "${PID[download]}"
    is "$text: it is whole" "$(sha256sum <"$WORK/file")" "$sum"
    ok "$text: while the rules were loaded more than once" test "$rounds" -gt 1
    capture_end 0
    is "$text: nothing was sent twice" "$(repeated_segments 0)" ""
    is "$text: no pseudo-packet left" "$(count_packets 0 "$PSEUDO")" 0
    rm "$WORK/file"
}
transfer "nft -f" hgw nft -f "$WORK/rules"
for kind in nft legacy; do
    hgw iptables-$kind -t nat -A POSTROUTING -o wan -j MASQUERADE
    hgw iptables-$kind -A FORWARD -m conntrack --ctstate INVALID -j DROP
    hgw iptables-$kind-save >"$WORK/iptables"
    transfer "iptables-$kind-restore" hgw iptables-$kind-restore "$WORK/iptables"
    for table in nat filter; do
        hgw iptables-$kind -t $table -F
    done
done
hgw nft -f "$WORK/rules"

mapped() { show en natf_en/vat | awk -v own="$EN:$1" '$2 == own { print $4 }'; }
udp() { ask_udp en alice.home.example.net 5000 hello "$1"; }
talker tcp en alice.home.example.net 7000 41000
tell tcp one
wait_for heard tcp 'heard: one'
is "a datagram" "$(udp 41001)" "alice heard hello from $EN"
hgw nft -f "$WORK/other"
tell tcp two
ok "other rules: the connection goes on" wait_for heard tcp 'heard: two'
is "other rules: so do datagrams" "$(udp 41001)" "alice heard hello from $EN"
is "other rules: both where they were" "$(mapped 41000) $(mapped 41001)" "$G2:7000 $G2:5000"
is "other rules: a new flow" "$(udp 41002)" "alice heard hello from $EN"
is "other rules: is where they say" "$(mapped 41002)" 203.0.113.130:5000
is "nobody had to ask again" "$(stat_of en natf_en asked)" 0
