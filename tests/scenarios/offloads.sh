#!/bin/bash
# limit: 90
# Big packets (TSO, GSO, GRO) go through the translation as fast as past it, both ways.
#
#   en (iperf3) ─── isp ─── hgw (masquerade) ─── alice (iperf3 -s)
#                    └───── web (iperf3 -s): the yardstick, without NAT-f
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
for end in "en eth0" "isp en" "isp hgw" "isp web" "hgw wan" "web eth0" "alice eth0" "hgw to-alice"; do
    read -r ns interface <<<"$end"
    in_ns "$ns" ethtool -K "$interface" tso on gso on gro on >/dev/null
done
for ns in alice web; do
    background "$ns.iperf3" "$ns" iperf3 -s
    wait_for listening "$ns" tcp 5201
done
not_ok "control: without the modules alice cannot be measured" \
    en timeout 5 iperf3 -c alice.home.example.net -t 1 --connect-timeout 1000
natf_on

# rate HOST [-R]: Mbit/s that arrived
rate() {
    en timeout 20 iperf3 -J -t 2 -c "$@" >"$WORK/iperf.json"
    jq '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf.json"
}
for way in "" -R; do
    # shellcheck disable=SC2086 # no argument at all for the one way
    {
        plain=$(rate web.example.net $way)
        through=$(rate alice.home.example.net $way)
    }
    note "${way:-forward}: $plain Mbit/s plain, $through Mbit/s through NAT-f"
    # Mishandled big packets cost a factor of hundreds; the NAT and one more hop cost their share.
    within "${way:-forward}: no collapse" $((through * 100 / (plain + 1))) 25 100000
done
big() { packets big "tcp and greater 2000 and $1" | grep -c . || true; }
capture big en eth0 tcp
rate alice.home.example.net >/dev/null
rate alice.home.example.net -R >/dev/null
capture_end big || note "the capture has holes: only presence is asked"
differs "control: big packets left en" "$(big "src $EN")" 0
differs "control: big packets reached en" "$(big "dst $EN")" 0
