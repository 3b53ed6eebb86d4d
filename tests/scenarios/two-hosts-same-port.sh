#!/bin/bash
# stock: yes
# Two hosts behind one router serve the same port at once, even to the same source port of the client:
# the router's NAT keeps them apart, which no port forwarding can do.
#
#                                             ┌ alice :80
#   en :40000 ─── isp ─── hgw (masquerade) ───┤
#                                             └ bob   :80
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
web_server bob

# A connection that stays open until it is told to go on, from a fixed source port.
hold() { # hold HOST
    mkfifo "$WORK/go.$1"
    background "hold.$1" en socat -t 5 "OPEN:$WORK/go.$1,rdonly!!CREATE:$WORK/got.$1" \
        "TCP4:$1.home.example.net:80,sourceport=40000,reuseaddr"
    exec {go}>"$WORK/go.$1"
}
release() { # release HOST DESCRIPTOR
    printf 'GET / HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" >&"$2"
    wait_for grep -q "this is $1" "$WORK/got.$1"
}
established() { # as the router sees it
    connections -p tcp | grep -c "ESTABLISHED src=$1 dst=$EN sport=80 dport=40000"
}
both() { [ "$(established 192.168.0.10)$(established 192.168.0.11)" = 11 ]; }

not_ok "control: without the modules neither answers" \
    fetch en http://bob.home.example.net/ --connect-timeout 1
natf_on
differs "each name has an address of its own" \
    "$(address_of alice.home.example.net)" "$(address_of bob.home.example.net)"

hold alice
alice_go=$go
hold bob
bob_go=$go
ok "both connections stand at the same time" wait_for both
ports=$(connections -p tcp | sed -nE 's/.*src=198.51.100.2 dst=203.0.113.2 sport=40000 dport=([0-9]+).*/\1/p')
is "the NAT gave them two outside ports" "$(sort -u <<<"$ports" | grep -c .)" 2
ok "bob's page comes over the one" release bob "$bob_go"
ok "alice's page comes over the other" release alice "$alice_go"
is "two flows were translated" "$(rows en natf_en/vat)" 2
