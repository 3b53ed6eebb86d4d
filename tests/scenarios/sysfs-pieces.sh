#!/bin/bash
# Writes and reads of the files under /sys/kernel that come in pieces: half a line is never taken for
# one, tables longer than a page go in and come out complete, and who reads one that changes gets whole lines.
#
#   hgw alone; en and its name server
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
insmod_router
insmod_en
file=/sys/kernel/natf_router/act
act() { show hgw natf_router/act; }
# raw TEXT: written as it is, in one system call
raw() { printf '%s' "$1" | hgw dd "of=$file" bs=64K iflag=fullblock status=none; }
raw_refused() { # raw_refused REMARK TEXT
    raw "$2" 2>"$WORK/error" && status=0 || status=$?
    differs "$1: refused" "$status" 0
    matches "$1: as invalid" "$(cat "$WORK/error")" 'Invalid argument'
}

before="add alice 192.168.0.10 allow"
raw "$before"$'\n'
is "control: a line with its end is taken" "$(act)" "$before"
raw_refused "a line without its end" "del alice"
raw_refused "a command without its end" "flush"
raw_refused "the end of a line that was cut" "ice 192.168.0.10 allow"$'\n'
is "the table is what it was" "$(act)" "$before"
raw "del alice"$'\n'"add bob 192.168.0.11 all" 2>/dev/null || true
is "of a line and a half no half is taken" "$(act | grep -c bob || true)" 0

# 3000 entries, 90 KB.
for ((i = 0; i < 3000; i++)); do
    echo "add host-$((i * 7919 % 3000)) 10.$((i % 200)).$((i / 200)).$((i % 250 + 1)) allow"
done >"$WORK/table"
is "control: 3000 different names" "$(cut -d' ' -f2 "$WORK/table" | sort -u | grep -c .)" 3000
within "control: of many pages" "$(stat -c %s "$WORK/table")" 65536 131072
load_split() { hgw split -l 100 --filter="cat >$file" "$WORK/table"; }
load_lines() { hgw bash -c 'while read -r line; do echo "$line"; done <"$0" >"$1"' "$1" $file; }
load_cat() { hgw bash -c 'cat "$0" >"$1"' "$WORK/table" $file; }
for way in load_split load_cat; do
    write hgw natf_router/act flush
    ok "$way: all is taken" $way
    act >"$WORK/read"
    ok "$way: and reads back complete and in its order" cmp "$WORK/read" "$WORK/table"
done
write hgw natf_router/act flush
head -n 200 "$WORK/table" >"$WORK/short"
ok "a shell that writes line by line" load_lines "$WORK/short"
is "leaves as many entries" "$(rows hgw natf_router/act)" 200
ok "a long table goes in again" load_split
for size in 100 4095 4097 1M; do
    ok "read in pieces of $size bytes it is the same" \
        cmp <(hgw dd "if=$file" "bs=$size" status=none) "$WORK/table"
done
ok "also from the middle" cmp <(hgw tail -c +50001 $file) <(tail -c +50001 "$WORK/table")

write en natf_en/domains "add home.example.net"
for ((i = 0; i < 200; i++)); do
    echo "name-$i.home.example.net"
done >"$WORK/names"
en dig +short "@$NAMESERVER" -f "$WORK/names" >"$WORK/addresses"
is "200 names have addresses of their own" "$(grep '^240\.' "$WORK/addresses" | sort -u | grep -c .)" 200
show en natf_en/nrt >"$WORK/nrt"
within "control: their table is longer than a page" "$(stat -c %s "$WORK/nrt")" 8192 65536
is "and reads back complete" "$(awk '{ print $2 "." $3 }' "$WORK/nrt" | sort)" "$(sort "$WORK/names")"
for size in 20 100 4095; do
    en dd if=/sys/kernel/natf_en/nrt "bs=$size" status=none >"$WORK/pieces"
    is "also in pieces of $size bytes" "$(cut -d' ' -f1-4 "$WORK/pieces")" "$(cut -d' ' -f1-4 "$WORK/nrt")"
done

# A number gets another digit while somebody reads in pieces: what was on its way to him is neither torn nor repeated.
without_numbers() { sed 's/ [0-9]* / /'; }
refuse() { en python3 "$NATF_TESTS/lib/request.py" cut=7 >/dev/null || true; }
for ((i = 0; i < 9; i++)); do refuse; done
is "control: a number of one digit" "$(stat_of hgw natf_router malformed)" 9
show hgw natf_router/stats >"$WORK/whole"
exec {reader}</sys/kernel/natf_router/stats
hgw dd bs=300 count=1 status=none <&$reader >"$WORK/pieces"
refuse
hgw cat <&$reader >>"$WORK/pieces"
ok "control: it was in the first piece" grep -q '^malformed 9 ' "$WORK/pieces"
is "control: and has a digit more now" "$(stat_of hgw natf_router malformed)" 10
is "every line is there, whole and once" "$(without_numbers <"$WORK/pieces")" "$(without_numbers <"$WORK/whole")"
