#!/bin/bash
# Ten thousand entries, loaded as a transaction and line by line, read, found, and not one more.
#
#   en (raw sockets) ─── isp ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
file=/sys/kernel/natf_router/act
act() { show hgw natf_router/act; }

for ((i = 0; i < 10000; i++)); do
    echo "add host-$i.guests 192.168.0.10 allow tcp 80,443 until 9999999999 comment \"number $i\""
done >"$WORK/table"
load() { hgw bash -c "{ echo begin; cat $WORK/table; echo commit; } >$file"; }
# From files: out of a pipe comes a part of a line now and then, and no write may end with one.
pieces() {
    split -l 500 "$WORK/table" "$WORK/piece."
    hgw bash -c "for piece in $WORK/piece.*; do cat \$piece >$file || exit; done"
}
timed load
is "they are loaded" "$STATUS" 0
within "in well under a second" "$TOOK" 0 900
note "a transaction: $TOOK ms"
timed act
cp "$WORK/timed" "$WORK/read"
note "read: $TOOK ms"
ok "they read back as they were written" cmp "$WORK/read" "$WORK/table"
is "the first and the last are found" "$(asked host-0.guests) $(asked host-9999.guests)" "code 0 code 0"
is "no other is" "$(asked host-10000.guests)" "code 1"
write hgw natf_router/act "add one-more 192.168.0.10 allow" 2>"$WORK/error" || true
matches "not one more" "$(cat "$WORK/error") $(show hgw natf_router/act_error)" \
    'No space left.*ENOSPC: the table is full: it has 10000 entries'
write hgw natf_router/act $'del host-5000.guests\nadd one-more 192.168.0.10 allow'
is "one for another" "$(asked one-more) $(asked host-5000.guests) $(rows hgw natf_router/act)" "code 0 code 1 10000"
write hgw natf_router/act flush
timed pieces
is "also without a transaction" "$STATUS" 0
note "in pieces: $TOOK ms"
ok "with the same result" cmp <(act) "$WORK/table"
timed load
note "a transaction in the place of as many: $TOOK ms"
ok "and again" cmp <(act) "$WORK/table"
