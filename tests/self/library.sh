#!/bin/bash
# stock: yes
# Harness self-test: the network of the scenarios without any NAT-f: the home router lets its hosts out
# and nobody in, the servers serve, and captures see what there is to see.
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server web
web_server alice
udp_echo web 5000
ftp_server web
head -c 1M /dev/urandom >"$WORK/ftp.web/file"

is "names are answered" "$(address_of bob.home.example.net)" "$G2"
capture wire isp en
is "a page by name" "$(fetch en http://web.example.net/)" "this is web"
capture_end wire
is "the capture has the SYN" "$(count_packets wire 'tcp[tcpflags] == tcp-syn')" 1
is "and nothing repeated" "$(repeated_segments wire)" ""

is "a datagram" "$(ask_udp en web.example.net 5000 hello 41000)" "web heard hello from $EN"
sum=$(sha256sum <"$WORK/ftp.web/file")
for mode in "" --disable-epsv "--ftp-port -" "--ftp-port - --disable-eprt"; do
    read -ra options <<<"$mode"
    is "FTP ${mode:---epsv}" "$(fetch en ftp://web.example.net/file "${options[@]}" | sha256sum)" "$sum"
done

not_ok "the home router answers no ping" en ping -c 1 -W 1 "$G2"
differs "its firewall counted it" "$(nft_counter hgw filter unsolicited)" 0
not_ok "and lets nobody in" fetch en "http://$G2/" --connect-timeout 1
is "its hosts get out, under its address" "$(fetch alice "http://$WEB/who")" "$G2"
is "and are in its table" "$(connections -p tcp | grep -c "src=192.168.0.10 dst=$WEB")" 1

capture lost isp en
lose web input tcp dport 80
timed fetch en http://web.example.net/ --connect-timeout 2
capture_end lost
is "curl gives up in time" "$STATUS" 28
within "and the clock is right" "$TOOK" 1900 2600
differs "a repeated SYN is told" "$(repeated_segments lost)" ""
background sleeper en sleep 100
end sleeper
is "what is ended is gone" "${PID[sleeper]:-gone}" gone
