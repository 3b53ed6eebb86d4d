#!/bin/bash
# begin … commit replaces the whole table at once or not at all, however many writes it takes: requests
# that come meanwhile are judged by the one or the other, never by half a table. Others wait.
#
#   en (asks all the time) ─── isp ─── hgw ─── alice, bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
# The client below asks as fast as it can, and knows no cookies.
write hgw natf_router/limits "source 1000000"
write hgw natf_router/limits "cookie 1000000"
file=/sys/kernel/natf_router/act
act() { show hgw natf_router/act; }
at_once() { printf '%s\n' "$1" | hgw dd of=$file bs=64K status=none; } # in one write

for table in old new; do
    {
        echo "add only-$table 192.168.0.10 allow"
        for ((i = 0; i < 800; i++)); do echo "add host-$i 192.168.0.11 allow tcp 80"; done
        echo "add alice 192.168.0.10 allow"
    } >"$WORK/$table"
done
within "control: a table of many writes" "$(stat -c %s "$WORK/new")" 16384 65536
{ echo begin; cat "$WORK/old"; echo commit; } | hgw dd of=$file bs=64K iflag=fullblock status=none
ok "in writes of any size" cmp <(act) "$WORK/old"

# One flow after the other, until the file "stop" is there; then the answers, counted.
cat >"$WORK/ask.py" <<'PYTHON'
import collections, os, socket, sys
sys.path.insert(0, os.environ["NATF_TESTS"] + "/lib")
from request import Request

said = collections.Counter()
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as heard, \
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
    heard.settimeout(5)
    port = 1024
    while not os.path.exists("stop"):
        port += 1
        request = Request(name="alice", protocol="17", s=str(port))
        request.send(sender)
        while not (answer := request.answer(heard.recv(65535))):
            pass
        said[answer[:6]] += 1
print(*sorted(said))
PYTHON
# load FIRST LAST: writes what comes before the table, the table, and what comes behind it, through one open
# file, and lets twenty requests pass between its halves.
load() {
    hgw bash -c '
        answered() {
            awk "/^(mapped|denied) / { n += \$2 } END { print n }" /sys/kernel/natf_router/stats
        }
        exec 5>"$0"
        mapfile -t lines <"$3"
        before=$(answered)
        printf "%s\n" ${1:+"$1"} "${lines[@]:0:400}" >&5
        until (($(answered) > before + 20 || SECONDS > 10)); do :; done
        printf "%s\n" "${lines[@]:400}" ${2:+"$2"} >&5' $file "$1" "$2" "$WORK/new"
}
under_load() { # under_load FIRST LAST: what the client was told meanwhile
    local before
    rm -f "$WORK/stop"
    before=$(stat_of hgw natf_router mapped)
    background asking en python3 "$WORK/ask.py"
    wait_for more_than "$before"
    load "$@"
    before=$(stat_of hgw natf_router mapped)
    wait_for more_than "$before"
    touch "$WORK/stop"
    wait "${PID[asking]}"
    cat "$WORK/asking.log"
}
more_than() { (($(stat_of hgw natf_router mapped) > $1 + 5)); }
is "control: changed line by line, some requests are denied" "$(under_load "del alice" "")" "code 0 code 1"
write hgw natf_router/act $'begin\nadd only-old 192.168.0.10 allow\nadd alice 192.168.0.10 allow\ncommit'
is "replaced at once, none is" "$(under_load begin commit)" "code 0"
ok "the new table is there" cmp <(act) "$WORK/new"
is "the old one is not" "$(asked only-new) $(asked only-old)" "code 0 code 1"

# in_one_file LINE…: each its own write through one open file; how many were taken, and the last error
in_one_file() {
    hgw bash -c '
        exec 5>"$0"
        taken=0
        for line; do if echo "$line" >&5; then taken=$((taken + 1)); fi; done 2>error
        sed -n "\$s/.*: //p" error
        echo "$taken taken"' $file "$@"
}
is "aborted, nothing has changed" "$(in_one_file begin "add dave 192.168.0.13 allow" abort)" "3 taken"
ok "really nothing" cmp <(act) "$WORK/new"
is "a line that is refused ends it, those behind it do not count" \
    "$(in_one_file begin "add dave 192.168.0.13 allow" "add erin nowhere allow" flush commit "add dave 192.168.0.13 allow")" \
    $'Invalid argument\n2 taken'
ok "nothing has changed" cmp <(act) "$WORK/new"
is "but another begin does" \
    "$(in_one_file begin "add x y allow" begin "add dave 192.168.0.13 allow" commit)" $'Invalid argument\n4 taken'
is "and replaces the table" "$(act)" "add dave 192.168.0.13 allow"
for line in commit abort; do
    matches "$line without begin is refused" "$(in_one_file "$line")" 'Invalid argument'
done
matches "two begins are refused" "$(in_one_file begin begin commit)" $'Invalid argument\n1 taken'
matches "to end mappings is not for a transaction" \
    "$(in_one_file begin "add dave 192.168.0.13 allow" "del dave flush" commit)" $'Invalid argument\n2 taken'
at_once $'add erin 192.168.0.14 allow\nbegin\nadd frank 192.168.0.15 allow\ncommit\nadd gina 192.168.0.16 deny'
is "in one write it works as in many" "$(act)" $'add frank 192.168.0.15 allow\nadd gina 192.168.0.16 deny'
not_ok "and a mistake behind it takes it back" \
    at_once $'begin\nadd hanna 192.168.0.17 allow\ncommit\nadd'
is "all of it" "$(rows hgw natf_router/act)" 2

# Two writers: a transaction without end, and others who come meanwhile.
two_writers() {
    hgw bash -c '
        exec 5>"$0" 6>"$0"
        echo begin >&5
        echo "add ivan 192.168.0.18 allow" >&5
        echo "del gina" >&6 || echo begin >&6 || echo begin >"$0"
        echo commit >&5
        echo "add judy 192.168.0.19 allow" >&6' $file 2>&1 | sed 's/.*: //'
}
is "while it is under way, others are told that it is busy" "$(two_writers)" \
    $'Device or resource busy\nDevice or resource busy\nDevice or resource busy'
is "it is complete, and then the others' turn" "$(act)" \
    $'add ivan 192.168.0.18 allow\nadd judy 192.168.0.19 allow'
