#!/bin/bash
# Who may read and write the files under /sys/kernel: root reads, CAP_NET_ADMIN writes.
#
#   en and hgw
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
natf_on
act=$(show hgw natf_router/act)
domains=$(show en natf_en/domains)

modes() { find /sys/kernel/natf_en /sys/kernel/natf_router -type f -printf "%m %u %g $1\n" | sort -u; }
is "tables that are read only, and those that are written" \
    "$(modes %f | grep -E ' (act|domains|keys|nrt|vat|stats)$')" \
    $'440 root root stats\n440 root root vat\n600 root root keys\n640 root root act\n640 root root domains\n640 root root nrt'
is "no file has other modes" "$(modes "")" $'440 root root \n600 root root \n640 root root '

nobody() { in_ns "$1" setpriv --reuid=65534 --regid=65534 --clear-groups "${@:2}"; }
user_with_capability() { # as a service runs that may configure the network and nothing else
    in_ns "$1" setpriv --reuid=65534 --regid=0 --clear-groups --inh-caps=-all,+net_admin \
        --ambient-caps=-all,+net_admin "${@:2}"
}
powerless_root() { in_ns "$1" setpriv --bounding-set=-net_admin "${@:2}"; }
said() { "$@" 2>&1 || true; }

ok "control: another file is readable for everybody" nobody hgw cat /sys/kernel/notes
for file in hgw:natf_router/act hgw:natf_router/stats en:natf_en/nrt en:natf_en/vat; do
    matches "a user does not read ${file#*:}" \
        "$(said nobody "${file%:*}" cat "/sys/kernel/${file#*:}")" 'Permission denied'
done
matches "a user does not write act" \
    "$(said nobody hgw bash -c 'echo flush >/sys/kernel/natf_router/act')" 'Permission denied'
matches "root without CAP_NET_ADMIN gets EPERM from act" \
    "$(said powerless_root hgw bash -c 'echo flush >/sys/kernel/natf_router/act')" 'Operation not permitted'
matches "and from domains" \
    "$(said powerless_root en bash -c 'echo flush >/sys/kernel/natf_en/domains')" 'Operation not permitted'
is "but reads" "$(powerless_root hgw cat /sys/kernel/natf_router/act)" "$act"

# The file is open already: what counts is who writes.
handed_over() {
    hgw bash -c 'exec 5>/sys/kernel/natf_router/act
        echo "add dave 192.168.0.13 allow" >&5
        exec setpriv --reuid=65534 --regid=65534 --clear-groups bash -c "echo flush >&5"'
}
matches "a user who was handed the open file gets EPERM" "$(said handed_over)" 'Operation not permitted'
is "control: root had written through it" "$(rows hgw natf_router/act)" 4
write hgw natf_router/act "del dave"
matches "root writes a read-only file in vain" \
    "$(said hgw bash -c 'echo x >/sys/kernel/natf_router/stats')" 'Permission denied'
is "the table is what it was" "$(show hgw natf_router/act)" "$act"
is "so are the suffixes" "$(show en natf_en/domains)" "$domains"
matches "CAP_NET_ADMIN does not open the file" \
    "$(said user_with_capability hgw bash -c 'echo flush >/sys/kernel/natf_router/act')" 'Permission denied'
