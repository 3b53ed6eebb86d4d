#!/bin/bash
# Two names of one inside host, the same port, from the same source port: on the wire that is one flow.
# The second is refused at once and clearly, the first goes on; from another port both work.
#
#   en :40000 ─── isp ─── hgw (masquerade) ─── alice = alias (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
write hgw natf_router/act "add alias 192.168.0.10 allow"

mkfifo "$WORK/go"
background first en socat -t 5 "OPEN:$WORK/go,rdonly!!CREATE:$WORK/got" \
    TCP4:alice.home.example.net:80,sourceport=40000,reuseaddr
exec {go}>"$WORK/go"
first_is_open() { en ss -Htn state established 'sport = :40000' | grep -q 240; }
wait_for first_is_open

timed en socat -t 5 - TCP4:alias.home.example.net:80,sourceport=40000,reuseaddr </dev/null
matches "the second is refused" "$(cat "$WORK/timed")" 'No route to host'
ok "at once" test "$TOOK" -lt 1000
is "control: from another port it works" "$(fetch en http://alias.home.example.net/)" "this is alice"
printf 'GET / HTTP/1.0\r\n\r\n' >&"$go"
ok "the first goes on" wait_for grep -q 'this is alice' "$WORK/got"
