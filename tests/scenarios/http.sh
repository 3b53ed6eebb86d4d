#!/bin/bash
# stock: yes
# An unmodified curl reads a page by name from a host behind the NAT; its server sees EN's real address.
#
#   en ─── isp (name server) ─── hgw (masquerade, firewall) ─── alice (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice

not_ok "control: without the modules the router's port 80 is closed" \
    fetch en http://alice.home.example.net/ --connect-timeout 1
is "control: the name leads to the router" "$(address_of alice.home.example.net)" "$G2"

insmod_en
insmod_router
is "control: loaded but not configured, names stay as they are" \
    "$(address_of alice.home.example.net)" "$G2"
natf_configure

matches "the name now leads to a virtual address" "$(address_of alice.home.example.net)" '^240\.0\.'
is "the page comes by name" "$(fetch en http://alice.home.example.net/)" "this is alice"
is "the server saw EN's real address" "$(cut -d' ' -f1 "$WORK/alice.access")" "$EN"
is "the table names the host and its router" \
    "$(show en natf_en/nrt | grep -c "alice.*$G2")" 1
is "one flow was translated" "$(rows en natf_en/vat)" 1
