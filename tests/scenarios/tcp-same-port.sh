#!/bin/bash
# A connection that ended, however it did, does not stand in the way of a new one from the same port to the
# same name at once: it is negotiated again.
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
requests() { stat_of en natf_en request_sent; }
flow() { show en natf_en/vat | grep -c ":$1 " || true; }

capture wire isp en "host $G2"
is "closed by both sides" "$(talk 41001 page)" "this is alice"
is "the same port again" "$(talk 41001 page)" "this is alice"
is "that was negotiated again" "$(requests)" 2
is "there is one flow of that port" "$(flow 41001)" 1
end alice.nginx
not_ok "reset by alice, who does not listen" talk 41002 page
web_server alice
is "the same port again, when she does" "$(talk 41002 page)" "this is alice"
is "that was negotiated again, too" "$(requests)" 4
ok "reset by en" talk 41003 reset
is "the same port again" "$(talk 41003 page)" "this is alice"
is "and that" "$(requests)" 6
capture_end wire
is "six connections took six SYNs" "$(count_packets wire "tcp[tcpflags] == tcp-syn and src $EN")" 6
