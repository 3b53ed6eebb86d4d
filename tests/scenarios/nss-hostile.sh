#!/bin/bash
# Anybody may ask natf-named. Who sends garbage, says nothing, or comes with many connections changes nothing, takes
# nobody else's turn, and leaves nothing behind.
#
#   en (users 1000 and 1001 → natf-named → resolved) ── TLS ── isp (BIND) ─── hgw ─── alice
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/hidden.sh
. "$NATF_TESTS/lib/hidden.sh"

hidden_dns
natf_on
nss_module
natf_named
name=alice.home.example.net
pid() { echo "${PID[en.natf-named]}"; }
threads() { find "/proc/$(pid)/task" -mindepth 1 -maxdepth 1 | wc -l; }
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$(pid)/status"; } # KiB
say() { # say WHAT…: what user 1000 hears who says the bytes that printf makes of it
    # shellcheck disable=SC2016 # the shell there expands it
    as_user en 1000 bash -c 'printf "$@" | timeout 5 socat -t 3 - UNIX-CONNECT:/run/natf/names 2>/dev/null' say "$@"
}

is "the socket is everybody's" "$(stat -c '%a %U' /run/natf/names)" "666 root"
is "its folder is root's" "$(stat -c '%a %U' /run/natf)" "755 root"
virtual=$(address_of $name)
is "control: who asks properly hears" "$(say '%s\n' $name)" $'wait\n'"$virtual 300"
is "of a name under no suffix nothing" "$(say 'web.example.net\n')" other
is "not even whether there is one" "$(say 'nobody.example.org\n')" other
table=$(show en natf_en/nrt | cut -d' ' -f1-4)
is "a line of the kernel's file is no name" "$(say "mallory.home.example.net 192.0.2.66 600\n")" ""
is "nor is a second one in a question" "$(say "web.example.net\nmallory.home.example.net 192.0.2.66 600\n")" other
is "nor a name with other bytes" "$(say 'mal\0lory.home.example.net\n')$(say 'a b.home.example.net\n')$(say '..\n')$(say '\n')" ""
is "a line without an end is none" "$(say '%s' $name)" ""
is "nor is one of a megabyte" "$(say '%01000000d\n' 0)" ""
head -c 100000 /dev/urandom >"$WORK/noise"
chmod 644 "$WORK/noise"
for ((i = 0; i < 8; i++)); do
    as_user en 1000 timeout 5 socat -u "OPEN:$WORK/noise,seek=$((i * 4096))" UNIX-CONNECT:/run/natf/names 2>/dev/null || true
done
is "the table knows nothing of all that" "$(show en natf_en/nrt | cut -d' ' -f1-4)" "$table"

# 400 connections of one user that say nothing, all the time; who is thrown out comes again.
cat >"$WORK/crowd.py" <<'PYTHON'
import select, socket, sys
crowd, poll = {}, select.poll()
def come():
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    try:
        s.connect("/run/natf/names")
    except BlockingIOError:
        return
    crowd[s.fileno()] = s
    poll.register(s, select.POLLIN | select.POLLHUP)
print("there", flush=True)
while True:
    while len(crowd) < 400:
        before = len(crowd)
        come()
        if len(crowd) == before:
            break
    for fd, _ in poll.poll(100):
        poll.unregister(fd)
        crowd.pop(fd).close()
PYTHON
chmod 644 "$WORK/crowd.py"
background en.crowd en setpriv --reuid=1000 --regid=65534 --clear-groups python3 "$WORK/crowd.py"
wait_for grep -q there "$WORK/en.crowd.log"
crowded() { [ "$(threads)" -ge 17 ]; }
ok "one user has 16 places" wait_for crowded
is "and no more" "$(threads)" 17
within "another user is served, every time" "$(for ((i = 0; i < 20; i++)); do
    as_user en 1001 getent ahostsv4 $name | awk -v v="$virtual" '$1 == v { print; exit }'
done | grep -c .)" 20 20
within "the memory stays small" "$(memory)" 0 16384
end en.crowd
alone() { [ "$(threads)" -eq 1 ]; }
ok "when they are gone, nothing of them is left" wait_for alone
is "no file either" "$(find "/proc/$(pid)/fd" -lname 'socket:*' | wc -l)" 1
is "user 1000 is served again" "$(say '%s\n' $name)" $'wait\n'"$virtual 300"

# Many who ask and do not wait for the answer.
for ((i = 0; i < 20; i++)); do
    as_user en 1000 timeout 5 socat -u EXEC:"echo n$i.home.example.net" UNIX-CONNECT:/run/natf/names 2>/dev/null || true
done
ok "who does not wait for the answer leaves nothing either" wait_for alone
is "control: natf-named is still the same" "$(kill -0 "${PID[en.natf-named]}" && echo yes)" yes
not_ok "another natf-named does not take its place" en natf-named
is "and did not" "$(address_of $name)" "$virtual"
