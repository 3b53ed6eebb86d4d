#!/bin/bash
# While requests come from made-up addresses, faster than the router is told to bear, an endpoint still opens
# connections: it is asked for a cookie, which only who hears the answer can send back. Of the others no more get a
# mapping than the router is told to make.
#
#   en ─── isp (sends the made-up requests) ─── hgw ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
page() { fetch en http://alice.home.example.net/; }

is "control: a page without any flood" "$(page)" "this is alice"
is "nobody was asked for a cookie" "$(stat_of hgw natf_router cookie_asked)" 0
write hgw natf_router/limits "source 20"
write hgw natf_router/limits "cookie 20"
begin=$(milliseconds)
background flood isp python3 "$NATF_TESTS/lib/flood.py" 0 request
under_load() { (($(stat_of hgw natf_router cookie_asked) > 500)); }
wait_for under_load
for i in 1 2 3 4 5 6; do
    is "under load: page $i" "$(page)" "this is alice"
done
kill "${PID[flood]}"
seconds=$((($(milliseconds) - begin) / 1000 + 2))
# One or the other may be first after a pause of the flood.
within "they were asked for cookies" "$(stat_of en natf_en cookie_sent)" 2 6
is "and once for each flow" "$(stat_of en natf_en request_sent)" $((7 + $(stat_of en natf_en cookie_sent)))
is "which the router took" "$(stat_of hgw natf_router cookie_shown)" "$(stat_of en natf_en cookie_sent)"
mapped=$(connections -p udp | grep -c 'dst=1[12]\.') || true
note "$(stat_of hgw natf_router cookie_asked) asked for a cookie, $mapped mapped in $seconds s"
within "made-up requests that were mapped: 20 a second" "$mapped" 1 $((20 * seconds))

asked=$(stat_of hgw natf_router cookie_asked)
calm() { page && [ "$(stat_of hgw natf_router cookie_asked)" = "$asked" ]; }
ok "when it is over nobody is asked any more" calm
