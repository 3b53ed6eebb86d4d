#!/bin/bash
# The recipes of docs/cookbook.md, with natfctl's commands as they stand there: SSH for who has the key, a camera for
# one network only, a game for few at a time.
#
#   en (ssh, curl, natfctl) ─── isp ─── hgw (natfctl) ─── alice (sshd), camera (bob: nginx), game (carol: UDP)
#   web (curl, natfctl) ─────────┘
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server bob
udp_echo carol 27015
insmod_en
insmod_router
client() { en natfctl "$@"; }
router() { hgw natfctl "$@"; }

mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$WORK/host"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/client"
background sshd alice /usr/sbin/sshd -D -e -f /dev/null -h "$WORK/host" -o PidFile=none \
    -o AuthorizedKeysFile="$WORK/client.pub" -o PasswordAuthentication=no -o UsePAM=no -o StrictModes=no
wait_for listening alice tcp 22
echo "alice.home.example.net $(cut -d' ' -f1,2 "$WORK/host.pub")" >"$WORK/known"
remote() {
    in_ns en timeout 20 ssh -F none -i "$WORK/client" -o UserKnownHostsFile="$WORK/known" -o BatchMode=yes \
        -o CheckHostIP=no -o ConnectTimeout=10 root@alice.home.example.net ip -4 -o address show eth0
}
ok "SSH: a key is made" client key gen "$WORK/home.key"
ok "the router takes it" router key add router laptop "$WORK/home.key"
ok "and an entry that wants it" router act add alice 192.168.0.10 allow tcp 22 key laptop
ok "the client has a domain" client en domains add home.example.net
not_ok "control: without the key" remote
matches "ssh says so" "$(cat "$WORK/output")" 'No route to host'
is "the router has counted it" "$(router stats router | awk '$1 == "denied" { print $2 }')" 1
ok "the client takes the key" client key add en home.example.net "$WORK/home.key"
is "the ids are the same on both sides" "$(client key list | cut -f4)" "$(router key list | cut -f4)"
forgotten() { ! client show vat | grep -q refused; }
wait_for forgotten
matches "with it alice answers" "$(remote 2>"$WORK/err")" '192\.168\.0\.10/24'

ok "camera: an entry for one network" router act add camera 192.168.0.11 allow tcp 80,554 from 198.51.100.0/24 max 8
is "from there the page comes" "$(fetch en http://camera.home.example.net/)" "this is bob"
mkdir -p /etc/netns/web
cp /etc/netns/en/resolv.conf /etc/netns/web/
ok "somebody elsewhere" in_ns web natfctl en domains add home.example.net
not_ok "does not get it" fetch web http://camera.home.example.net/ --connect-timeout 5
matches "which was the router's answer" "$(in_ns web natfctl show vat)" 'refused +camera'

ok "game: an entry for two at a time" router act add game 192.168.0.12 allow udp 27015 max 2
play() { ask_udp en game.home.example.net 27015 hello 2>&1 || true; }
is "one plays" "$(play)" "carol heard hello from $EN"
is "two play" "$(play)" "carol heard hello from $EN"
differs "three are too many" "$(play)" "carol heard hello from $EN"
is "which is counted" "$(router stats router | awk '$1 == "limited" { print $2 }')" 1
is "the router lists who plays" "$(router dump mappings | grep -c '192.168.0.12:27015')" 2
