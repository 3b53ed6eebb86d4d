#!/bin/bash
# Every command's JSON is JSON, and says what the modules have.
#
#   en (curl, natfctl) ─── isp ─── hgw (natfctl) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
is "control: a page comes" "$(en curl -sS http://alice.home.example.net/)" "this is alice"
address=$(address_of alice.home.example.net)

# field NAMESPACE EXPRESSION COMMAND…: of the JSON that natfctl writes, an expression of Python about it, `it`
field() {
    in_ns "$1" natfctl --json "${@:3}" >"$WORK/json" || return
    python3 -c 'import json, sys; it = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$WORK/json" "$2"
}
while IFS='|' read -r ns expression want command; do
    read -ra words <<<"$command"
    is "$command" "$(field "$ns" "$expression" "${words[@]}")" "${want/ADDRESS/$address}"
done <<'LINES'
en|it["natf_en"]["nrt"][0]["address"]|ADDRESS|show nrt
en|it["natf_en"]["vat"][0]["virtual"]["address"]|ADDRESS|show vat
en|it["natf_en"]["vat"][0]["mapped"]["port"] > 0|True|show vat
en|sorted(it)|['natf_en', 'natf_router']|show
en|it["natf_en"]["prefix"]|240.0.0.0/8|dump
hgw|[e["action"] for e in it["natf_router"]["act"]]|['allow', 'allow', 'deny']|act list
hgw|it["natf_router"]["mappings"][0]["name"]|alice|router mappings
hgw|it["natf_router"]["tables"][0]["used"]|3|router tables
hgw|it["natf_router"]["limits"][0]["value"]|500|router limits
hgw|it["natf_router"]["keys"]|[]|key list
en|it["natf_en"]["domains"]|['home.example.net']|en domains
en|it["natf_en"]["dns_ports"]|[53]|en ports
en|it["natf_en"]["prefix"]|240.0.0.0/8|en prefix
en|it["natf_en"]["limits"][0]["name"]|names|en limits
en|it["natf_en"]["nrt"][0]["host"]|alice|en names
en|it["natf_en"]["tables"][1]["used"]|1|en tables
en|[c["value"] for c in it["natf_en"]["stats"] if c["name"] == "mapped"]|[1]|stats en
en|it["natf_en"]["vat"][0]["host"]|alice|watch --count 1
en|it["done"]|['add other.net']|en domains add other.net
hgw|it["done"]|del carol|act del carol
LINES
status=0
en natfctl --json en domains del nobody.net 2>"$WORK/error" || status=$?
is "an error is JSON, too" "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["status"])' "$WORK/error") $status" "1 1"
