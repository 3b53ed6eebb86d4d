#!/bin/bash
# natfctl lets the modules measure, and shows what they measured beside the figures of the paper.
#
#   en (curl, natfctl) ─── isp ─── hgw (natfctl) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
median() { show "$1" "$2/timings" | sed -n "s/^$3 .* median \([0-9]*\) .*/\1/p"; }

matches "off at first" "$(en natfctl timings)" 'natf_en \(not measuring: natfctl timings on; in µs\)'
ok "on" en natfctl timings on
ok "on the router alone" hgw natfctl timings on --module router
matches "the endpoint measures" "$(en natfctl timings)" 'natf_en \(measuring;'
matches "both sides of the router do not" "$(hgw natfctl timings)" 'natf_en \(not measuring.*natf_router \(measuring;'
is "a page comes" "$(en curl -sS http://alice.home.example.net/)" "this is alice"
row() { in_ns "$1" natfctl timings --module "$2" | awk -v stage="$3" '$1 == stage { print $2, $6 }'; }
is "an answer, beside the paper's" "$(row en en dns_rewrite)" "1 7.13"
is "the set-up of a flow" "$(row en en setup)" "1 650.00"
is "the router's part" "$(row hgw router request)" "1 114.00"
is "dump has the kernel's nanoseconds" "$(en natfctl dump timings | awk '$3 == "setup" { print $5 }')" "$(median en natf_en setup)"
json() { en natfctl --json timings | python3 -c "import json, sys; it = json.load(sys.stdin)['natf_en']['timings']; print($1)"; }
is "JSON, too" "$(json '[s["median"] for s in it["stages"] if s["name"] == "setup"][0]')" "$(median en natf_en setup)"
ok "a drawing" en natfctl timings --plot "$WORK/times.svg"
ok "with the stages that were measured" grep -q 'natf_en setup: 1 times' "$WORK/times.svg"
ok "reset" en natfctl timings reset
is "forgets" "$(row en en setup)" "0 650.00"
ok "off" en natfctl timings off
is "is off" "$(show en natf_en/timings | head -n 1)" "# off"
matches "there is nothing to draw" "$(en natfctl timings --module en --plot "$WORK/none.svg" 2>&1 || true)" 'nothing was measured'
