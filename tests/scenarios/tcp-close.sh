#!/bin/bash
# limit: 120
# A connection that ended leaves the table: after a reset of either side within ten seconds, after both
# sides closed it within a minute.
#
#   en (ports 41001 to 41003) ─── isp ─── hgw (masquerade) ─── alice (nginx :80, closes first)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
virtual=$(address_of alice.home.example.net)
flow() { show en natf_en/vat | grep -c ":$1 " || true; }
is_gone() { [ "$(flow "$1")" = 0 ]; }

started=$(milliseconds)
is "one is closed by both sides" "$(talk "$virtual" 41001 page)" "this is alice"
ok "one is reset" talk "$virtual" 41002 reset
end alice.nginx
not_ok "one is reset by alice, who does not listen any more" talk "$virtual" 41003 page
is "control: all are in the table" "$(flow 41001)$(flow 41002)$(flow 41003)" 111

export WAIT=15
ok "those that were reset leave" wait_for is_gone '4100[23]'
within "after ten seconds" "$(($(milliseconds) - started))" 10000 14000
is "the closed one is still there" "$(flow 41001)" 1
WAIT=60
ok "it leaves as well" wait_for is_gone 41001
within "after a minute" "$(($(milliseconds) - started))" 60000 64000
is "nothing is left" "$(rows en natf_en/vat)" 0
is "all were counted" "$(stat_of en natf_en expired)" 3
