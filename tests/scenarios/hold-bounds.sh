#!/bin/bash
# While the router is silent a flow holds 16 packets and no more. The others are counted, nothing leaves,
# and when the router answers after all, those that were held arrive in their order.
#
#   en (100 datagrams at once) ─── isp (loses the requests at first) ─×─ hgw ─── alice (UDP 5000)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
background alice.sink alice socat -u UDP4-RECV:5000 "OPEN:$WORK/arrived,creat,append"
wait_for listening alice udp 5000
natf_on
write en natf_en/early off
virtual=$(address_of alice.home.example.net)
lose isp forward ip daddr "$G2" icmp type echo-request
capture wire isp en "host $G2"

# flood PORT COUNT: so many datagrams, with their numbers, from one socket
flood() {
    # shellcheck disable=SC2016 # perl's variables
    en perl -MSocket -e '
        my ($to, $port, $count) = @ARGV;
        socket(S, PF_INET, SOCK_DGRAM, 0);
        bind(S, sockaddr_in($port, INADDR_ANY));
        connect(S, sockaddr_in(5000, inet_aton($to)));
        for (1 .. $count) { defined send(S, "$_\n", 0) or $errors{$!}++; }
        print "$_ $errors{$_}\n" for keys %errors;
    ' "$virtual" "$1" "$2"
}
errors=$(flood 41000 100)
is "16 are held" "$(stat_of en natf_en held)" 16
is "84 are not" "$(stat_of en natf_en hold_full)" 84
note "the sender heard: ${errors:-nothing}"
is "nothing arrived" "$(cat "$WORK/arrived" 2>/dev/null)" ""
is "the flow is being negotiated" "$(show en natf_en/vat | grep -c negotiating)" 1
keep isp
arrived() { [ "$(wc -l <"$WORK/arrived")" -ge "$1" ]; }
ok "the router answers late, and those that were held arrive" wait_for arrived 16
is "in their order" "$(xargs <"$WORK/arrived")" "$(seq -s ' ' 16)"
is "they were released" "$(stat_of en natf_en released)" 16

flood 41000 1
ok "the next one goes straight through" wait_for arrived 17
is "it was not held" "$(stat_of en natf_en held)" 16
capture_end wire
ok "the request was repeated" test "$(count_packets wire 'icmp[icmptype] == icmp-echo')" -ge 2
is "control: the wire saw 17 datagrams" "$(count_packets wire "udp and dst $G2")" 17
