#!/bin/bash
# natfctl apply makes the modules do what a file says, all or nothing, and leaves alone what is open.
#
#   en (curl) ─── isp (BIND) ─── hgw ─── alice (nginx, a server that echoes lines)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
insmod_en
insmod_router
apply() { in_ns "$1" natfctl apply --role "${2:-$1}" "$WORK/$1.toml"; }
diff_of() { in_ns "$1" natfctl diff --role "${2:-$1}" "$WORK/$1.toml"; }
router_apply() { apply hgw router; }
router_diff() { diff_of hgw router; }
said() { "$@" 2>&1 || true; }
# Everything that a file can say, and what shows whether anything was written.
state_of() { in_ns "$1" bash -c 'cd "/sys/kernel/$1" && for file in prefix dns_ports early domains act limits keys; do [ ! -e $file ] || cat $file; done' state "$2"; }

# What a file leaves out is what a module has when it is loaded.
: >"$WORK/en.toml"
: >"$WORK/hgw.toml"
is "an empty file changes nothing of a new natf_en" "$(diff_of en)" ""
is "nor of a new natf_router" "$(router_diff)" ""

(umask 077 && printf '0123456789abcdef%.0s' 1 2 3 4 >"$WORK/key" && printf '123456789abcdef0%.0s' 1 2 3 4 >"$WORK/other")
cat >"$WORK/en.toml" <<'TOML'
domains = ["home.example.net", "office.example.com"]
prefix = "241.0.0.0/8"
dns_ports = [53, 5353]
early = "off"
[keys]
"home.example.net" = "key"
[limits]
names = 1000
TOML
cat >"$WORK/hgw.toml" <<'TOML'
act = [
    'alice 192.168.0.10 allow tcp 80 key laptop comment "first floor"',
    '* - deny',
]
early = "proven"
[keys]
laptop = "key"
office = "other"
[limits]
source = 100
TOML
before=$(state_of en natf_en)
diff_of en >"$WORK/diff"
is "diff changes nothing" "$(state_of en natf_en)" "$before"
ok "a file is applied on en" apply en
ok "and on hgw" router_apply
is "en has all of it" "$(state_of en natf_en | sed 's/\(example.net\) [0-9a-f]\{8\}$/\1 ID/')" \
    $'241.0.0.0/8\n53 5353\noff\nadd home.example.net\nadd office.example.com\nnames 1000\nflows 1048576\nqueries 4096\nhome.example.net ID'
is "hgw has all of it" "$(state_of hgw natf_router | sed 's/ [0-9a-f]\{8\}$/ ID/')" \
    $'proven\nadd alice 192.168.0.10 allow tcp 80 key laptop comment "first floor"\nadd * - deny\nsource 100\ncookie 2000\nmappings 4096\nlaptop ID\noffice ID'
is "there is no difference any more on en" "$(diff_of en)" ""
is "nor on hgw" "$(router_diff)" ""
matches "the address is of the new range" "$(address_of alice.home.example.net)" '^241\.'
is "and alice answers, with the key" "$(fetch en http://alice.home.example.net/)" "this is alice"

# A reload in the middle of a connection.
vat_before=$(show en natf_en/vat | grep -c ' alice ')
sed -i 's/"office.example.com"/"work.example.com"/; s/names = 1000/names = 2000/' "$WORK/en.toml"
is "diff tells what will be other" "$(diff_of en)" \
    $'natf_en limits\n-names 1000\n+names 2000\nnatf_en domains\n-office.example.com\n+work.example.com'
ok "it is applied" apply en
is "flows stay" "$(show en natf_en/vat | grep -c ' alice ')" "$vat_before"

# The kernel refuses: the range has names.
before=$(state_of en natf_en)
sed -i 's,^prefix.*,prefix = "242.0.0.0/8",; s/names = 2000/names = 3000/' "$WORK/en.toml"
matches "a prefix in use is refused" "$(said apply en)" \
    'natf_en/prefix: Device or resource busy: there are names or flows.*; nothing has changed'
is "and the rest of the file, too" "$(state_of en natf_en)" "$before"

# Two keys change their names: what cannot be taken back comes last, and in one write.
sed -i 's/laptop = "key"/laptop = "other"/; s/office = "other"/office = "key"/' "$WORK/hgw.toml"
ids() { show hgw natf_router/keys | sort | cut -d' ' -f2 | paste -sd ' '; }
read -r first second <<<"$(ids)"
ok "two keys are exchanged" router_apply
is "each has the other's id" "$(ids)" "$second $first"

# Somebody else's transaction is under way.
before=$(state_of hgw natf_router)
sed -i 's/tcp 80/tcp 80,443/; s/source = 100/source = 200/' "$WORK/hgw.toml"
# shellcheck disable=SC2016 # the inner shell's
busy() { hgw bash -c 'exec 5>/sys/kernel/natf_router/act; echo begin >&5; natfctl apply --role router "$1"; echo abort >&5' busy "$WORK/hgw.toml" 2>&1; }
matches "then a table is refused, in the kernel's words" "$(busy)" "EBUSY: somebody else's transaction is under way.*; nothing has changed"
is "and the rest of the file, too" "$(state_of hgw natf_router)" "$before"

# A mistake is found before anything is written.
sed -i "s/'\* - deny'/'* - dney'/" "$WORK/hgw.toml"
matches "a mistake is told with file and line" "$(said router_apply)" "hgw.toml:3: .*after the address say"
is "and nothing is written" "$(state_of hgw natf_router)" "$before"
rm "$WORK/hgw.toml"
: >"$WORK/hgw.toml"
ok "an empty file" router_apply
is "takes everything back" "$(state_of hgw natf_router)" $'all\nsource 500\ncookie 2000\nmappings 4096'
