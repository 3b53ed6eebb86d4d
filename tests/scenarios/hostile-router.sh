#!/bin/bash
# A router that sends flows where no flow may go, that wants cookies without end, or that answers nonsense: the
# application is refused or waits in vain, and nothing reaches this host's own services or goes round in circles.
#
#   en (nginx :80 on loopback) ─── isp (plays the router) ─×─ hgw
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server en
web_server web
insmod_en
write en natf_en/domains "add home.example.net"
lose isp forward ip daddr "$G2" icmp type echo-request
number=0
router() { # router KEY=VALUE…: a new name's connection, and what became of it
    number=$((number + 1))
    background router isp python3 "$NATF_TESTS/lib/answer.py" en "$@"
    wait_for grep -q listening "$WORK/router.log"
    FETCHED=$(fetch en "http://h$number.home.example.net/" --max-time 0.4 2>&1 || true)
    end router
}
count() { stat_of en natf_en "$1"; }

is "control: the host serves itself" "$(fetch en http://127.0.0.1/)" "this is en"
router "mapped=$WEB:80"
is "control: such a router is believed" "$FETCHED" "this is web"
is "control: nothing is malformed" "$(count reply_malformed)" 0
before=0
refused() { # refused TEXT
    is "$1: leads nowhere" "$(show en natf_en/vat | grep -c ":80 [0-9.]*:[0-9]* h$number " || true)" 0
    matches "$1: no page" "$FETCHED" 'curl: '
    ok "$1: counted" test "$(count reply_malformed)" -gt "$before"
    before=$(count reply_malformed)
}
for address in 127.0.0.1:80 $EN:80 224.0.0.1:80 255.255.255.255:80 0.0.0.0:80 240.0.1.1:80 "$WEB:0"; do
    router "mapped=$address"
    refused "$address"
done
router "mapped=$WEB:80" lifetime=0
refused "no lifetime"
router "mapped=$WEB:80" raw=040800
refused "an option that is cut off"
router "mapped=$WEB:80" raw=8000
refused "an option that must be understood"

over() { ! show en natf_en/vat | grep -q negotiating; }
wait_for over
router code=8 cookie=0011223344556677 count=50
is "of any number of cookies a flow takes one" "$(count cookie_sent)" 1
within "and sends no request for the others" "$(grep -c answered "$WORK/router.log")" 1 4
