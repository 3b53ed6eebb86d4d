#!/bin/bash
# stock: yes
# The router forgets its mappings, as it does when it restarts: a UDP flow goes on by itself after a second or
# two, a TCP connection is reset at the next segment that is not answered instead of hanging, and new ones work.
#
#   en ─── isp ─── hgw (masquerade, drops what it does not know; its conntrack is emptied) ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
udp_echo alice 5000
line_echo alice 7000
natf_on

# What goes out has a new answer or none: a datagram for a third of a second.
try_udp() {
    printf 'again\n' | en timeout 2 socat -T 0.3 - UDP4:alice.home.example.net:5000,sourceport=41000 |
        grep -q "alice heard again"
}
talker tcp en alice.home.example.net 7000
tell tcp hello
ok "TCP goes" wait_for heard tcp 'heard: hello'
ok "UDP goes" wait_for try_udp
is "control: nobody had to ask again" "$(stat_of en natf_en asked)" 0

hgw conntrack -F 2>/dev/null
start=$(milliseconds)
ok "the same UDP flow goes again" wait_for try_udp
within "after a second or two" $(($(milliseconds) - start)) 900 5000
is "by another mapping, or the same one made anew" \
    "$(($(stat_of en natf_en moved) + $(stat_of en natf_en kept)))" 1
start=$(milliseconds)
tell tcp "are you there"
ok "TCP is told" wait_for heard tcp 'ended: Connection reset by peer'
within "in a few seconds" $(($(milliseconds) - start)) 0 6000
is "once" "$(stat_of en natf_en broken)" 1
talker again en alice.home.example.net 7000
tell again hello
ok "a new connection goes" wait_for heard again 'heard: hello'

# Flows that are all right are asked for, too, when the other end is slow; nothing happens to them.
lose alice input tcp dport 7000
tell again slowly
asked() { [ "$(stat_of en natf_en asked)" -ge 3 ]; }
ok "a segment without an answer makes the router be asked" wait_for asked
keep alice
ok "the connection goes on when the answer comes" wait_for heard again 'heard: slowly'
is "nothing was reset" "$(stat_of en natf_en broken)" 1
