#!/bin/bash
# stock: yes
# The first packet travels in the mapping request: the inside host's answer comes one round trip after it, as on a
# direct path. It is delivered once; EN's own firewall and conntrack see the connection whole.
#
#   en (policy drop in and out, "ct state invalid drop") ─── isp (20 ms each way) ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
delay 20
name_server
web_server alice
udp_echo alice 5000
natf_on
en nft -f - <<RULES
table inet own {
    counter invalid { }
    chain out {
        type filter hook output priority filter; policy drop;
        ct state invalid counter name invalid drop
        ct state established,related accept
        oifname "lo" accept
        ip daddr $NAMESERVER udp dport 53 accept
        ip daddr $G2 icmp type echo-request accept
        ip daddr $G2 tcp dport 80 accept
        ip daddr $G2 udp dport 5000 accept
    }
    chain in {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        ct state invalid counter name invalid drop
        ct state established,related accept
    }
}
RULES
page() { fetch en http://alice.home.example.net/; }
echoed() { ask_udp en alice.home.example.net 5000 hello; }
pinged() { en ping -n -c 1 -W 3 alice.home.example.net | sed -nE 's/.* ([0-9]+) received.*/\1 answer/p'; }
# seen NAME: who said what to whom on EN's side, up to the inside host's answer
seen() {
    packets "$1" | sed -nE "s/.* ${EN}[^ ]* > $G2.* ICMP echo request.* length ([0-9]+).*/> request/p
        s/.* $G2 > $EN.* ICMP echo reply.* length ([0-9]+).*/< reply/p
        s/.* $EN.* > $G2.* Flags \[([^]]*)\].*/> \1/p
        s/.* $G2.* > $EN.* Flags \[([^]]*)\].*/< \1/p
        s/.* $EN\.[0-9]+ > $G2\.5000: .*/> datagram/p
        s/.* $G2\.5000 > $EN\.[0-9]+: .*/< datagram/p" | head -n "$2" | tr '\n' ','
}

write en natf_en/early off
capture control isp en
is "control: without it the page comes" "$(page)" "this is alice"
capture_end control
is "control: after two round trips of the path" "$(seen control 4)" "> request,< reply,> S,< S.,"
write en natf_en/early on
is "the setting is shown" "$(show en natf_en/early)" "on"

for what in page echoed pinged; do
    capture $what isp en
    capture in.$what alice eth0 tcp or udp or icmp
    case $what in
    page) is "TCP: the page comes" "$(page)" "this is alice" ;;
    echoed) is "UDP: the answer comes" "$(echoed)" "alice heard hello from $EN" ;;
    pinged) is "ping: the answer comes" "$(pinged)" "1 answer" ;;
    esac
    capture_end $what
    capture_end in.$what
done
is "TCP: nothing leaves EN between request and SYN/ACK" "$(seen page 4)" "> request,< reply,< S.,> .,"
is "TCP: nothing was repeated" "$(repeated_segments page)" ""
is "TCP: alice heard one SYN" "$(count_packets in.page 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn')" 1
is "UDP: nothing leaves EN before the answer" "$(seen echoed 4)" "> request,< reply,< datagram,"
is "UDP: alice heard one datagram" "$(count_packets in.echoed 'udp dst port 5000')" 1
is "ping: two answers to one packet, the router's and hers" \
    "$(count_packets pinged "src $EN and icmp") $(count_packets pinged "src $G2 and icmp")" "1 2"
is "ping: alice heard one" "$(count_packets in.pinged 'icmp[icmptype] == icmp-echo')" 1
is "alice heard them with the TTL that they would have had" \
    "$(packets in.page 'tcp[tcpflags] == tcp-syn' | sed -nE 's/.*ttl ([0-9]+),.*/\1/p')" 62
is "EN's first packets were delivered" "$(stat_of en natf_en early_delivered)" 3
is "as the router says" "$(stat_of hgw natf_router early_delivered)" 3
is "the names' addresses did not leave" "$(count_packets page net 240.0.0.0/4)" 0
is "EN's conntrack knows the connection" \
    "$(en conntrack -L -p tcp 2>/dev/null | grep -c "dst=$G2 .*dport=80 .*ASSURED")" 2
is "EN's firewall met nothing invalid" "$(nft_counter en own invalid)" 0
is "nor did the router's" "$(nft_counter hgw filter invalid)" 0
