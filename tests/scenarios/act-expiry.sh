#!/bin/bash
# An entry with a time is gone when the time is over: not matched, not shown, and forgotten with the next
# change. The time is that of the wall clock, so a saved table stays true.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
act() { show hgw natf_router/act; }

# Far enough in the future not to be reached by itself.
now=$(date +%s)
until=$((now + 1000))
write hgw natf_router/act "\
add alice 192.168.0.10 allow until $until
add bob 192.168.0.11 allow for 1000
add carol - deny tcp until $until
add carol 192.168.0.12 allow"
within "a time from now is shown as one of the clock" \
    "$(act | sed -n 's/^add bob 192.168.0.11 allow until //p')" $until $((until + 100))
saved=$(act)
is "control: before, the line that allows does" "$(asked alice)" "code 0"
is "control: and the one that denies" "$(asked carol)" "code 1"
date -s "@$((now + 2000))" >/dev/null
is "after, the line that allowed does not" "$(asked alice)" "code 1"
is "and the one behind a line that denied does" "$(asked carol)" "code 0"
is "only what is true is shown" "$(act)" "add carol 192.168.0.12 allow"
date -s "@$now" >/dev/null
is "a clock that is set back brings them back" "$(act)" "$saved"
date -s "@$((now + 2000))" >/dev/null
write hgw natf_router/act "add dave 192.168.0.13 allow"
date -s "@$now" >/dev/null
is "until the table is changed" "$(act)" "$(printf '%s\n' "add carol 192.168.0.12 allow" "add dave 192.168.0.13 allow")"
write hgw natf_router/act "flush"
date -s "@$((now + 2000))" >/dev/null
write hgw natf_router/act "$saved"
is "a saved table with old lines can be loaded" "$(act)" "add carol 192.168.0.12 allow"
