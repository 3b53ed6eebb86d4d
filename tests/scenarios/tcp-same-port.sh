#!/bin/bash
# A connection that ended, however it did, does not stand in the way of a new one from the same port to the
# same name at once: it is negotiated again.
#
#   en (ports 41001 to 41003) ─── isp ─── hgw (masquerade) ─── alice (nginx :80, closes first)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
virtual=$(address_of alice.home.example.net)
requests() { stat_of en natf_en request_sent; }
flow() { show en natf_en/vat | grep -c ":$1 " || true; }

capture wire alice eth0
is "closed by both sides" "$(talk "$virtual" 41001 page)" "this is alice"
is "the same port again" "$(talk "$virtual" 41001 page)" "this is alice"
is "that was negotiated again" "$(requests)" 2
is "there is one flow of that port" "$(flow 41001)" 1
end alice.nginx
not_ok "reset by alice, who does not listen" talk "$virtual" 41002 page
web_server alice
is "the same port again, when she does" "$(talk "$virtual" 41002 page)" "this is alice"
is "that was negotiated again, too" "$(requests)" 4
ok "reset by en" talk "$virtual" 41003 reset
is "the same port again" "$(talk "$virtual" 41003 page)" "this is alice"
is "and that" "$(requests)" 6
capture_end wire
is "six connections took six SYNs" "$(count_packets wire "tcp[tcpflags] == tcp-syn and src $EN")" 6
