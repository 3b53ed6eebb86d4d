#!/bin/bash
# natfctl and the access control table: what it adds, removes and loads holds, and a file is loaded as a whole
# or not at all.
#
#   en (raw sockets) ─── isp ─── hgw (natfctl) ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
act() { show hgw natf_router/act; }
ctl() { hgw natfctl act "$@"; }
asked() { en python3 "$NATF_TESTS/lib/request.py" "name=$1" | cut -d' ' -f1,2; }
said() { "$@" 2>&1 || true; }

is "control: nothing is allowed at first" "$(act)" ""
ok "add" ctl add alice 192.168.0.10 allow tcp 22,80 comment 'the first floor'
is "the kernel has it" "$(act)" 'add alice 192.168.0.10 allow tcp 22,80 comment "the first floor"'
is "a request is answered" "$(asked alice)" "code 0"
ok "add in the place of it" ctl add alice 192.168.0.10 deny tcp 22,80
is "a request is refused" "$(asked alice)" "code 1"
ok "add for every name" ctl add '*' - deny icmp
is "list is what the kernel has" "$(ctl list)" "$(act)"
ok "del of one entry" ctl del '*' - deny icmp
ok "del of a name" ctl del alice
is "nothing is left" "$(act)" ""

for ((i = 0; i < 2000; i++)); do
    echo "add host-$i 192.168.0.10 allow tcp 80 comment \"number $i\""
done >"$WORK/table"
ok "a file is right" ctl check "$WORK/table"
is "which changes nothing" "$(act)" ""
ok "it is loaded" ctl load "$WORK/table"
ok "and is what the kernel has" cmp <(act) "$WORK/table"
ok "it is saved" ctl save "$WORK/saved"
ok "as it was" cmp "$WORK/saved" "$WORK/table"
ok "what was listed can be loaded" ctl load <(ctl list)
ok "with the same result" cmp <(act) "$WORK/table"

sed '1500s/192/1920/; 1700s/allow/alow/' "$WORK/table" >"$WORK/bad"
not_ok "a file with mistakes" ctl load "$WORK/bad"
matches "each line is told" "$(said ctl load "$WORK/bad")" \
    "bad:1500: add host-1499 1920.*EINVAL: the address is not an IPv4.*bad:1700: .*EINVAL: after the address say.*2 lines would be refused"
matches "as check does" "$(said ctl check "$WORK/bad")" 'bad:1500: .*bad:1700: '
ok "the table is what it was" cmp <(act) "$WORK/table"

# Every mistake that natfctl finds is one that the kernel finds, in the same words, and the other way round.
while read -r line; do
    printf 'begin\n%s\ncommit\n' "$line" | hgw dd of=/sys/kernel/natf_router/act bs=64K status=none 2>/dev/null || true
    kernel=$(show hgw natf_router/act_error | sed -n 2p)
    echo "$line" >"$WORK/one"
    matches "'$line'" "$(said ctl check "$WORK/one")" ": $(printf '%s' "$kernel" | sed 's/[][().*^$?+{}|\\]/\\&/g')"
done <<'LINES'
add bob 192.168.0.300 allow
add bob 127.0.0.1 allow
add bob 192.168.0.11
add bob - allow
add b..b 192.168.0.11 allow
add bob 192.168.0.11 allow tcp 80-22
add bob 192.168.0.11 allow from 198.51.100.7/24
add bob 192.168.0.11 allow key Office
add bob 192.168.0.11 deny max 1
add bob 192.168.0.11 allow comment x
del nobody
del nobody flush
remove bob
LINES

# Somebody else's transaction is under way.
# shellcheck disable=SC2016 # the inner shell's
busy() { hgw bash -c 'exec 5>/sys/kernel/natf_router/act; echo begin >&5; natfctl act load "$1"; echo abort >&5' busy "$WORK/table" 2>&1; }
matches "then loading is refused, in the kernel's words" "$(busy)" "EBUSY: somebody else's transaction is under way"
ok "and the table is what it was" cmp <(act) "$WORK/table"
ok "flush" ctl flush
is "removes all" "$(act)" ""
