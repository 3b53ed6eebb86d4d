#!/bin/bash
# guest: uml
# limit: 120
# How long each stage of a set-up takes, and the translation of a packet, as the modules themselves measure it
# (`timings` in docs/usage.md), beside Fig. 7 of the paper.
#
#   en (dig, natf-load) ─── isp ─── hgw ─── alice (natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

CONNECTIONS=2000
QUERIES=200

# Stage of a module, what Fig. 7 has for it in microseconds, and what it is.
SETUP='dns_rewrite 7.13 rewriting a DNS answer
negotiation_start 3.38 starting the negotiation
request 114 the router: the whole request
request_to_reply 388 from request to reply
resume 27 resuming with the held packet
setup 650 the whole set-up'
PARTS='parse reading and checking a request
act access control table
pseudo_packet the pseudo-packet, through the NAT
reply mapping and reply
request the whole request'
PACKETS='vat_out out
vat_in in
vat_demux in, before its route'

rows_of() { # rows_of TABLE: a row for each of its lines
    local stage label
    while read -r stage label; do
        say row "$1-$stage" "${label#[0-9]* }"
    done <<<"$2"
}
say chart setup us "Stages of a set-up; paper: Fig. 7, on a Pentium 4 with 100BASE-TX"
rows_of setup "$SETUP"
say chart router ns "Parts of a request on the router"
rows_of router "$PARTS"
say chart packet ns "Translation of a packet of 64 bytes on EN"
rows_of packet "$PACKETS"
say goal setup-request median most 10 "The whole request on the router, us"
say goal packet-vat_out median most 60 "Translation of a packet out, ns"
say goal packet-vat_in median most 60 "Translation of a packet in, ns"
say goal packet-vat_demux median most 60 "A packet in, before its route, ns"

topology
hgw nft flush ruleset
name_server
for ((query = 0; query < QUERIES; query++)); do echo alice.home.example.net; done >"$WORK/names"

# tell TABLE DIVISOR ROWS: what the modules say now
tell() {
    local stage column value
    { en cat /sys/kernel/natf_en/timings && hgw cat /sys/kernel/natf_router/timings; } >"$WORK/timings"
    while read -r stage _; do
        for column in median p99 max; do
            value=$(sed -n "s/^$stage .*\b$column \([0-9]*\) .*/\1/p" "$WORK/timings")
            say figure "$1-$stage" $column "$(awk "BEGIN { print $value / $2 }")"
        done
    done <<<"$3"
}

measure() {
    local stage paper
    write en natf_en/timings on
    write hgw natf_router/timings on
    en dig +short -f "$WORK/names" >/dev/null
    natf-load connect en alice "$TARGET" 5400 $CONNECTIONS 1 >/dev/null
    while read -r stage paper _; do
        say figure "setup-$stage" paper "$paper"
    done <<<"$SETUP"
    tell setup 1000 "$SETUP"
    tell router 1 "$PARTS"
    write en natf_en/timings reset
    natf-load udp en alice "$TARGET" 5300 64 0.2 >/dev/null
    tell packet 1 "$PACKETS"
}

one() { with "$1" measure; }
rounds one natf
