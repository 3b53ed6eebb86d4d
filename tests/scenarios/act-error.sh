#!/bin/bash
# A write that is refused changes nothing; its error tells the kind of mistake, and act_error the line and the
# reason in words.
#
#   hgw alone
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
file=/sys/kernel/natf_router/act
act() { show hgw natf_router/act; }
at_once() { printf '%s\n' "$1" | hgw dd of=$file bs=64K status=none; } # in one write
said() { show hgw natf_router/act_error; }

is "at first nothing was refused" "$(said)" ""
write hgw natf_router/act "add alice 192.168.0.10 allow"
is "control: what is taken is no error" "$(said)" ""
before=$(act)
while IFS='|' read -r line error number reason; do
    at_once "${line//;/$'\n'}" 2>"$WORK/error" || true
    matches "'$line': $error" "$(cat "$WORK/error")" "$error"
    matches "line $number, and why" "$(said)" "^line $number: .*$reason"
    is "the table is what it was" "$(act)" "$before"
done <<'LINES'
add bob 192.168.0.300 allow|Invalid argument|1|EINVAL: the address is not an IPv4 address
add bob 192.168.0.11 allow;;# three;del carol|No such file or directory|4|ENOENT: there is no such entry
add bob 192.168.0.11 allow;flush;add bob 127.0.0.1 allow|Invalid argument|3|EINVAL: 127.0.0.1 can be no host's address
add bob 192.168.0.11 allow tcp 80-22|Invalid argument|1|EINVAL: ports are numbers
LINES
is "the line is there as it was written" "$(said | head -n 1)" "line 1: add bob 192.168.0.11 allow tcp 80-22"
printf 'add bob 192.168.0.11 allow' | hgw dd of=$file status=none 2>/dev/null || true
is "half a line" "$(said)" $'line 1: add bob 192.168.0.11 allow\nEINVAL: the line has no end: write a newline after it'
write hgw natf_router/act $'del \e[2J' 2>/dev/null || true
is "nothing of it confuses a terminal" "$(said | head -n 1)" 'line 1: del \x1b[2J'

for ((i = 0; i < 700; i++)); do
    echo "add host-$i 192.168.0.11 allow"
done >"$WORK/table"
sed -i '600s/192/1920/' "$WORK/table"
not_ok "a long file with a mistake" hgw bash -c "cat $WORK/table >$file"
matches "its line number is that of the file" "$(said)" \
    '^line 600: add host-599 1920.168.0.11 allow'$'\n''EINVAL: the address'
write hgw natf_router/act flush
not_ok "the same as a transaction" hgw bash -c "{ echo begin; cat $WORK/table; echo commit; } >$file"
matches "is one line longer" "$(said)" '^line 601: add host-599 1920'
is "and leaves nothing" "$(act)" ""
in_lines() { hgw bash -c 'exec 5>"$0"; while read -r line; do echo "$line" >&5; done <"$1"' $file "$1" 2>&1; }
{ echo begin; sed -n 598,602p "$WORK/table"; echo commit; } >"$WORK/short"
is "who does not stop at the error is refused to the end" "$(in_lines "$WORK/short" | grep -c 'Invalid argument')" 4
matches "and is told the first one" "$(said)" '^line 4: add host-599 1920'

write hgw natf_router/act "$(for ((i = 1; i <= 64; i++)); do echo "add * - deny tcp $i"; done)"
write hgw natf_router/act "add * - deny" 2>"$WORK/error" || true
matches "too many entries of one name" "$(cat "$WORK/error") $(said)" 'No space left.*ENOSPC: this name has 64'
