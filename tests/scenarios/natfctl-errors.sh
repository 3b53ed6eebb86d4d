#!/bin/bash
# What goes wrong is said in a sentence, the kernel's own where the kernel refuses, with a status for programs: 1
# failed, 2 wrong command line, 3 module not loaded.
#
#   en and hgw
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
# fails STATUS WORDS NAMESPACE CMD…: ends with it, and says one line with these words
fails() {
    local wanted=$1 words=$2 ns=$3 status=0
    shift 3
    in_ns "$ns" "$@" >"$WORK/out" 2>"$WORK/error" || status=$?
    is "$*: status" "$status" "$wanted"
    matches "$*: why" "$(cat "$WORK/error")" "$words"
    is "$*: in one line" "$(grep -c . "$WORK/error")" 1
}
nobody() { echo setpriv --reuid=65534 --regid=65534 --clear-groups; }
powerless() { echo setpriv --bounding-set=-net_admin; }

fails 3 '^natfctl: natf_en is not loaded: modprobe natf_en$' en natfctl show nrt
fails 3 'natf_en is not loaded' en natfctl en domains add a.net
fails 3 'natf_router is not loaded' hgw natfctl act load /dev/null
fails 3 'neither natf_en nor natf_router is loaded' en natfctl show
natf_on

fails 1 '^natfctl: /sys/kernel/natf_en/domains: No such file or directory: there is no such suffix$' \
    en natfctl en domains del nobody.net
for ((i = 0; i < 63; i++)); do echo "add d$i.net"; done | en dd of=/sys/kernel/natf_en/domains bs=64K status=none
fails 1 'No space left on device: there are 64 suffixes' en natfctl en domains add more.net
fails 1 'Invalid argument: there is no such limit' en natfctl en limits nosuch=20
fails 1 'Invalid argument: there is no such limit, or it cannot have this value' en natfctl en limits names=1
en dd of=/sys/kernel/natf_en/nrt status=none <<<'240.0.230.216 alice home.example.net 203.0.113.2 100'
fails 1 'Device or resource busy: there are names or flows' en natfctl en prefix 241.0.0.0/8
echo 'what is this' >"$WORK/names"
fails 1 'Invalid argument: a line is not one of a saved table' en natfctl en names load "$WORK/names"
fails 1 'del nobody: ENOENT: there is no such entry' hgw natfctl act del nobody
fails 1 'No such file or directory: there is no key of this name' hgw natfctl key del router nobody
hgw natfctl key gen "$WORK/key" >/dev/null
hgw natfctl key add router office "$WORK/key"
fails 1 'File exists: another name has this key' hgw natfctl key add router laptop "$WORK/key"
fails 2 'EINVAL: the address is not an IPv4 address' hgw natfctl act add bob 192.168.0.300 allow

# shellcheck disable=SC2046 # words
{
    fails 1 'natf_en/nrt: Permission denied: it takes root' en $(nobody) natfctl show nrt
    fails 1 'natf_router/act: Permission denied: it takes root' hgw $(nobody) natfctl act flush
    fails 1 'Operation not permitted: it takes CAP_NET_ADMIN in this network namespace' \
        hgw $(powerless) natfctl act flush
    fails 1 'Operation not permitted: it takes CAP_NET_ADMIN' en $(powerless) natfctl en domains flush
    ok "root without CAP_NET_ADMIN reads" en $(powerless) natfctl show
}
ok "the table is what it was" grep -q alice <(show hgw natf_router/act)

# A reader that has seen enough, and a module that goes while somebody watches.
for ((i = 0; i < 3000; i++)); do echo "add host-$i 192.168.0.10 allow"; done >"$WORK/table"
ok "control: a long table" hgw natfctl act load "$WORK/table"
head_of() { hgw bash -c 'set -o pipefail; natfctl dump act 2>error | head -n 1; [ ! -s error ]'; }
is "who reads one line gets it, and no complaint" "$(head_of)" $'natf_router\tact\thost-0\t192.168.0.10\tallow\t-\t-\t-\t-\t-\t-'
background hgw.watch hgw natfctl watch --interval 0.1
watching() { grep -q 'natf_router mappings: 0' "$WORK/hgw.watch.log"; }
ok "control: somebody watches" wait_for watching
rmmod natf_en
rmmod natf_router
status=0
wait "${PID[hgw.watch]}" || status=$?
is "when both modules go, watching ends" "$status" 3
matches "and says so" "$(tail -n 1 "$WORK/hgw.watch.log")" 'natfctl: (neither natf_en nor natf_router|natf_router) is'
