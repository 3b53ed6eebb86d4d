#!/bin/bash
# "del NAME flush" ends the mappings that the entries covered, and no others: open connections are reset at
# both ends, so that a download does not bring its entry back.
#
#   en (raw sockets, socat) ─── isp ─── hgw ─── alice, bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
act() { write hgw natf_router/act "$1"; }
act "add alice 192.168.0.10 allow
add bob 192.168.0.11 allow tcp
add bob 192.168.0.11 allow udp
add carol 192.168.0.12 allow"
request() { en python3 "$NATF_TESTS/lib/request.py" "$@" | cut -d' ' -f1,2; }
list() { show hgw natf_router/mappings | awk '{ print $1, $5 }' | sort | tr '\n' ' '; }
entries() { connections | grep -c "src=192.168.0.$1 dst=$EN" || true; }
# A server that sends a line every 50 ms, for ever.
serve() { background "$1.serve" "$1" socat TCP4-LISTEN:7,fork,reuseaddr 'SYSTEM:while echo tick; do sleep 0.05; done'; }
# take NAME PORT: en takes them, from PORT
take() {
    is "a connection to $1" "$(request "name=$1" "s=$2" d=7)" "code 0"
    background "take.$1" en socat -u "TCP4:$G2:7,sourceport=$2" "CREATE:$WORK/took.$1"
    wait_for grep -q tick "$WORK/took.$1"
}
running() { kill -0 "${PID[take.$1]}" 2>/dev/null; }
ended() { ! running "$1"; }
resets() { in_ns "$1" nstat -asz TcpEstabResets | awk '/Resets/ { print $2 }'; }

serve alice
serve bob
wait_for listening alice tcp 7
wait_for listening bob tcp 7
take alice 41000
take bob 41001
is "echo and UDP of alice" "$(request protocol=1 s=9 d=9) $(request protocol=17)" "code 0 code 0"
is "UDP of bob" "$(request protocol=17 name=bob)" "code 0"
is "somebody else" "$(request name=carol)" "code 0"
all="icmp alice tcp alice tcp bob tcp carol udp alice udp bob "
is "these are the mappings" "$(list)" "$all"

act "del alice"
is "without flush they live on" "$(list)" "$all"
ok "also the connection" running alice
act "add alice 192.168.0.10 allow"
act "del alice flush"
is "with it they are over" "$(list)" "tcp bob tcp carol udp bob "
ok "en's end of the connection was told" wait_for ended alice
ok "alice's, too" test "$(resets alice)" -gt 0
matches "what the application heard" "$(cat "$WORK/take.alice.log")" "Connection reset"
is "conntrack has no entry of hers any more" "$(entries 10)" 0
ok "bob's connection goes on" running bob
is "to ask again is of no use" "$(request)" "code 1"

act "del bob 192.168.0.11 allow udp flush"
is "one of two entries ends what it covered" "$(list)" "tcp bob tcp carol "
ok "not the connection" running bob
act "add * 192.168.0.12 allow"
act "del * 192.168.0.12 allow flush"
is "an entry of all names covers all" "$(list)" ""
ok "the connection ends" wait_for ended bob
is "conntrack has nothing left" "$(entries 11) $(entries 12)" "0 0"
