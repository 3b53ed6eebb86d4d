#!/bin/bash
# stock: yes
# Both modules tell how long their stages take: only when asked to, each namespace for itself, and as long as they
# really do.
#
#   en (curl, UDP) ─── isp (netem) ─── hgw ─── alice (nginx, UDP echo)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
udp_echo alice 5000
natf_on

timings() { show "$1" "$2/timings"; }
# counts NAMESPACE MODULE: a line each, stage and count
counts() { timings "$1" "$2" | sed -n 's/^\([a-z_]*\) count \([0-9]*\) .*/\1 \2/p'; }
value() { # value NAMESPACE MODULE STAGE count|median|p99|max
    timings "$1" "$2" | sed -n "s/^$3 .*\b$4 \([0-9]*\) .*/\1/p"
}
none() { counts "$1" "$2" | sed 's/ [0-9]*$/ 0/'; }
set_of() { counts "$1" "$2" | cut -d' ' -f1 | tr '\n' ' '; }
page() { fetch en http://alice.home.example.net/; }
said() { "$@" 2>&1 || true; }
forget() { # the flows and names of en
    rmmod natf_en
    insmod_en
    write en natf_en/domains "add home.example.net"
}

is "stages of an endpoint" "$(set_of en natf_en)" \
    "dns_rewrite negotiation_start request_to_reply resume setup vat_out vat_in vat_demux "
is "stages of a router" "$(set_of hgw natf_router)" "parse act pseudo_packet reply request "
is "off at first" "$(timings en natf_en | head -n 1)" "# off"
is "control: the page comes" "$(page)" "this is alice"
is "nothing was timed on the endpoint" "$(counts en natf_en)" "$(none en natf_en)"
is "nor on the router" "$(counts hgw natf_router)" "$(none hgw natf_router)"
for wrong in "" On 1 "on off" nonsense; do
    matches "not understood: '$wrong'" "$(said write en natf_en/timings "$wrong")" 'Invalid argument'
done
matches "root without CAP_NET_ADMIN" \
    "$(said en setpriv --bounding-set=-net_admin bash -c 'echo on >/sys/kernel/natf_en/timings')" \
    'Operation not permitted'
is "still off" "$(timings en natf_en | head -n 1)" "# off"

forget
write en natf_en/timings on
write hgw natf_router/timings on
is "on" "$(timings en natf_en | head -n 1) $(timings hgw natf_router | head -n 1)" "# on # on"
is "the page comes" "$(page)" "this is alice"
is "UDP, too" "$(ask_udp en alice.home.example.net 5000 hello)" "alice heard hello from $EN"
is "names and two flows were timed" "$(counts en natf_en | grep -v ^vat_)" \
    $'dns_rewrite 2\nnegotiation_start 2\nrequest_to_reply 2\nresume 2\nsetup 2'
stat() { stat_of en natf_en "$1"; }
# The connection may still be closing.
out_timed() { [ "$(value en natf_en vat_out count)" = "$(($(stat translated_out) - $(sent_on en)))" ]; }
in_timed() { [ "$(value en natf_en vat_in count)" = "$(stat translated_in)" ]; }
ok "so was every packet out that did not wait" wait_for out_timed
ok "and every packet in" wait_for in_timed
within "some had their socket before" "$(value en natf_en vat_demux count)" 3 "$(stat translated_in)"
is "the router was asked twice" "$(counts hgw natf_router)" $'parse 2\nact 2\npseudo_packet 2\nreply 2\nrequest 2'
ok "the whole takes longer than its parts" test "$(value hgw natf_router request max)" -gt "$(value hgw natf_router pseudo_packet max)"
ok "so does the set-up" test "$(value en natf_en setup max)" -gt "$(value en natf_en request_to_reply max)"
is "each time is in a bucket" "$(timings en natf_en | sed -n 's/^vat_out .* buckets//p' | tr ' ' '\n' | awk -F: '{ n += $2 } END { print n }')" \
    "$(value en natf_en vat_out count)"
is "another namespace has its own" "$(timings hgw natf_en | head -n 1) $(counts hgw natf_en)" "# off $(none hgw natf_en)"

# A time that is known.
write en natf_en/timings reset
is "reset forgets" "$(counts en natf_en)" "$(none en natf_en)"
is "and nothing else" "$(timings en natf_en | head -n 1) $(value hgw natf_router request count)" "# on 2"
delay 30
is "the page comes from far" "$(page)" "this is alice"
within "a round trip of 60 ms takes that long" "$(value en natf_en request_to_reply median)" 56000000 90000000
within "and a bit, as far as is told exactly" "$(value en natf_en request_to_reply max)" 60000000 90000000

# Which of two requests was answered?
lose isp forward ip daddr "$G2" icmp type echo-request numgen inc mod 1000000 == 0
is "the page comes by a second request" "$(page)" "this is alice"
is "it has no time" "$(value en natf_en request_to_reply count)" 1
is "but a set-up" "$(value en natf_en setup count)" 2
keep isp

# The switch is one for all namespaces, and each has its own.
write hgw natf_en/timings on
write en natf_en/timings off
was=$(counts en natf_en)
is "the page comes with timings elsewhere" "$(page)" "this is alice"
is "and is not timed here" "$(timings en natf_en | head -n 1) $(counts en natf_en)" "# off $was"
write web natf_en/timings on
ip netns del web
gone() { [ -z "$(ip -n isp -o link show web 2>/dev/null)" ]; }
ok "a namespace goes with its timings on" wait_for gone
write en natf_en/timings on
is "the page comes then" "$(page)" "this is alice"
is "and is timed" "$(value en natf_en setup count)" 3

ok "natf_en goes with its timings on" rmmod natf_en
ok "natf_router, too" rmmod natf_router
natf_on
is "they come back without" "$(timings en natf_en | head -n 1) $(timings hgw natf_router | head -n 1)" "# off # off"
is "and time nothing: the page" "$(page)" "this is alice"
is "and time nothing" "$(counts en natf_en)" "$(none en natf_en)"
