#!/bin/bash
# Long tables are shown without trouble, names that were loaded and flows that were made: reading takes time by the
# length of a table, not by its square.
#
#   en (natfctl, python) ─── isp ─── web (answers ping, so that flows go there directly)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

FLOWS=20000
topology
hgw nft flush ruleset
echo "other.home A $WEB" >"$WORK/more"
ZONE=$WORK/more name_server
insmod_en
write en natf_en/domains "add home.example.net"

# Names with the addresses that they may have: the third octet is of the domain, the fourth of the name.
python3 - >"$WORK/names" <<'PY'
def octet(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value % 254 + 1
used = {}
for number in range(12000):
    name = f"host-{number}"
    fourth = octet(name)
    second = used[fourth] = used.get(fourth, -1) + 1
    print(f"240.{second}.{octet('home.example.net')}.{fourth} {name} home.example.net 203.0.113.2 3000")
PY
timed en natfctl en names load "$WORK/names"
is "12000 names are loaded" "$STATUS $(cat "$WORK/timed")" "0 "
note "loaded in $TOOK ms"
timed en natfctl en names save
note "saved in $TOOK ms"
is "and saved as they were" "$(cut -d' ' -f1-4 "$WORK/timed" | sort | cksum)" "$(cut -d' ' -f1-4 "$WORK/names" | sort | cksum)"
timed en natfctl show nrt
is "each is shown once" "$(awk 'NR > 2 { print $2 }' "$WORK/timed" | sort -u | grep -c .)" 12000
within "soon" "$TOOK" 0 3000

target=$(address_of other.home.example.net)
# shellcheck disable=SC2016
fill() {
    en python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in range(10000, 10000 + int(sys.argv[2])):
    s.sendto(b"x", (sys.argv[1], port))' "$target" $FLOWS
}
ok "datagrams to $FLOWS ports" fill
timed en natfctl dump vat
is "each is a flow" "$(cut -f5 "$WORK/timed" | sort -u | grep -c .)" $FLOWS
within "which are dumped soon" "$TOOK" 0 3000
note "$FLOWS flows in $TOOK ms"
# By the square, 20,000 flows in 5,000 pieces took seconds.
timed en dd if=/sys/kernel/natf_en/vat of=/dev/null bs=300 status=none
note "in small pieces in $TOOK ms"
within "also in small pieces" "$TOOK" 0 1500
timed en natfctl --json show vat
is "and are JSON" "$(python3 -c 'import json; print(len(json.load(open("'"$WORK/timed"'"))["natf_en"]["vat"]))')" $FLOWS
