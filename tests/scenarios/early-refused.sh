#!/bin/bash
# A packet that travels is no way around anybody's rules: who is denied reaches nobody, the data flow passes the
# firewall of the router, and what EN's own firewall would not let out does not travel.
#
#   en (firewall, later) ─── isp ─── hgw (firewall) ─── alice, carol (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
web_server carol
natf_on
capture carol carol eth0 tcp
capture alice alice eth0 'tcp[tcpflags] == tcp-syn'
page() { fetch en http://alice.home.example.net/ "$@"; }
of_en() { stat_of en natf_en "early_$1"; }
of_router() { stat_of hgw natf_router "early_$1"; }
heard() { captured alice | cut -d' ' -f1; }
forgotten() { ! show en natf_en/vat | grep -q refused; }

is "control: the page comes" "$(page)" "this is alice"
is "control: the packet travelled" "$(of_en delivered) $(of_router delivered) $(heard)" "1 1 1"

timed connect en carol.home.example.net 80
matches "denied: the application is told" "$(cat "$WORK/timed")" 'No route to host'
is "denied: the packet had travelled, and went nowhere" "$(of_en sent) $(of_router delivered)" "2 1"

hgw nft insert rule inet filter forward ip daddr "$EN" tcp dport != 22 ip saddr 192.168.0.10 tcp flags syn / syn,ack drop
timed connect en alice.home.example.net 80
matches "forbidden: the application is told" "$(cat "$WORK/timed")" 'No route to host'
is "forbidden: nothing was delivered" "$(stat_of hgw natf_router forbidden) $(of_router delivered) $(heard)" "1 1 1"
hgw nft flush ruleset
firewall
hgw nft insert rule inet filter forward iifname wan tcp dport 80 counter drop
wait_for forgotten
not_ok "the data flow is dropped: no connection" page --connect-timeout 1
is "the data flow is dropped: the packet met the rule" "$(of_router delivered) $(heard)" "2 1"
hgw nft flush ruleset
firewall
is "control: without that rule it goes on" "$(page)" "this is alice"
is "control: heard once more" "$(of_router delivered) $(heard)" "3 2"

sent=$(of_en sent)
own() { # own RULE…: EN's firewall
    en nft flush ruleset
    en nft -f - <<RULES
table inet own {
    chain out {
        type filter hook output priority filter;
        $*
    }
}
RULES
}
own ip daddr "$G2" tcp dport 80 drop
not_ok "EN drops it: no connection" page --connect-timeout 1
is "EN drops it: it did not travel" "$(of_en sent) $(heard)" "$sent 2"
own ip daddr "$G2" tcp dport 80 reject with tcp reset
timed connect en alice.home.example.net 80
matches "EN rejects it: the application is told" "$(cat "$WORK/timed")" 'refused'
is "EN rejects it: it did not travel" "$(of_en sent) $(heard)" "$sent 2"
own ip daddr "$G2" tcp dport 80 queue num 9
not_ok "EN asks a program that is not there: no connection" page --connect-timeout 1
is "EN asks a program: it did not travel" "$(of_en sent) $(heard)" "$sent 2"
own "meta skuid 65534 accept; ip daddr $G2 tcp dport 80 drop"
as_nobody() {
    en setpriv --reuid=65534 --regid=65534 --clear-groups curl -sS --max-time 5 "http://$(address_of alice.home.example.net)/"
}
is "EN lets one user out: his does" "$(as_nobody) $(of_en sent) $(heard)" "this is alice $((sent + 1)) 3"
not_ok "EN lets one user out: another one's does not" page --connect-timeout 1
is "EN lets one user out: and did not travel" "$(of_en sent) $(heard)" "$((sent + 1)) 3"
capture_end alice
capture_end carol
is "carol heard nothing" "$(count_packets carol)" 0
