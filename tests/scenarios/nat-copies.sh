#!/bin/bash
# stock: yes
# An owner who has all packets of a host copied to another (nft "dup", iptables TEE): the copy of a
# pseudo-packet is not taken for the pseudo-packet, and does not get out either.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice, whose packets are copied to carol
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
write hgw natf_router/act "add alice 192.168.0.10 allow"
hgw nft -f - <<'RULES' 2>"$WORK/output" || skip_all "this kernel has no dup"
table ip copies {
    chain prerouting {
        type filter hook prerouting priority mangle;
        ip saddr 192.168.0.10 dup to 192.168.0.12 device "lan"
    }
}
RULES
capture carol carol eth0 ip
ok "control: alice pings somebody" alice ping -q -c 1 $WEB
for protocol in 6 17; do
    matches "protocol $protocol is mapped" "$(request protocol=$protocol)" "^code 0 mapped $G2:80 "
done
matches "so is echo" "$(request protocol=1 s=7 d=7)" "^code 0 mapped $G2:7 "
capture_end carol
is "control: her ping was copied" "$(count_packets carol "src 192.168.0.10 and dst $WEB")" 1
is "no pseudo-packet was" "$(count_packets carol "dst $EN")" 0
