#!/bin/bash
# stock: yes
# limit: 120
# Both modules can go at any time, also under load, and leave nothing behind.
#
#   en ─── isp ─── hgw (masquerade) ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
web_server web
udp_echo alice 5000
loaded() { lsmod | grep -c '^natf_' || true; }
hooks() { { in_ns "$1" nft list hooks 2>/dev/null || true; } | grep -c natf || true; }

natf_on
is "control: both are loaded" "$(loaded)" 2
if [ "$(hooks hgw)$(hooks en)" = 00 ]; then
    note "this kernel does not list hooks"
else
    differs "control: en has hooks" "$(hooks en)" 0
    differs "control: hgw has hooks" "$(hooks hgw)" 0
fi

rounds=20
[ "$NATF_KIND" != qemu ] || rounds=5
load_tcp() { while :; do fetch en http://alice.home.example.net/ --max-time 1 || true; done; }
load_udp() { while :; do ask_udp en alice.home.example.net 5000 load || true; done; }
background tcp - load_tcp
background udp - load_udp
good=0
for ((round = 0; round < rounds; round++)); do
    : >"$WORK/tcp.log"
    # Not before a page came, so that each round unloads modules at work.
    wait_for grep -q "this is alice" "$WORK/tcp.log"
    rmmod natf_en
    rmmod natf_router
    natf_on
    good=$((good + 1))
done
is "unloaded and loaded $rounds times under load" "$good" "$rounds"
rmmod natf_router
rmmod natf_en
end tcp
end udp

is "no module is left" "$(loaded)" 0
is "no file is left" "$(find /sys/kernel -maxdepth 1 -name 'natf_*')" ""
is "no hook is left on en" "$(hooks en)" 0
is "no hook is left on hgw" "$(hooks hgw)" 0
ok "en still reaches other hosts" en ping -c 1 -W 2 "$WEB"
is "names are what they were" "$(address_of alice.home.example.net)" "$G2"
is "plain connections work" "$(fetch en http://web.example.net/)" "this is web"
