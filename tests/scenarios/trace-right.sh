#!/bin/bash
# Where all is right, natfctl trace says so, with each step and its time; natfctl resolve tells what came over the wire
# and what the kernel made of it.
#
#   en (natfctl) ─── isp (BIND) ─── hgw (masquerade) ─── alice (nginx :80, UDP echo :5000)
#                     └── web (nginx :8080; neither NAT nor NAT-f) = plain.home.example.net
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

topology
echo "plain.home A $WEB" >"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
web_server web 8080
udp_echo alice 5000
natf_on

all_right "TCP" alice.home.example.net 80
is "each step was seen" "$(jq -r '.steps | map(.step) | join(",")' "$WORK/trace")" \
    "module,domain,resolver,name,route,request,answer,mapping,first packet,packet back"
is "all of them right" "$(jq -r '.steps | map(.state) | unique | join(",")' "$WORK/trace")" ok
is "the first packet travelled in the request" "$(jq -r '.steps[] | select(.step == "first packet") | .text' "$WORK/trace")" \
    "it travelled in the request, and the router has delivered it"
write en natf_en/early off
all_right "a first packet that waits for the mapping" alice.home.example.net 80
matches "is seen on its way there" "$(jq -r '.steps[] | select(.step == "first packet") | .text' "$WORK/trace")" "^to $G2:[0-9]+$"
is "what takes time is timed" \
    "$(jq -r '.steps | map(select(.micros != null) | .step) | join(",")' "$WORK/trace")" \
    "resolver,request,answer,first packet,packet back"
write en natf_en/early on
within "in microseconds" "$(jq '.steps | map(.micros // 0) | add' "$WORK/trace")" 100 999999
all_right "UDP" alice.home.example.net 5000 --udp
is "the datagram was empty, so nobody answers for sure" "$(jq -r '.steps[-1].state' "$WORK/trace" | grep -c -E 'ok|warning')" 1
all_right "ping" alice.home.example.net --icmp
is "it came back" "$(jq -r '.steps[-1] | "\(.step) \(.state)"' "$WORK/trace")" "packet back ok"
all_right "a host without NAT-f" plain.home.example.net 8080
is "which is said" "$(jq -r '.steps[] | select(.state == "warning") | .text' "$WORK/trace")" \
    "$WEB answers as any host does, without NAT-f"
is "the attempts are over: nothing is open any more" "$(en ss -Htn state established | grep -c . || true)" 0

en natfctl trace alice.home.example.net 80 >"$WORK/human"
matches "for people" "$(cat "$WORK/human")" $'answer +ok +[0-9]+ +203.0.113.2 allows alice\n.*\nAll is right\\.'
not_ok "without colours" grep -q $'\e' "$WORK/human"
en natfctl trace carol.home.example.net 80 >"$WORK/human" || true
matches "for people, what is wrong" "$(cat "$WORK/human")" \
    $'answer +problem +[0-9]+ +203.0.113.2 says DENIED\nWrong, at the router: .*\nWhat to do: on the router: natfctl act list'
note "$(cat "$WORK/human")"

en natfctl resolve alice.home.example.net >"$WORK/human"
matches "resolve: what the resolver says" "$(cat "$WORK/human")" 'resolver +ok +[0-9]+ +240\.'
matches "resolve: what came over the wire, and what natf_en made of it" "$(cat "$WORK/human")" \
    "$NAMESERVER says $G2, of which natf_en makes 240\."
matches "resolve: the table" "$(cat "$WORK/human")" "is alice of home.example.net, router $G2, for [0-9]+ s"
en natfctl resolve --json alice.home.example.net >"$WORK/json"
is "resolve: all of it for programs" \
    "$(jq -r '[.cause, .entry.host, .entry.routers[0], .servers[0].wire.addresses[0], .servers[0].wire.ttl] | map(tostring) | join(" ")' "$WORK/json")" \
    "null alice $G2 $G2 60"
is "resolve: the same address three times" \
    "$(jq -r '[.system[0], .entry.address, .servers[0].got.Ok.addresses[0]] | unique | length' "$WORK/json")" 1
not_ok "resolve: a name of no domain" en natfctl resolve web.example.net

status=0
en setpriv --bounding-set=-net_raw --inh-caps=-net_raw natfctl trace alice.home.example.net 80 >"$WORK/human" 2>&1 || status=$?
is "who may not look at packets is told, in a sentence" "$(cat "$WORK/human") $status" \
    "natfctl: looking at packets: Operation not permitted: it takes root (CAP_NET_RAW) 1"
