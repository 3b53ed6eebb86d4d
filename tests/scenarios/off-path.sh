#!/bin/bash
# Somebody who does not see what passes cannot answer in the router's place, however often he tries, nor from another
# address if he knew what only who sees it knows; and he cannot plant a DNS answer, not even if he is asked something
# else. Each is counted and changes nothing.
#
#   en ─── isp (sees the requests, and stands for the attacker) ─×─ hgw
#           └ BIND                                                └─ alice; the attacker's own server is web (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server web
natf_on
# The router is slow: the attacker has all the time that there is.
lose isp forward ip daddr "$G2" icmp type echo-request
attack() { # attack NAME KEY=VALUE…: one connection there, while somebody answers for its router
    local name=$1
    shift
    background forger isp python3 "$NATF_TESTS/lib/answer.py" en "mapped=$WEB:80" "$@"
    wait_for grep -q listening "$WORK/forger.log"
    FETCHED=$(fetch en "http://$name.home.example.net/" --max-time 1 2>&1 || true)
    wait_for grep -q answered "$WORK/forger.log"
    end forger
    # The flow before this one may have asked once more.
    ANSWERED=$(grep -c answered "$WORK/forger.log")
}
unknown() { stat_of en natf_en reply_unknown; }

attack alice
is "control: who sees the request can answer it" "$FETCHED" "this is web"
is "control: and nothing was counted" "$(unknown)" 0
attack bob nonce=random count=1000
matches "who does not, guesses in vain" "$FETCHED" 'curl: '
guesses=$((ANSWERED * 1000))
is "each guess was counted" "$(unknown)" $guesses
attack carol from=203.0.113.66
matches "from another address nothing counts" "$FETCHED" 'curl: '
is "as was counted" "$(unknown)" $((guesses + ANSWERED))

# says ID ADDRESS: the DNS message that dave is there, in perl
# shellcheck disable=SC2016 # perl's variables
says='
    use Socket;
    sub says {
        my ($id, $address) = @_;
        my $name = pack("(C/a)*x", qw(dave home example net));
        return pack("n6a*nna*nnNna4", $id, 0x8180, 1, 1, 0, 0, $name, 1, 1, $name, 1, 1, 60, 4, inet_aton($address));
    }'
plant() { # plant ID: an answer for dave, from the name server's address, to the port of a query
    # shellcheck disable=SC2016 # perl's variables
    isp perl -e "$says"'
        my ($from, $to, $port, $id, $address) = @ARGV;
        my $dns = says($id, $address);
        my $udp = pack("n4", 53, $port, 8 + length $dns, 0) . $dns;
        socket(S, PF_INET, SOCK_RAW, 255) or die $!;
        send(S, pack("CCnnnCCna4a4", 0x45, 0, 20 + length $udp, 0, 0x4000, 64, 17, 0, inet_aton($from), inet_aton($to)) . $udp,
            0, scalar sockaddr_in(0, inet_aton($to)));
    ' "$NAMESERVER" $EN 5300 "$1" "$WEB"
}
unasked() { (($(stat_of en natf_en dns_unasked) > $1)); }
plant 7
ok "a DNS answer that nobody asked for is counted" wait_for unasked 0
is "and gives no name an address" "$(show en natf_en/nrt | grep -c dave)" 0

# liar: a DNS server that says where dave is, whatever it is asked
# shellcheck disable=SC2016 # perl's variables
background liar web perl -e "$says"'
    socket(S, PF_INET, SOCK_DGRAM, 0);
    bind(S, sockaddr_in(53, INADDR_ANY)) or die $!;
    while (my $who = recv(S, my $query, 512, 0)) {
        send(S, says(unpack("n", $query), $ARGV[0]), 0, $who);
    }' "$WEB"
wait_for listening web udp 53
before=$(stat_of en natf_en dns_unasked)
for other in www.example.org carol.home.example.net; do
    en dig "$other" "@$WEB" +tries=1 +timeout=1 >"$WORK/dig" 2>&1 || true
    ok "who is asked for $other cannot say where dave is" unasked "$before"
    before=$(stat_of en natf_en dns_unasked)
done
is "that gives no name an address, either" "$(show en natf_en/nrt | grep -c dave)" 0
matches "control: who is asked for dave can" "$(en dig +short dave.home.example.net "@$WEB")" '^240\.'
