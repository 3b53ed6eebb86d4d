#!/bin/bash
# limit: 180
# A flood of requests from made-up addresses, as fast as one core sends them, while an endpoint with a key opens
# connections: all succeed, and the router's memory does not grow with the flood. FLOOD and CONNECTIONS make it larger.
#
#   en (key) ─── isp (sends FLOOD made-up requests) ─── hgw (alice: key office) ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

FLOOD=${FLOOD:-100000}
CONNECTIONS=${CONNECTIONS:-100}
topology
name_server
web_server alice
natf_on_with_key
virtual=$(address_of alice.home.example.net)

# One after the other: how many were made, and the median of their times, in microseconds.
cat >"$WORK/connect.py" <<'PY'
import socket, statistics, sys, time
made, took, keep = 0, [], []
for _ in range(int(sys.argv[2])):
    begin = time.monotonic()
    try:
        keep.append(socket.create_connection((sys.argv[1], 80), 20))
        made += 1
    except OSError as error:
        print(error, file=sys.stderr)
    took.append(time.monotonic() - begin)
print(made, int(1e6 * statistics.median(took)))
PY
connect_all() { en python3 "$WORK/connect.py" "$virtual" "$1"; }
slab() { awk '/^Slab:/ { print $2 }' /proc/meminfo; }

write hgw natf_router/limits "source 4000"
read -r made quiet <<<"$(connect_all "$CONNECTIONS")"
is "control: without a flood all are made" "$made" "$CONNECTIONS"
is "none of them by a cookie" "$(stat_of en natf_en cookie_sent)" 0
# Nearly every request is to need its cookie from now on.
write hgw natf_router/limits "cookie 100"
before=$(slab)
background flood isp python3 "$NATF_TESTS/lib/flood.py" "$FLOOD" request
under_load() { (($(stat_of hgw natf_router cookie_asked) > 1000)); }
wait_for under_load
read -r made loaded <<<"$(connect_all "$CONNECTIONS")"
asked=$(stat_of en natf_en cookie_sent)
is "under the flood all are made, too" "$made" "$CONNECTIONS"
WAIT=150 wait_for grep -q packets "$WORK/flood.log"
after=$(slab)
note "median set-up $quiet us quiet, $loaded us under the flood; $asked cookies; $(cat "$WORK/flood.log"); slab $before to $after kB"
differs "some of them by a cookie" "$asked" 0
within "what a flood leaves in memory, in kB" $((after > before ? after - before : 0)) 0 8192
is "of the made-up requests none was more than looked up" "$(connections | grep -c 'dst=1[12]\.')" 0
within "and few were" "$(stat_of hgw natf_router denied)" 1 $((FLOOD / 2))
