#!/bin/bash
# An entry of the table may ask for a key: who has not that one is denied as if the name were not there. What is
# signed wrongly, by an unknown key, or at another time is refused, and every answer to who has a key is signed.
#
#   en, web (raw sockets) ─── isp ─── hgw (keys office, laptop; alice: office or laptop, bob: laptop) ─── alice, bob
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
office=$(printf '0123456789abcdef%.0s' 1 2 3 4)
laptop=$(printf 'fedcba9876543210%.0s' 1 2 3 4)
strange=$(printf '00%.0s' {1..32})
write hgw natf_router/keys "add office $office"
write hgw natf_router/keys "add laptop ${laptop^^}"
write hgw natf_router/act "add alice 192.168.0.10 allow key office,laptop"
write hgw natf_router/act "add bob 192.168.0.11 allow key laptop"
write hgw natf_router/act "add carol 192.168.0.12 allow"
ok_="code 0 mapped $G2:80 lifetime 432000"
denied="code 1 mapped 0.0.0.0:0 lifetime 0"
bad="code 9 mapped 0.0.0.0:0 lifetime 0"

is "control: a name that is for anyone" "$(request name=carol)" "$ok_"
is "the same with a key, and the answer is signed" "$(request name=carol key="$office" s=40001)" "$ok_ signed time 0"
is "who has no key is denied" "$(request)" "$denied"
is "who has one is not" "$(request key="$office" s=40002)" "$ok_ signed time 0"
is "nor who has the other" "$(request key="$laptop" s=40003)" "$ok_ signed time 0"
is "a key that is not the entry's" "$(request name=bob key="$office" s=40004)" "$denied signed time 0"
is "a key that nobody knows, also where none is needed" "$(request name=carol key="$strange")" "$bad unsigned"
is "a wrong signature" "$(request key="$office" mac=wrong)" "$bad unsigned"
is "a little early" "$(request key="$office" time=+20000 s=40005)" "$ok_ signed time 0"
is "a little late" "$(request key="$office" time=-20000 s=40005)" "$ok_ signed time 0"
is "too early: the router tells its time, signed" "$(request key="$office" time=+40000 s=40006)" "$bad signed time 0"
is "too late" "$(request key="$office" time=-40000 s=40006)" "$bad signed time 0"
is "no mapping was made of these" "$(connections | grep -c 'dport=40006\|dport=40004')" 0
is "another's address does not help" "$(request key="$office" en=203.0.113.66)" \
    "code 6 mapped 0.0.0.0:0 lifetime 0 signed time 0"
is "without room to spare the answer is signed all the same" "$(request key="$office" pad=0 s=40007)" "$ok_ signed time 0"
matches "AUTH must be the last option" "$(request option=3:"$(printf '00%.0s' {1..28})")" 'silence'

# What was heard on the way, sent again, from the same address.
replay() {
    en python3 - "$office" <<PY
import socket, sys; sys.path.insert(0, "$NATF_TESTS/lib")
from request import Request
asked = Request(key=sys.argv[1], s="40008", nonce="77", time=sys.argv[2] if len(sys.argv) > 2 else "+0")
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as heard, \
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
    heard.settimeout(5)
    for _ in 1, 2:
        asked.tell = True
        asked.send(sender)
        while not (said := asked.answer(heard.recv(65535))): pass
        print(" ".join(said.split()[:2] + said.split()[6:7]))
PY
}
is "heard and sent again within the window it is a retransmission" "$(replay)" $'code 0 new\ncode 0 kept'
is "which makes no second mapping" "$(connections | grep -c 'dport=40008')" 1
is "the counters say so" "$(stat_of hgw natf_router bad_auth) $(stat_of hgw natf_router stale)" "2 2"

is "names and ids are shown" "$(show hgw natf_router/keys | cut -d' ' -f1)" $'office\nlaptop'
is "but no key" "$(show hgw natf_router/keys | grep -ci "${office:0:8}\|${laptop:0:8}")" 0
is "root alone may open the file" "$(stat -c '%a %U' /sys/kernel/natf_router/keys /sys/kernel/natf_en/keys 2>/dev/null)" "600 root"
not_ok "the same key twice" write hgw natf_router/keys "add second $office"
not_ok "half a key" write hgw natf_router/keys "add half ${office:32}"
not_ok "a key that is not there" write hgw natf_router/keys "del second"
write hgw natf_router/keys "del office"
is "a key that was taken away" "$(request key="$office")" "$bad unsigned"
is "the other remains" "$(request key="$laptop" s=40009)" "$ok_ signed time 0"
is "the table is shown as it was written" "$(show hgw natf_router/act | head -n 1)" \
    "add alice 192.168.0.10 allow key office,laptop"
