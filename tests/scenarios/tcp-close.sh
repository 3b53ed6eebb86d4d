#!/bin/bash
# limit: 120
# A connection that ended leaves the table: after a reset of either side within ten seconds, after both
# sides closed it within a minute.
#
#   en (ports 41001 to 41003) ─── isp ─── hgw (masquerade) ─── alice (nginx :80, closes first)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
natf_on
# talk PORT page|reset: connect from PORT; read the page until alice closes, or reset the connection
talk() {
    # shellcheck disable=SC2016 # perl's variables
    en timeout 10 perl -MSocket -e '
        my ($to, $port, $what) = @ARGV;
        socket(S, PF_INET, SOCK_STREAM, 0);
        setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
        bind(S, sockaddr_in($port, INADDR_ANY)) or die "bind: $!\n";
        connect(S, sockaddr_in(80, inet_aton($to))) or die "connect: $!\n";
        if ($what eq "page") {
            syswrite(S, "GET / HTTP/1.0\r\n\r\n");
            while (<S>) { print if /this is/; }
        } else {
            setsockopt(S, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
        }
        close(S);' "$virtual" "$1" "$2"
}
virtual=$(address_of alice.home.example.net)
flow() { show en natf_en/vat | grep -c ":$1 " || true; }
is_gone() { [ "$(flow "$1")" = 0 ]; }

started=$(milliseconds)
is "one is closed by both sides" "$(talk 41001 page)" "this is alice"
ok "one is reset" talk 41002 reset
end alice.nginx
not_ok "one is reset by alice, who does not listen any more" talk 41003 page
is "control: all are in the table" "$(flow 41001)$(flow 41002)$(flow 41003)" 111

export WAIT=15
ok "those that were reset leave" wait_for is_gone '4100[23]'
within "after ten seconds" "$(($(milliseconds) - started))" 10000 14000
is "the closed one is still there" "$(flow 41001)" 1
WAIT=60
ok "it leaves as well" wait_for is_gone 41001
within "after a minute" "$(($(milliseconds) - started))" 60000 64000
is "nothing is left" "$(rows en natf_en/vat)" 0
is "all were counted" "$(stat_of en natf_en expired)" 3
