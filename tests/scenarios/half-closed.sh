#!/bin/bash
# A connection that one side has closed still carries what the other one says. Who asks for a mapping of its ports
# ends it only if he shows, by a key or a cookie, that he is its endpoint: somebody else may have asked in its name.
#
#   en (natf_en, raw sockets) ─── isp ─── hgw (masquerade, "ct state invalid drop") ─── alice (socat, nginx :81)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
natf_on
key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
write hgw natf_router/keys "add office $key"
mkfifo "$WORK/words"
# half PORT: a connection from there that en has closed, and alice has not
half() {
    background alice.late alice socat -u "OPEN:$WORK/words,rdonly" TCP4-LISTEN:81,reuseaddr,linger=0
    exec {words}>"$WORK/words"
    wait_for listening alice tcp 81
    background half en socat -t 60 - "TCP4:alice.home.example.net:81,sourceport=$1,reuseaddr,linger=0"
    wait_for in_state "$1" CLOSE_WAIT
}
state() { connections -p tcp | sed -nE "s/^tcp +6 +[0-9]+ ([A-Z_0-9]+) .*dport=$1 .*/\1/p"; }
in_state() { [ "$(state "$1")" = "$2" ]; }
ask() { request s=41000 d=81 tell=all "$@"; }
cookies() { echo "$(stat_of en natf_en request_sent) $(stat_of en natf_en cookie_sent)"; }

half 41000
is "control: that took one request, and no cookie" "$(cookies)" "1 0"
matches "who may be somebody else is asked for a cookie; his SYN was not delivered" "$(ask early=syn)" \
    '^code 8 mapped 0\.0\.0\.0:0 lifetime 0 new epoch none cookie [0-9a-f]{16}$'
is "that was counted" "$(stat_of hgw natf_router cookie_asked)" 1
is "the connection is there" "$(state 41000)" CLOSE_WAIT
echo late >&"$words"
ok "and alice is heard" wait_for heard half late
is "without room for a cookie there is no answer" "$(ask pad=0)" "silence"
matches "with a key the ports are free at once" "$(ask key="$key")" "^code 0 mapped $G2:81 lifetime 432000 new "
is "for a new connection" "$(state 41000)" SYN_SENT

# reset_all: both ends are gone, and the router does not hear of it
reset_all() {
    lose alice output tcp flags fin,rst
    lose isp forward tcp flags rst
    end half
    end alice.late
    exec {words}>&-
    keep alice
    keep isp
}
reset_all
half 41001
is "control: another one" "$(cookies)" "2 0"
reset_all
is "is gone, but the router does not know" "$(state 41001)" CLOSE_WAIT
web_server alice 81
is "en opens one of the same ports, and does not notice" \
    "$(fetch en http://alice.home.example.net:81/ --local-port 41001)" "this is alice"
is "that it took a cookie" "$(cookies)" "4 1"
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
