#!/bin/bash
# Requests that are not as the protocol says: each is dropped and counted, or answered with its code, as
# docs/protocol.md has it, and no answer is longer than its request.
#
#   en (raw sockets) ─── isp ─── hgw (masquerade, ACT: alice allow, carol deny)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
write hgw natf_router/act "add carol 192.168.0.12 deny"
write hgw natf_router/act "add dave 10.9.9.9 allow"
write hgw natf_router/act "add router 192.168.0.1 allow"

mapped='code 0 mapped 203.0.113.2:80 lifetime 432000'
is "control: a well-formed request is answered" "$(request)" "$mapped"
is "also the shortest" "$(request pad=0)" "$mapped"
is "and the longest" "$(request pad=1024)" "$mapped"

# check TEXT COUNTER ANSWER KEY=VALUE…
check() {
    local text=$1 counter=$2 answer=$3 before
    shift 3
    before=$(stat_of hgw natf_router "$counter")
    is "$text: $answer" "$(request "$@")" "$answer"
    # The request that follows each is denied.
    [ "$counter" != denied ] || before=$((before + 1))
    is "$text: counted as $counter" "$(stat_of hgw natf_router "$counter")" $((before + 1))
}
code() { echo "code $1 mapped 0.0.0.0:0 lifetime 0"; }

check "a wrong checksum" malformed silence checksum=wrong
check "cut short" malformed silence cut=4
check "cut within the fixed part" malformed silence cut=60
check "a length that is too small" malformed silence length=92
check "a length that is too large" malformed silence length=100
check "longer than 1024 bytes" malformed silence pad=1028
check "version 0" malformed silence version=0
check "version 2" malformed silence version=2
check "type 0" malformed silence type=0
check "type 2, a response" malformed silence type=2
check "type 3" malformed silence type=3
check "no NAME" malformed silence name=
check "two NAMEs" malformed silence option=1:626f62
check "a NAME in upper case" malformed silence name=Alice
check "a NAME with a dot at the end" malformed silence name=alice.
check "an empty label" malformed silence name=alice..x
check "an option that overruns" malformed silence pad=0 option=3:00112233 cut=2 length=55
check "an option without a length" malformed silence pad=0 option=3: cut=1 length=52

check "an unknown protocol" bad_protocol "$(code 5)" protocol=132
check "protocol 0" bad_protocol "$(code 5)" protocol=0
check "a critical option" bad_option "$(code 7)" option=128:
check "the last critical option" bad_option "$(code 7)" option=255:00112233
check "a name that is denied" denied "$(code 1)" name=carol
check "a name that is not there" denied "$(code 1)" name=erin
check "the shortest of these" denied "$(code 1)" name=e pad=0
check "a host that no inside interface leads to" no_host "$(code 3)" name=dave
check "the router itself" no_host "$(code 3)" name=router
is "an option that need not be known is skipped" "$(request option=127:00)" "$mapped"
is "so are those of later versions" "$(request option=2:0011223344556677)" "$mapped"

before=$(show hgw natf_router/stats | grep -v '^denied ')
is "without the magic it is a plain ping, which the firewall drops" "$(request magic=NATx)" silence
is "and not counted" "$(show hgw natf_router/stats | grep -v '^denied ')" "$before"
