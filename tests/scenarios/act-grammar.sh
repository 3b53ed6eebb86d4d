#!/bin/bash
# The access control table through sysfs: what is read is what can be written, and a mistake changes
# nothing.
#
#   hgw alone
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
act() { show hgw natf_router/act; }

is "at first the table is empty" "$(act)" ""
write hgw natf_router/act "add alice 192.168.0.10 allow"
is "control: an entry reads back as it was written" "$(act)" "add alice 192.168.0.10 allow"
write hgw natf_router/act $'add bob 192.168.0.11 allow\nadd carol 192.168.0.12 deny'
all=$(printf '%s\n' "add alice 192.168.0.10 allow" "add bob 192.168.0.11 allow" "add carol 192.168.0.12 deny")
is "several lines go in one write" "$(act | sort)" "$all"

while read -r line; do
    write hgw natf_router/act "$line" 2>"$WORK/error" && status=0 || status=$?
    is "refused: '$line'" "$((status != 0)) $(grep -co 'Invalid argument' "$WORK/error")" "1 1"
    is "and the table is what it was" "$(act | sort)" "$all"
done <<'LINES'
add
add dave
add dave 192.168.0.13
add dave 192.168.0.300 allow
add dave 192.168.0.13.1 allow
add dave 192.168.0.13 perhaps
add dave 192.168.0.13 allow now
add -dave..x 192.168.0.13 allow
frobnicate dave
LINES

name=$(printf 'a%.0s' {1..64})
not_ok "a label of 64 bytes is refused" write hgw natf_router/act "add $name 192.168.0.13 allow"
saved=$(act)
write hgw natf_router/act "del bob"
is "del takes one entry away" "$(act | grep -c bob)" 0
write hgw natf_router/act "flush"
is "flush takes all" "$(act)" ""
write hgw natf_router/act "$saved"
is "what was read can be written" "$(act | sort)" "$all"

not_ok "without CAP_NET_ADMIN nobody writes" hgw setpriv --bounding-set=-net_admin \
    bash -c 'echo flush >/sys/kernel/natf_router/act'
is "and so it is still there" "$(act | sort)" "$all"
