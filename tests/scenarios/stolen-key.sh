#!/bin/bash
# Who has stolen a key opens with it what its entries allow to that address, and nothing else. When the key is taken
# away it opens nothing more, and the other keys are what they were; "del … flush" ends what it had opened.
#
#   en (the owner), web (has stolen the key office) ─── isp ─── hgw (keys office, laptop) ─── alice, bob, carol
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
insmod_router
office=$(printf '0123456789abcdef%.0s' 1 2 3 4)
laptop=$(printf 'fedcba9876543210%.0s' 1 2 3 4)
write hgw natf_router/keys "add office $office
add laptop $laptop"
write hgw natf_router/act "add alice 192.168.0.10 allow tcp 80 key office
add bob 192.168.0.11 allow key laptop
add carol 192.168.0.12 allow key office from 198.51.100.0/24"
thief() { web python3 "$NATF_TESTS/lib/request.py" "key=$office" "$@" | cut -d' ' -f1,2; }
owner() { en python3 "$NATF_TESTS/lib/request.py" "$@" | cut -d' ' -f1,2; }

is "control: without the key nothing is open" "$(web python3 "$NATF_TESTS/lib/request.py" | cut -d' ' -f1,2)" "code 1"
is "with it, what its entry allows" "$(thief s=41000)" "code 0"
is "not another port" "$(thief d=22)" "code 1"
is "nor what another key opens" "$(thief name=bob)" "code 1"
is "nor what it opens from elsewhere only" "$(thief name=carol)" "code 1"
is "control: to its owner" "$(owner name=carol "key=$office")" "code 0"
is "nor in its owner's place" "$(thief "en=$EN")" "code 6"
write hgw natf_router/keys "del office"
is "taken away, it opens nothing" "$(thief s=41001)" "code 9"
is "the other one is what it was" "$(owner name=bob "key=$laptop")" "code 0"
is "what it had opened lives on" "$(connections | grep -c 'dport=41000')" 1
write hgw natf_router/act "del alice flush"
is "until its entry is flushed" "$(connections | grep -c 'dport=41000' || true)" 0
