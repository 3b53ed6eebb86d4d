#!/bin/bash
# What `nrt` shows can be written back after a reload or a reboot: names with equal hashes keep the addresses
# that applications know, in whatever order they are asked for then. A file with a bad line changes nothing.
#
#   en ─── isp (BIND, wildcard) ─── hgw ─── alice as "kitchen", bob as "mallory"
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server bob
natf_on
write hgw natf_router/act "add mallory 192.168.0.11 allow"
kitchen=$(address_of kitchen.home.example.net)
mallory=$(address_of mallory.home.example.net)
is "the names have equal hashes" "${kitchen#240.*.}" "${mallory#240.*.}"
show en natf_en/nrt >"$WORK/saved"

reload() {
    rmmod natf_en
    insmod_en
    write en natf_en/domains "add home.example.net"
}
reload
is "control: asked for in another order they change places" "$(address_of mallory.home.example.net)" "$kitchen"
reload
write en natf_en/nrt "$(cat "$WORK/saved")"
is "the names are back" "$(show en natf_en/nrt | cut -d' ' -f1-4 | sort)" "$(cut -d' ' -f1-4 "$WORK/saved" | sort)"
is "an application that kept the address reaches its host" "$(fetch en "http://$mallory/")" "this is bob"
is "and the name keeps it" "$(address_of mallory.home.example.net)" "$mallory"
ok "the same once more changes nothing" write en natf_en/nrt "$(cat "$WORK/saved")"

reload
refused() { # refused TEXT: and nothing of a good line before it is taken
    { cat "$WORK/saved" && echo "$1"; } >"$WORK/wrong"
    # In one piece, which printf would not do.
    not_ok "refused: $1" en cp "$WORK/wrong" /sys/kernel/natf_en/nrt
    is "and nothing is taken" "$(rows en natf_en/nrt)" 0
}
refused "240.0.1.1 kitchen home.example.net $G2 60"
refused "${kitchen%.*}.27 kitchen home.example.net $G2 60"
refused "$kitchen kitchen home.example.net 127.0.0.1 60"
refused "$kitchen kitchen home.example.net $G2"
refused "garbage"
write en natf_en/nrt "$kitchen kitchen home.example.net $G2 60"
not_ok "an address that another name has" write en natf_en/nrt "$kitchen mallory home.example.net $G2 60"
