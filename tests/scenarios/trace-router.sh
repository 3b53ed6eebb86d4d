#!/bin/bash
# natfctl trace names rarer things that are wrong with the router: too many ask it, or another answers in its place.
#
#   en (natfctl) ─── isp (BIND) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
write hgw natf_router/limits "cookie 0"
all_right "control: the router wants a cookie, and gets it" "$name" 80
# A router drops requests with their cookies when there are too many of them. Here all are dropped on their way: the
# cookie is behind the name, which ends at byte 51 of the message.
on_the_way filter forward filter 'icmp type echo-request @th,472,8 2 drop'
cause "too many ask" rate_limited "^the router: $G2 gets more requests than it may answer" "$name" 80
way_free
write hgw natf_router/limits "cookie 2000"
repaired

on_the_way filter forward filter "ip saddr $G2 icmp type echo-reply ip saddr set $WEB"
cause "another answers" answered_by_another "^the way to the router: $G2 was asked, and $WEB answered" "$name" 80
way_free
repaired
