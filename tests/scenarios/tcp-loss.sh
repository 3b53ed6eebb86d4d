#!/bin/bash
# limit: 90
# A long transfer over a connection that began with a pseudo-packet, on a line that loses and reorders, with
# windows that need scaling: it comes whole, and the router takes none of its packets for invalid.
#
#   en ─── isp (netem both ways) ─── hgw (policy drop, "ct state invalid drop") ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

MIB=16 # 1024 for the long run; then the limit above has to be 900
NETEM='delay 1ms loss 1% reorder 10% 50% limit 10000'
topology
name_server
natf_on
size=$((MIB * 1024 * 1024))
# Both ends stay when all is sent, so that the connection is seen open.
serve() {
    { head -c $size /dev/urandom | tee >(sha256sum >"$WORK/sent"); wait_for test -e "$WORK/done"; } |
        WAIT=900 ip netns exec alice socat -u - TCP4-LISTEN:9000
}
take() {
    ip netns exec en socat -u TCP4:alice.home.example.net:9000,sourceport=41000 - |
        { head -c $size | sha256sum >"$WORK/got"; cat >/dev/null; }
}
WAIT=900 background serve - serve
wait_for listening alice tcp 9000
# shellcheck disable=SC2086 # several words
isp tc qdisc add dev en root netem $NETEM
# shellcheck disable=SC2086
isp tc qdisc add dev hgw root netem $NETEM

# netem takes what a sender has not yet cut into segments for one packet.
in_ns alice ethtool -K eth0 tso off gso off >/dev/null
in_ns en ethtool -K eth0 tso off gso off >/dev/null
in_ns hgw ethtool -K lan gro off >/dev/null

began=$(milliseconds)
background take - take
WAIT=900 wait_for test -s "$WORK/got"
took=$(($(milliseconds) - began))
entry=$(connections -p tcp | grep 'dport=41000')
touch "$WORK/done"
note "$MIB MiB in $took ms, $((MIB * 8389 / took)) Mbit/s"
note "$(isp tc -s qdisc show dev en | grep -E 'Sent|dropped')"
sack() { alice nstat -asz TcpExtTCPSackRecovery | awk '/Sack/ { print $2 }'; }
ok "losses were mended by SACK" test "$(sack)" -gt 2
is "all came whole" "$(cat "$WORK/got")" "$(cat "$WORK/sent")"
matches "the entry is ESTABLISHED and assured, for days" "$entry" '^tcp +6 +43[12][0-9]{3} ESTABLISHED .*ASSURED'
is "there is one" "$(grep -c . <<<"$entry")" 1
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
end take
