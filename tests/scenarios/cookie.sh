#!/bin/bash
# The cookie of a router that wants one from everybody: it is kept nowhere, and is good for the flow and the host
# that it was made for. An endpoint sends it back at once.
#
#   en (raw sockets, curl) ─── isp ─── hgw (cookie 0) ─── alice (nginx :80)
#                               └ web (raw sockets)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
request() { en python3 "$NATF_TESTS/lib/request.py" tell=all "$@"; }

matches "control: nobody is asked for one" "$(request)" '^code 0 '
printf 'source 7\ncookie 0 # all\n' >both
printf 'source 8\ncookie x\n' >wrong
hgw cp both /sys/kernel/natf_router/limits
not_ok "a wrong line" hgw cp wrong /sys/kernel/natf_router/limits
is "and none of its write counts; limits are shown as they are written" \
    "$(show hgw natf_router/limits)" $'source 7\ncookie 0\nmappings 4096'
write hgw natf_router/limits "source 500"

answer=$(request nonce=1 s=41000)
matches "code 8 and a cookie" "$answer" \
    '^code 8 mapped 0.0.0.0:0 lifetime 0 new epoch none cookie [0-9a-f]{16}$'
# The secret turns once a minute, so at most once between these questions.
again=$(request nonce=1 s=41000)
[ "$again" = "$answer" ] || { answer=$again && again=$(request nonce=1 s=41000); }
is "asked again, the same: it is kept nowhere" "$again" "$answer"
cookie=${answer##* }
other=$(request nonce=1 s=41000 name=dave)
[ "${other##* }" = "$cookie" ] || { cookie=$(request nonce=1 s=41000) && cookie=${cookie##* }; }
matches "also for a name that is not there" "$other" "^code 8 .* $cookie\$"
is "no mapping was made" "$(connections | grep -c 'dport=41000')" 0
matches "with its cookie it is mapped" "$(request nonce=1 s=41000 option=2:"$cookie")" "^code 0 mapped $G2:80 "
matches "the cookie is no other flow's" "$(request nonce=2 s=41001 option=2:"$cookie")" '^code 8 '
matches "nor another host's" \
    "$(web python3 "$NATF_TESTS/lib/request.py" nonce=1 s=41000 option=2:"$cookie")" '^code 8 '
matches "one that is made up is none" "$(request nonce=3 option=2:0011223344556677)" '^code 8 '
is "without room for a cookie there is no answer" "$(request nonce=4 pad=0)" "silence"
is "a cookie of wrong length is malformed" "$(request nonce=5 option=2:00)" "silence"

is "an application does not notice" "$(fetch en http://alice.home.example.net/)" "this is alice"
is "its flow took two requests" "$(stat_of en natf_en request_sent)" 2
is "the second with the cookie" "$(stat_of en natf_en cookie_sent)" 1
not_ok "a refusal comes the same way" connect en carol.home.example.net 80
is "as a refusal" "$(stat_of en natf_en denied)" 1
