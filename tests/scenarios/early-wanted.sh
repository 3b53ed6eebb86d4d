#!/bin/bash
# Where the first packet may not travel, or the router does not want it, everything is as without: a router that knows
# nothing of it (its setting is off), one that wants it only from those who have proven themselves by cookie or key, a
# host without NAT-f, and the endpoint's own setting.
#
#   en ─── isp ─── hgw ─── alice (nginx :80)
#           └ web (nginx :80; no NAT-f) = plain.home.example.net
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
echo "plain.home A $WEB" >"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
web_server web
natf_on
of_en() { stat_of en natf_en "early_$1"; }
of_router() { stat_of hgw natf_router "early_$1"; }
# page NAME REQUESTS EARLY SYNS: alice's page comes after so many requests, of them so many with the packet, and so many
# SYNs leave EN
page() {
    local before
    before=$(of_en sent)
    capture wire isp en
    is "$1: the page comes" "$(fetch en http://alice.home.example.net/)" "this is alice"
    capture_end wire
    is "$1: requests, with the packet, SYNs" "$(count_packets wire "src $EN and icmp") $(($(of_en sent) - before)) \
$(count_packets wire "src $EN and tcp[tcpflags] == tcp-syn")" "$2 $3 $4"
    is "$1: nothing was repeated" "$(repeated_segments wire)" ""
}

is "control: on by default" "$(show en natf_en/early) $(show hgw natf_router/early)" "on all"
page "control" 1 1 0
write en natf_en/early off
page "the endpoint does not want it" 1 0 1
write en natf_en/early on
write hgw natf_router/early off
page "the router does not want it" 1 1 1
is "the router does not want it: counted" "$(of_router unwanted)" 1
write hgw natf_router/early proven
page "only from the proven" 1 1 1
is "only from the proven: counted" "$(of_router unwanted)" 2
write hgw natf_router/limits "cookie 0"
page "proven by a cookie" 2 2 0
write hgw natf_router/early all
page "with a cookie, from all" 2 2 0
write hgw natf_router/limits "cookie 2000"
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
write hgw natf_router/early proven
write en natf_en/keys "add home.example.net $key"
write hgw natf_router/keys "add office $key"
write hgw natf_router/act "flush"
write hgw natf_router/act "add alice 192.168.0.10 allow key office"
page "proven by a key" 1 1 0
is "so many were delivered" "$(of_router delivered) $(of_en delivered)" "4 4"
write en natf_en/keys "flush"

sent=$(of_en sent)
capture wire isp en
is "a host without NAT-f is talked to directly" "$(fetch en http://plain.home.example.net/)" "this is web"
capture_end wire
is "a host without NAT-f: it got request and packet one after the other" \
    "$(($(of_en sent) - sent)) $(count_packets wire "icmp and dst $WEB") $(count_packets wire "dst $WEB and tcp[tcpflags] == tcp-syn")" "1 1 1"

for wrong in "" maybe "on off" ON; do
    not_ok "no setting of an endpoint: '$wrong'" write en natf_en/early "$wrong"
    not_ok "no setting of a router: '$wrong'" write hgw natf_router/early "$wrong"
done
is "they are as they were" "$(show en natf_en/early) $(show hgw natf_router/early)" "on proven"
