#!/bin/bash
# An endpoint that asks for as many mappings as it can gets no more than one endpoint may have, of all names together.
# It keeps none from others, what it has it may ask for again, and what is refused leaves nothing on the router. It
# cannot ask in another endpoint's place either; who forges the source, too, does not use up what is another's, because
# that one can show that it hears (by a cookie).
#
#   en, web (raw sockets) ─── isp ─── hgw (8 mappings an endpoint) ─── alice, bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow
add bob 192.168.0.11 allow max 9"
request() { in_ns "$1" python3 "$NATF_TESTS/lib/request.py" "${@:2}" | cut -d' ' -f1,2; }
# shown NAME FIRST LAST: the same of en, each with the cookie that the router asked for
shown() {
    local s answer
    for s in $(seq "$2" "$3"); do
        answer=$(en python3 "$NATF_TESTS/lib/request.py" tell=all protocol=17 "name=$1" "s=$s" "nonce=$s")
        request en protocol=17 "name=$1" "s=$s" "nonce=$s" option=2:"${answer##* }"
    done | sort | uniq -c | awk '{ $1 = $1 } 1'
}
many() { # many NAMESPACE NAME FIRST LAST: what is answered for UDP flows from these ports, each once
    local s
    for s in $(seq "$3" "$4"); do request "$1" protocol=17 "name=$2" "s=$s"; done | sort | uniq -c | awk '{ $1 = $1 } 1'
}
entries() { connections -p udp | grep -c . || true; }

is "control: nine are mapped where so many may be" "$(many en bob 1001 1009)" "9 code 0"
hgw conntrack -F 2>/dev/null
write hgw natf_router/limits "mappings 8"
# As from anybody who writes en's address into his packets.
is "of ten of one name eight, then a cookie is wanted" "$(many en alice 1001 1010)" $'8 code 0\n2 code 8'
is "of another name none more" "$(many en bob 1011 1013)" "3 code 8"
is "which was counted" "$(stat_of hgw natf_router cookie_asked)" 5
is "as nothing else" "$(stat_of hgw natf_router limited) $(stat_of hgw natf_router no_resource)" "0 0"
is "the router has an entry for each that was mapped" "$(entries)" 8
is "and has remembered no other" "$(rows hgw natf_router/mappings)" 8
is "what there is may be asked for again" "$(many en alice 1001 1008)" "8 code 0"
is "another endpoint is served" "$(many web alice 1001 1002)" "2 code 0"
is "in another's place nothing can be asked for" "$(request web "en=$EN" s=2000)" "code 6"
hgw conntrack -D -p udp --orig-port-dst 1003 >"$WORK/output" 2>&1
is "where one ends there is room for one" "$(many en alice 1011 1012)" $'1 code 0\n1 code 8'
write hgw natf_router/limits "mappings 9"
is "a larger number counts at once" "$(many en alice 1013 1014)" $'1 code 0\n1 code 8'

is "who shows the cookie has as many of his own" "$(shown alice 1101 1111)" $'9 code 0\n2 code 4'
is "which was counted, too" "$(stat_of hgw natf_router en_limited)" 2
