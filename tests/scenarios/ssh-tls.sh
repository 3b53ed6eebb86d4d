#!/bin/bash
# Encryption is left to what does it well: SSH and HTTPS by name, with nothing on the router but the entry of the table.
# The client checks host key and certificate against the name, as always; on the way nobody reads what passes.
#
#   en (ssh, curl) ─── isp ─── hgw (alice: tcp 22, 80, 443) ─── alice (sshd, nginx with TLS), bob (the same, other keys)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
insmod_en
insmod_router
write en natf_en/domains "add home.example.net"
write hgw natf_router/act "add alice 192.168.0.10 allow tcp 22,80,443
add bob 192.168.0.11 allow tcp 22,443"
secret="the words that nobody reads"

tls_server() { # tls_server NAMESPACE: nginx on 443, with a certificate for its name
    local ns=$1 root=$WORK/tls.$1
    mkdir -p "$root"
    chmod 755 "$WORK" "$root"
    echo "this is $ns: $secret" >"$root/index.html"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$ns" \
        -addext "subjectAltName=DNS:$ns.home.example.net" -keyout "$WORK/$ns.tls.key" -out "$WORK/$ns.crt" 2>/dev/null
    cat >"$WORK/$ns.tls" <<CONF
daemon off; master_process off; user root;
pid $WORK/$ns.tls.pid; error_log $WORK/$ns.tls.error;
events { }
http {
    access_log off; client_body_temp_path $WORK; proxy_temp_path $WORK; fastcgi_temp_path $WORK;
    uwsgi_temp_path $WORK; scgi_temp_path $WORK;
    server { listen 80; listen 443 ssl; root $root; ssl_certificate $WORK/$ns.crt; ssl_certificate_key $WORK/$ns.tls.key; }
}
CONF
    background "$ns.tls" "$ns" nginx -c "$WORK/$ns.tls"
    wait_for listening "$ns" tcp 443
}
ssh_server() { # ssh_server NAMESPACE: sshd with a host key of its own
    local ns=$1
    ssh-keygen -q -t ed25519 -N '' -f "$WORK/$ns.host"
    mkdir -p /run/sshd
    background "$ns.sshd" "$ns" /usr/sbin/sshd -D -e -f /dev/null -h "$WORK/$ns.host" -o PidFile=none \
        -o AuthorizedKeysFile="$WORK/client.pub" -o PasswordAuthentication=no -o UsePAM=no -o StrictModes=no
    wait_for listening "$ns" tcp 22
}
ssh-keygen -q -t ed25519 -N '' -f "$WORK/client"
for host in alice bob; do
    tls_server $host
    ssh_server $host
done
echo "alice.home.example.net $(cut -d' ' -f1,2 "$WORK/alice.host.pub")" >"$WORK/known"
# shellcheck disable=SC2029 # the words are the client's
remote() { # remote HOST: what a command there prints
    in_ns en timeout 30 ssh -F none -i "$WORK/client" -o UserKnownHostsFile="$WORK/known" -o StrictHostKeyChecking=yes \
        -o BatchMode=yes -o CheckHostIP=no "root@$1.home.example.net" "echo $secret; ip -4 -o address show eth0"
}

timed connect en $G2 22
differs "control: the router's address leads to nobody's port 22" "$STATUS" 0
capture wire isp en -s 0 "host $G2"
matches "ssh by name: a command on alice" "$(remote alice 2>"$WORK/ssh.err")" "$secret.*192\.168\.0\.10/24"
not_ok "a host whose key is not known is refused" remote bob
matches "by its name" "$(cat "$WORK/output")" 'bob.home.example.net'
is "https by name: the certificate is alice's" \
    "$(fetch en https://alice.home.example.net/ --cacert "$WORK/alice.crt")" "this is alice: $secret"
not_ok "one of another name is refused" fetch en https://bob.home.example.net/ --cacert "$WORK/alice.crt"
capture_end wire
is "on the way nobody reads it" "$(grep -ac "$secret" "$WORK/wire.pcap" || true)" 0
capture plain isp en -s 0 "host $G2"
is "control: without encryption" "$(fetch en http://alice.home.example.net/)" "this is alice: $secret"
capture_end plain
differs "control: it is read there" "$(grep -ac "$secret" "$WORK/plain.pcap" || true)" 0
