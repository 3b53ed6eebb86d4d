#!/bin/bash
# stock: yes
# The name server answers over TLS only, and programs ask systemd-resolved over its own socket: no answer passes that
# natf_en could read. With libc's module natf, names lead to the hosts behind the router all the same.
#
#   en (curl, ssh → libnss_natf → natf-named → resolved) ── TLS, 853 ── isp (BIND) ─── hgw ─── alice (nginx, sshd)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/hidden.sh
. "$NATF_TESTS/lib/hidden.sh"

hidden_dns
web_server alice
web_server web
ssh-keygen -q -t ed25519 -N '' -f "$WORK/client"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/host"
mkdir -p /run/sshd
background alice.sshd alice /usr/sbin/sshd -D -e -f /dev/null -h "$WORK/host" -o PidFile=none \
    -o AuthorizedKeysFile="$WORK/client.pub" -o PasswordAuthentication=no -o UsePAM=no -o StrictModes=no
wait_for listening alice tcp 22
echo "alice.home.example.net $(cut -d' ' -f1,2 "$WORK/host.pub")" >"$WORK/known"
natf_on
name=alice.home.example.net
addresses() { en getent ahosts "$1" | awk '{ print $1 }' | sort -u; }

capture upstream isp en "host $NAMESERVER"
not_ok "control: nobody answers at port 53" en dig +short +time=1 +tries=1 "@$NAMESERVER" $name
is "control: without the module the name leads to the router" "$(address_of $name)" "$G2"
not_ok "control: where nobody serves the page" fetch en http://$name/ --connect-timeout 1
nss_module
is "with the module, but nobody to ask, nothing changes" "$(address_of $name)" "$G2"
natf_named

virtual=$(address_of $name)
matches "with natf-named the address is virtual" "$virtual" '^240\.'
matches "made by the kernel" "$(show en natf_en/nrt)" "^$virtual alice home.example.net $G2 [56][0-9][0-9]\$"
is "getaddrinfo has it alone" "$(addresses $name)" "$virtual"
is "gethostbyname2, too" "$(en getent hosts $name | tr -s ' ')" "$virtual $name"
is "and gethostbyname" "$(en python3 -c 'import socket, sys; print(socket.gethostbyname_ex(sys.argv[1]))' $name)" \
    "('$name', [], ['$virtual'])"
is "case and a final dot do not matter" "$(address_of ALICE.home.example.net.)" "$virtual"
is "an unprivileged user has it, too" "$(as_user en 65534 getent ahostsv4 $name | awk '{ print $1; exit }')" "$virtual"
is "alice's page comes by name" "$(fetch en http://$name/)" "this is alice"
# shellcheck disable=SC2016 # the shell there expands it
is "so does ssh" "$(en timeout 30 ssh -F none -i "$WORK/client" -o UserKnownHostsFile="$WORK/known" \
    -o BatchMode=yes -o CheckHostIP=no root@$name 'echo "$SSH_CONNECTION"' | cut -d' ' -f1,3)" "$EN 192.168.0.10"
is "a name under no suffix is what it is" "$(addresses web.example.net)" "$WEB"
is "and its page comes" "$(fetch en http://web.example.net/)" "this is web"
is "the router's own name, too" "$(address_of home.example.net)" "$G2"
not_ok "a name that has no IPv4 address has none" en getent ahosts six.home.example.net
capture_end upstream
is "no answer came by port 53" "$(count_packets upstream "src port 53")" 0
differs "they came by TLS" "$(count_packets upstream "tcp and src port 853")" 0
is "the kernel read none" "$(stat_of en natf_en dns_rewritten)" 0
matches "control: it reads what resolved's stub says at port 53" "$(en dig +short @127.0.0.53 $name)" "^$virtual\$"

# Whoever asks waits for a bounded time.
end isp.named
wait_for test -z "$(isp ss -Hltn "sport = :853")"
timed en getent ahosts $name
differs "when the resolver has no answer, there is none" "$STATUS" 0
is "nor the router's address" "$(grep -c "$G2" "$WORK/timed" || true)" 0
ok "within 10 s and a little" test "$TOOK" -lt 11500
TLS=$WORK/dns ZONE=$WORK/more name_server
wait_for en getent ahosts $name
kill -STOP "${PID[en.natf-named]}"
timed en getent ahostsv4 $name
matches "when natf-named hangs, the next one is asked" "$(cat "$WORK/timed")" "^$G2 "
ok "after a second" test "$TOOK" -lt 3000
kill -CONT "${PID[en.natf-named]}"
end en.natf-named
timed en getent ahostsv4 $name
matches "when it is gone, too" "$(cat "$WORK/timed")" "^$G2 "
ok "at once" test "$TOOK" -lt 1000
natf_named
is "when it is back, the address is the same" "$(address_of $name)" "$virtual"
rmmod natf_en
is "without natf_en names are what the resolver says" "$(address_of $name)" "$G2"
