#!/bin/bash
# stock: yes
# limit: 120
# The clients that people use, unmodified, each by name: ssh, wget, lftp, curl with two connections at a
# time, netcat, iperf3 over TCP in both directions and over UDP.
#
#   en ─── isp ─── hgw (masquerade) ─── alice (OpenSSH, nginx, vsftpd, netcat, iperf3)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

HOST=alice.home.example.net
topology
name_server
web_server alice
ftp_server alice
head -c 2M /dev/urandom >"$WORK/ftp.alice/file"
cp "$WORK/ftp.alice/file" "$WORK/web.alice/file"
sum=$(sha256sum <"$WORK/ftp.alice/file")
background alice.iperf3 alice iperf3 -s
wait_for listening alice tcp 5201

ssh-keygen -q -t ed25519 -N '' -f "$WORK/host"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/key"
cp "$WORK/key.pub" "$WORK/authorized"
mkdir -p /run/sshd
cat >"$WORK/sshd" <<CONF
HostKey $WORK/host
AuthorizedKeysFile $WORK/authorized
StrictModes no
UsePAM no
PidFile none
CONF
background alice.sshd alice /usr/sbin/sshd -D -e -f "$WORK/sshd"
wait_for listening alice tcp 22

# Each one does its work within SECONDS, or fails.
# shellcheck disable=SC2016 # alice's shell expands it
use_ssh() {
    en timeout "$1" ssh -F none -i "$WORK/key" -o BatchMode=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "root@$HOST" 'cat; echo $SSH_CONNECTION' \
        <"$WORK/ftp.alice/file" >"$WORK/ssh"
    [ "$(head -c 2M "$WORK/ssh" | sha256sum)" = "$sum" ] &&
        [ "$(tail -c +2097153 "$WORK/ssh" | cut -d' ' -f1)" = $EN ]
}
use_wget() { [ "$(en timeout "$1" wget -q -t 1 -O - "http://$HOST/file" | sha256sum)" = "$sum" ]; }
use_lftp() {
    [ "$(en timeout "$1" lftp -c "set net:max-retries 1; set ftp:passive-mode yes; open ftp://$HOST && cat file" |
        sha256sum)" = "$sum" ]
}
use_curl() { # two transfers at a time, so two connections
    rm -f "$WORK/one" "$WORK/two"
    en curl -sS --max-time "$1" -Z --parallel-immediate \
        -o "$WORK/one" "http://$HOST/file" -o "$WORK/two" "http://$HOST/file"
    [ "$(sha256sum <"$WORK/one")$(sha256sum <"$WORK/two")" = "$sum$sum" ]
}
use_netcat() {
    background alice.nc alice nc -l -N 7000
    wait_for listening alice tcp 7000
    echo hello | en timeout "$1" nc -N "$HOST" 7000 || {
        end alice.nc
        return 1
    }
    wait "${PID[alice.nc]}"
    [ "$(cat "$WORK/alice.nc.log")" = hello ]
}
use_iperf3() { en timeout "$1" iperf3 -c "$HOST" -J -n 8M "${@:2}" >"$WORK/iperf3"; }
received() { jq '.end.sum_received.bytes' "$WORK/iperf3"; }

for client in ssh wget lftp curl netcat iperf3; do
    not_ok "control: $client gets nowhere without the modules" use_$client 1
done
natf_on
capture wire isp en not tcp port 5201
for client in ssh wget lftp curl netcat; do
    ok "$client" use_$client 20
done
capture_end wire
is "no virtual address was on the wire" "$(count_packets wire net 240.0.0.0/4)" 0
is "no SYN was sent twice" "$(repeated_segments wire 'tcp[tcpflags] & tcp-syn != 0')" ""

# A busy host stops the guest for a moment, and iperf3 makes up for that with a burst.
sysctl -qw net.core.rmem_max=8388608 net.core.rmem_default=8388608
ok "iperf3, TCP there" use_iperf3 20
ok "all arrived" test "$(received)" -ge 8388608
ok "iperf3, TCP back" use_iperf3 20 -R
ok "all arrived" test "$(received)" -ge 8388608
ok "iperf3, UDP" use_iperf3 20 -u -b 4M -n 1M -l 1200
is "nothing was lost" "$(jq '.end.sum.lost_packets' "$WORK/iperf3")" 0
