#!/bin/bash
# The kernel's file names: what it takes, refuses and shows. And natf-named beside a resolver that the kernel can see: the
# answer has the virtual address already, and is passed on.
#
#   en (getent → libnss_natf → natf-named → port 53) ─── isp (BIND) ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/hidden.sh
. "$NATF_TESTS/lib/hidden.sh"

topology
echo "alice.home A $G2" >"$WORK/more"
echo "alice.home AAAA 2001:db8::10" >>"$WORK/more"
ZONE=$WORK/more name_server
web_server alice
natf_on
told() { show en natf_en/names; }
errno() { # errno NAMESPACE LINES: what is said to one write of them
    in_ns "$1" bash -c 'cat >/sys/kernel/natf_en/names' <<<"$2" 2>&1 | sed -n 's/.*: //p'
}

is "at first it shows nothing" "$(told)" ""
is "a name is taken" "$(errno en "Dave.home.example.net. $G2,203.0.113.3 90")" ""
matches "and has a virtual address" "$(told)" "^240\.[0-9.]+ dave home.example.net $G2,203.0.113.3 (90|89)\$"
is "it is that of the table" "$(show en natf_en/nrt)" "$(told)"
first=$(told)
is "several are taken" "$(errno en "alice.home.example.net $G2 700
# and
erin.home.example.net $G2 60")" ""
matches "the last is shown" "$(told)" ' erin home.example.net '
is "the table has them" "$(rows en natf_en/nrt)" 3
is "by it a page comes" "$(fetch en "http://$(show en natf_en/nrt | awk '$2 == "alice" { print $1 }')/")" "this is alice"
before=$(show en natf_en/nrt | cut -d' ' -f1-4 | sort)
for wrong in "frank.home.example.net" "frank.home.example.net $G2" "frank.home.example.net 60 $G2" \
    "frank.home.example.net $G2 60 60" "frank.home.example.net $G2, 60" "fr!nk.home.example.net $G2 60" \
    "frank.home.example.net 127.0.0.1 60" "frank.home.example.net 240.0.1.1 60" "frank.home.example.net 224.0.0.1 60" \
    "frank.home.example.net $G2 -1" "frank.home.example.net 2001:db8::1 60" \
    "frank.home.example.net $G2 60"$'\n'"nonsense"; do
    is "refused: ${wrong//$'\n'/, }" "$(errno en "$wrong")" "Invalid argument"
done
is "a name under no suffix" "$(errno en "frank.home.example.net $G2 60
frank.example.org $G2 60")" "No such file or directory"
is "the router's own name" "$(errno en "home.example.net $G2 60")" "No such file or directory"
is "none of these changed anything" "$(show en natf_en/nrt | cut -d' ' -f1-4 | sort)" "$before"
is "another namespace has no suffix" "$(errno hgw "alice.home.example.net $G2 60")" "No such file or directory"
matches "a user may not write it" "$(as_user en 65534 bash -c 'echo "x.home.example.net 192.0.2.1 60" >/sys/kernel/natf_en/names' 2>&1)" \
    'Permission denied'
matches "nor root without the right" "$(in_ns en setpriv --bounding-set=-net_admin bash -c \
    'echo "x.home.example.net 192.0.2.1 60" >/sys/kernel/natf_en/names' 2>&1)" 'Operation not permitted'
write en natf_en/names "dave.home.example.net 203.0.113.9 60"
matches "a router that moved is another, the address is the same" "$(told)" "^${first%% *} dave home.example.net 203.0.113.9 "

# The resolver is visible: what natf-named hears is virtual.
nss_module
hosts files natf "[!UNAVAIL=return]" dns
natf_named
matches "natf-named asks who stands behind it" "$(cat "$WORK/en.natf-named.log")" '"dns"'
write en natf_en/names "dave.home.example.net 203.0.113.9 60"
virtual=$(address_of carol.home.example.net)
matches "a name that the kernel saw has its virtual address" "$virtual" '^240\.'
differs "it saw the answer" "$(stat_of en natf_en dns_rewritten)" 0
matches "and was told nothing" "$(told)" ' dave '
is "both ways lead to the same" "$(en dig +short carol.home.example.net)" "$virtual"

# The same resolver, and the kernel looks elsewhere: what it does not see leads around nothing either.
write en natf_en/dns_ports 5353
six() { # getent looks first whether this host has any IPv6
    en python3 -c 'import socket; print(socket.getaddrinfo("alice.home.example.net", 80, socket.AF_INET6)[0][4][0])' 2>&1 | tail -n 1
}
hosts files dns
is "control: without the module, the name leads to the router" "$(address_of alice.home.example.net)" "$G2"
is "and there is an IPv6 address" "$(six)" 2001:db8::10
hosts files natf "[!UNAVAIL=return]" dns
matches "with it the address is virtual" "$(address_of alice.home.example.net)" '^240\.'
matches "and no way leads around it by IPv6" "$(six)" 'gaierror: .*No address associated with hostname'
end en.natf-named

# As systemd starts it: the socket is there before, and is its standard input.
background en.natf-named en python3 -c '
import os, socket
os.unlink("/run/natf/names")
names = socket.socket(socket.AF_UNIX)
names.bind("/run/natf/names")
names.listen()
os.dup2(names.fileno(), 0)
os.execvp("natf-named", ["natf-named"])'
wait_for grep -q listening "$WORK/en.natf-named.log"
matches "it answers at a socket that it was given" "$(address_of alice.home.example.net)" '^240\.'
write en natf_en/domains flush
is "when the suffix is taken away, the name is the resolver's" "$(address_of carol.home.example.net)" "$G2"
