#!/bin/bash
# The lines of the access control table are asked in their order: the first that matches decides, and what
# none matches is denied. Names are the same in upper and lower case, and may have several labels.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice, bob, carol
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
act() { show hgw natf_router/act; }
# asked NAME [KEY=VALUE…]: the code of the answer

label=$(printf 'a%.0s' {1..63})
write hgw natf_router/act "\
add alice - deny tcp 25 comment \"no mail\"
add alice 192.168.0.10 allow
add carol 192.168.0.12 deny tcp
add * - deny tcp 23
add carol 192.168.0.12 allow
add www.Alice.LAB 192.168.0.10 allow
add $label.x 192.168.0.10 allow
add * 192.168.0.11 allow udp 53"
is "control: what no line is before" "$(asked alice d=80)" "code 0"
is "a line before it denies" "$(asked alice d=25)" "code 1"
is "a line for every name before it denies" "$(asked www.alice.lab d=23)" "code 1"
is "but not one behind it" "$(asked alice d=23)" "code 0"
is "of two lines of a name the first decides" "$(asked carol)" "code 1"
is "a name of several labels, written in another case" "$(asked www.alice.lab)" "code 0"
is "is none of its parts" "$(asked lab) $(asked www.alice)" "code 1 code 1"
is "a label of 63 bytes" "$(asked "$label.x")" "code 0"
is "a line for every name allows" "$(asked dave protocol=17 d=53)" "code 0"
is "what no line matches is denied" "$(asked dave protocol=17 d=54)" "code 1"

write hgw natf_router/act "add alice 192.168.0.10 deny"
is "a line about the same requests takes the place of the present one" "$(act | sed -n 2p)" \
    "add alice 192.168.0.10 deny"
is "and decides" "$(asked alice d=80)" "code 1"
write hgw natf_router/act "add ALICE 192.168.0.10 allow tcp 80"
is "one about others comes last" "$(act | tail -n 1)" "add alice 192.168.0.10 allow tcp 80"
is "and so changes nothing here" "$(asked alice d=80)" "code 1"
write hgw natf_router/act "del alice 192.168.0.10 deny"
is "one line is taken out: the next decides" "$(asked alice d=80)" "code 0"
is "the others of its name are still there" "$(asked alice d=25)" "code 1"
write hgw natf_router/act "del Alice"
is "all of its name are taken out" "$(act | grep -c '^add alice')" 0
