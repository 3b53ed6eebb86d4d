# shellcheck shell=bash
# Real servers in the namespaces of the topology. Each is a child of the script, its process id is in
# PID[NAME.SERVICE], and the function returns when the service answers.

declare -A PID=()

# background KEY NAMESPACE CMD…: run CMD as a child; its output goes to KEY.log. NAMESPACE "-" is for
# shell functions. A program must not be behind a function: the process id would be a shell's.
background() {
    local key=$1 ns=$2
    shift 2
    # Emptied here and not by the child, which may come late: who waits for a word in it must not find the word that
    # an earlier child of this key has said.
    : >"$WORK/$key.log"
    if [ "$ns" = - ]; then
        "$@" >>"$WORK/$key.log" 2>&1 4>&- &
    else
        ip netns exec "$ns" "$@" >>"$WORK/$key.log" 2>&1 4>&- &
    fi
    PID[$key]=$!
}

# end KEY: stop what background started, and wait until it is gone
end() {
    # A signal that meets the child between its fork and its exec is taken by the shell's handler and
    # lost, so one may not be enough.
    while kill "${PID[$1]}" 2>/dev/null; do
        sleep 0.02
    done
    wait "${PID[$1]}" 2>/dev/null || true
    unset "PID[$1]"
}

listening() { # listening NAMESPACE tcp|udp PORT
    [ -n "$(in_ns "$1" ss -Hln "--$2" "sport = :$3")" ]
}

# name_server [VARIANT]: BIND in isp with the zone example.net. home and its hosts are registered as
#   wildcard   *.home A                     (default)
#   cname      each host a CNAME to home
#   several    each host an A of its own
# ZONE is a file with further records; with SIGNED the zone is signed; with UPDATES, a file with a TSIG key named ddns,
# who has that key may change it. With TLS, a certificate TLS.crt and its key TLS.key, it is asked over TLS only.
name_server() {
    local dir=$WORK/bind host more="" keys="" ask=() listen="listen-on { $NAMESERVER; };" tls=""
    [ -z "${SIGNED:-}" ] || more+="dnssec-policy default; inline-signing yes;"
    if [ -n "${UPDATES:-}" ]; then
        keys="include \"$UPDATES\";"
        more+="allow-update { key ddns; };"
    fi
    if [ -n "${TLS:-}" ]; then
        tls="tls own { cert-file \"$TLS.crt\"; key-file \"$TLS.key\"; };"
        listen="listen-on port 853 tls own { $NAMESERVER; };"
        ask=(+tls)
    fi
    mkdir -p "$dir"
    {
        echo '$TTL 60'
        echo '@ SOA ns hostmaster 1 3600 600 86400 60'
        echo '@ NS ns'
        echo "ns A $NAMESERVER"
        echo "web A $WEB"
        echo "home A $G2"
        case ${1:-wildcard} in
        wildcard) echo "*.home A $G2" ;;
        cname) for host in alice bob carol; do echo "$host.home CNAME home"; done ;;
        several) for host in alice bob carol; do echo "$host.home A $G2"; done ;;
        esac
        [ -z "${ZONE:-}" ] || cat "$ZONE"
    } >"$dir/zone"
    cat >"$dir/named.conf" <<CONF
options {
    directory "$dir"; pid-file none; session-keyfile none;
    $listen listen-on-v6 { none; };
    recursion no; dnssec-validation no; notify no;
};
controls { };
$tls
$keys
zone "example.net" { type primary; file "$dir/zone"; $more };
CONF
    background isp.named isp named -g -n 1 -c "$dir/named.conf"
    wait_for en dig "${ask[@]}" +short +time=1 +tries=1 "@$NAMESERVER" example.net SOA
}

# dhcp_client NAMESPACE HOSTNAME: systemd-networkd there has its eth0 take what a DHCP server gives
dhcp_client() {
    # It waits for udev unless /sys cannot be written, as in a container.
    mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
    chown -R systemd-network: /run/systemd/netif
    cat >/run/systemd/network/eth0.network <<CONF
[Match]
Name=eth0
[Network]
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no
[DHCPv4]
ClientIdentifier=mac
Hostname=$2
CONF
    background "$1.networkd" "$1" sh -c 'mount -o remount,bind,ro /sys && exec /usr/lib/systemd/systemd-networkd'
}

# web_server NAMESPACE [PORT]: nginx whose front page names the host, and whose page /who the client's address;
# clients are logged in NAMESPACE.access once they have been served. Further files go into web.NAMESPACE/.
web_server() {
    local ns=$1 port=${2:-80} root=$WORK/web.$1
    mkdir -p "$root"
    chmod 755 "$WORK" "$root"
    echo "this is $ns" >"$root/index.html"
    cat >"$WORK/$ns.nginx" <<CONF
daemon off; master_process off; user root;
pid $WORK/$ns.nginx.pid; error_log $WORK/$ns.nginx.error;
events { worker_connections 1024; }
http {
    log_format who '\$remote_addr \$request';
    access_log $WORK/$ns.access who;
    client_body_temp_path $WORK; proxy_temp_path $WORK; fastcgi_temp_path $WORK;
    uwsgi_temp_path $WORK; scgi_temp_path $WORK;
    server { listen $port; root $root; location = /who { return 200 '\$remote_addr\n'; } }
}
CONF
    background "$ns.nginx" "$ns" nginx -c "$WORK/$ns.nginx"
    wait_for listening "$ns" tcp "$port"
}

# ftp_server NAMESPACE: vsftpd, anonymous, with the files of ftp.NAMESPACE/
ftp_server() {
    local ns=$1 root=$WORK/ftp.$1
    mkdir -p "$root" /var/run/vsftpd/empty
    chmod 755 "$WORK" "$root"
    # vsftpd's own sandboxes ask for system calls that a small guest kernel may lack; they are not
    # what is tested.
    cat >"$WORK/$ns.vsftpd" <<CONF
listen=YES
listen_ipv6=NO
background=NO
anonymous_enable=YES
anon_root=$root
no_anon_password=YES
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
xferlog_enable=YES
vsftpd_log_file=$WORK/$ns.ftplog
secure_chroot_dir=/var/run/vsftpd/empty
CONF
    background "$ns.vsftpd" "$ns" vsftpd "$WORK/$ns.vsftpd"
    wait_for listening "$ns" tcp 21
}

# udp_echo NAMESPACE PORT: answers every datagram with the host's name and the sender's address
udp_echo() {
    # shellcheck disable=SC2016 # the shell that socat starts expands it
    background "$1.udp.$2" "$1" socat "UDP4-RECVFROM:$2,fork" \
        SYSTEM:'read -r line; echo "'"$1"' heard $line from $SOCAT_PEERADDR"'
    wait_for listening "$1" udp "$2"
}

# ask_udp NAMESPACE HOST PORT TEXT [SOURCE-PORT]: one datagram there, one answer back
ask_udp() {
    printf '%s\n' "$4" | in_ns "$1" timeout 8 socat -T 5 - "UDP4:$2:$3${5:+,sourceport=$5}"
}

# connect NAMESPACE HOST PORT: no more than that; on failure it says what the kernel said
connect() {
    in_ns "$1" timeout 15 bash -c 'exec 5<>"/dev/tcp/$0/$1"' "$2" "$3"
}

fetch() { # fetch NAMESPACE URL [curl options]: the page, or curl's error
    local ns=$1 url=$2
    shift 2
    in_ns "$ns" curl -sS --max-time 20 "$@" "$url"
}

# traffic_server: what lib/traffic.py talks to, 400 flows a second for minutes
traffic_server() {
    web_server alice
    background alice.echo alice python3 "$NATF_TESTS/lib/traffic.py" echo
    wait_for listening alice udp 5000
    sysctl -qw net.netfilter.nf_conntrack_max=131072
}

# talk ADDRESS PORT page|reset: connect en's PORT to a web server there; read its page until it closes, or
# reset the connection
talk() {
    # shellcheck disable=SC2016 # perl's variables
    en timeout 10 perl -MSocket -e '
        my ($to, $port, $what) = @ARGV;
        socket(S, PF_INET, SOCK_STREAM, 0);
        setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
        bind(S, sockaddr_in($port, INADDR_ANY)) or die "bind: $!\n";
        connect(S, sockaddr_in(80, inet_aton($to))) or die "connect: $!\n";
        if ($what eq "page") {
            syswrite(S, "GET / HTTP/1.0\r\n\r\n");
            while (<S>) { print if /this is/; }
        } else {
            setsockopt(S, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
        }
        close(S);' "$1" "$2" "$3"
}

# talker KEY NAMESPACE HOST PORT [SOURCE-PORT]: opens a TCP connection and keeps it; tell KEY TEXT then sends a line
# over it. What comes back, or what ended it, is in KEY.log.
talker() {
    local key=$1 ns=$2
    mkfifo "$WORK/$key.fifo"
    # shellcheck disable=SC2016 # perl's variables
    background "$key" "$ns" perl -MIO::Socket::INET -MIO::Select -e '
        $| = 1;
        my ($fifo, $host, $port, $source) = @ARGV;
        my $s = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Proto => "tcp",
            $source ? (LocalPort => $source, ReuseAddr => 1) : ()) or die "connect: $!\n";
        print "connected from ", $s->sockhost, "\n";
        open(my $orders, "+<", $fifo) or die "fifo: $!\n";
        my $select = IO::Select->new($s, $orders);
        while (1) {
            for my $ready ($select->can_read) {
                my $read = sysread($ready, my $text, 4096);
                if ($ready == $s) {
                    defined $read or do { print "ended: $!\n"; exit };
                    $read or do { print "closed\n"; exit };
                    print "heard: $text";
                } else {
                    syswrite($s, $text) // do { print "ended: $!\n"; exit };
                }
            }
        }' "$WORK/$key.fifo" "${@:3}"
    wait_for grep -q connected "$WORK/$key.log"
}
tell() { printf '%s\n' "$2" >"$WORK/$1.fifo"; }
heard() { grep -q "$2" "$WORK/$1.log"; } # heard KEY REGEX

# line_echo NAMESPACE PORT: a TCP server that sends every line back, for any number of connections
line_echo() {
    background "$1.echo.$2" "$1" socat "TCP4-LISTEN:$2,reuseaddr,fork" EXEC:cat
    wait_for listening "$1" tcp "$2"
}
