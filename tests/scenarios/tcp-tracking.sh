#!/bin/bash
# stock: yes
# limit: 90
# A connection that began with a pseudo-packet is tracked as any other, from the handshake to its end:
# beside it runs one that the inside host opened itself, and at each step both entries look the same.
#
#   en ─── isp ─── hgw (policy drop, "ct state invalid drop") ─── alice
#   mapped: en:41000 -> alice:7        ordinary: alice:42000 -> en:7
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
natf_on
# Sends back every line; after the last one another, when the file late is there.
cat >"$WORK/echo" <<SERVER
#!/bin/sh
while read -r line; do echo "\$line"; done
until [ -e "$WORK/late" ]; do sleep 0.05; done
echo late
SERVER
chmod +x "$WORK/echo"
echo_server() {
    background "$1.echo" "$1" socat -t 20 TCP4-LISTEN:7,fork,reuseaddr "EXEC:$WORK/echo"
    wait_for listening "$1" tcp 7
}
echo_server alice
echo_server en
# client NAME NAMESPACE HOST PORT: a connection from PORT to HOST; say sends a line
client() {
    rm -f "$WORK/to.$1" "$WORK/from.$1"
    mkfifo "$WORK/to.$1"
    background "$1" "$2" socat -t 20 "OPEN:$WORK/to.$1,rdonly!!CREATE:$WORK/from.$1" \
        "TCP4:$3:7,sourceport=$4,reuseaddr"
}
say() { echo "$2" >&"${!1}"; }  # the descriptors are in variables of these names
heard() { grep -qx "$2" "$WORK/from.$1"; }
both() { # both FUNCTION ARGUMENT…: for the mapped connection and for the ordinary one
    "$1" mapped "${@:2}" && "$1" ordinary "${@:2}"
}
declare -A PORTS=([mapped]='sport=7 dport=41000' [ordinary]='sport=42000 dport=7')
entry() { connections -p tcp | grep "src=192.168.0.10 .*${PORTS[$1]} " | head -n 1; }
# state NAME: state, timeout in classes, flags
state() {
    entry "$1" | awk '{ left = $3 > 431000 ? "days" : $3 > 120 ? "minutes" : "less"
        print $4, left, /ASSURED/ ? "assured" : "", /UNREPLIED/ ? "unreplied" : "" }' | tr -s ' '
}
is_now() { [ "$(state "$1")" = "$2 " ]; }
same() { # same TEXT STATE
    wait_for both is_now "$2" || true
    is "$1: the mapped connection" "$(state mapped)" "$2 "
    is "$1: the ordinary one" "$(state ordinary)" "$2 "
}
talk_all() { # talk_all WORD
    both say "$1"
    wait_for both heard "$1"
}
start() {
    client mapped en alice.home.example.net 41000
    client ordinary alice $EN 42000
    # Not before: a child must not keep the other's.
    exec {mapped}>"$WORK/to.mapped" {ordinary}>"$WORK/to.ordinary"
    ok "connections" talk_all "$1"
}

start one
same "idle" "ESTABLISHED days assured"
matches "window scaling is in use" "$(alice ss -Htin 'sport = :7')" ' wscale:[1-9]'
# Nobody acknowledges: the mapped data of en, the ordinary data of alice. Both are sent again and again.
lose isp forward tcp flags == ack ip protocol tcp
lose alice input meta l4proto tcp
both say two
same "with unacknowledged data" "ESTABLISHED minutes assured"
keep alice
keep isp
ok "it is acknowledged" wait_for both heard two
ok "they go on" talk_all three
same "idle again" "ESTABLISHED days assured"

# Each client closes its way; the servers still send.
exec {mapped}>&- {ordinary}>&-
same "half closed" "CLOSE_WAIT less assured"
touch "$WORK/late"
ok "the other way works still" wait_for both heard late
same "closed" "TIME_WAIT less assured"

# abort NAMESPACE HOST PORT: a connection from PORT that is answered once, and reset
abort() {
    "$1" python3 - "$2" "$3" <<'PYTHON'
import socket, struct, sys
with socket.socket() as sock:
    sock.bind(("", int(sys.argv[2])))
    sock.connect((sys.argv[1], 7))
    sock.sendall(b"four\n")
    sock.recv(5)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
PYTHON
}
PORTS=([mapped]='sport=7 dport=41001' [ordinary]='sport=42001 dport=7')
ok "a connection" abort en alice.home.example.net 41001
ok "and an ordinary one" abort alice $EN 42001
same "reset" "CLOSE less assured"
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
