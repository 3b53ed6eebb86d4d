#!/bin/bash
# A network that asks too often, cookies or not, gets no more than its share; another one does not notice.
#
#   en 198.51.100.2 (opens 60 flows at once) ─── isp ─── hgw (5 requests a second of a network) ─── alice
#   web 203.0.113.66 (raw sockets) ───────────────┘
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
natf_on
write hgw natf_router/limits "source 5"
virtual=$(address_of alice.home.example.net)
# shellcheck disable=SC2016 # perl's variables
en perl -MSocket -e '
    my $to = sockaddr_in(5000, inet_aton(shift));
    for (1 .. 60) { socket(my $s, PF_INET, SOCK_DGRAM, 0); send($s, "x", 0, $to); push @kept, $s; }' "$virtual"
limited() { (($(stat_of hgw natf_router rate_limited) > 0)); }
ok "with cookies, too, it is too much" wait_for limited
matches "another network is served at once" \
    "$(web python3 "$NATF_TESTS/lib/request.py")" "^code 0 mapped $G2:80 "
given_up() { ! show en natf_en/vat | grep -q negotiating; }
ok "what is not answered is given up" wait_for given_up
mapped=$(stat_of en natf_en mapped)
note "$mapped of 60 flows were mapped in the 4 s of their negotiation"
within "they were mapped at the rate that is allowed" "$mapped" 10 59
differs "the others were not" "$(stat_of en natf_en silent)" 0
