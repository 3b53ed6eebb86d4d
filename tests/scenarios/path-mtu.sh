#!/bin/bash
# Path-MTU discovery works through a translated flow: a narrow link between isp and hgw, an upload whose
# first packets do not fit.
#
#   en ── MTU 1500 ── isp ── MTU 1280 ── hgw (masquerade) ─── alice (socat, TCP 9000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
ip -n isp link set hgw mtu 1280
ip -n hgw link set wan mtu 1280
name_server
natf_on
head -c 2000000 /dev/urandom >"$WORK/sent"

upload() { # upload SECONDS: the file to alice; status 0 if all of it arrived
    rm -f "$WORK/got"
    background alice.got alice socat -u TCP-LISTEN:9000,reuseaddr "CREATE:$WORK/got"
    wait_for listening alice tcp 9000
    if en timeout "$1" socat -u "$WORK/sent" TCP4:alice.home.example.net:9000; then
        # Sent is not yet received: alice's socat ends when it has written everything.
        wait "${PID[alice.got]}"
        unset "PID[alice.got]"
        cmp "$WORK/sent" "$WORK/got"
    else
        end alice.got
        return 1
    fi
}

# What makes it work is the router's "fragmentation needed": without it nothing comes through.
lose isp output 'icmp type destination-unreachable'
not_ok "control: when isp tells nobody, the upload hangs" upload 3
keep isp
ok "the upload arrives whole" upload 20
ok "because the errors were translated" test "$(stat_of en natf_en error_in)" -gt 0
