# shellcheck shell=bash
# An endpoint whose DNS the kernel cannot read: the name server takes TLS only, and programs ask systemd-resolved
# over a socket of its own (nss-resolve). Sourced by the scenarios nss-….

# hosts SERVICES…: whom libc asks on en
hosts() { echo "hosts: $*" >/etc/netns/en/nsswitch.conf; }

# hidden_dns: the network, the name server, resolved; the endpoint asks nobody else
hidden_dns() {
    topology
    hosts files resolve "[!UNAVAIL=return]" dns
    # Nobody answers there, also where a resolver is not asked over its own socket.
    echo "nameserver 127.0.0.2" >/etc/netns/en/resolv.conf
    cat >"$WORK/more" <<RECORDS
six.home AAAA 2001:db8::6
RECORDS
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=ns.example.net" \
        -addext "subjectAltName=DNS:ns.example.net" -keyout "$WORK/dns.key" -out "$WORK/dns.crt" 2>/dev/null
    ln -s "$WORK/dns.crt" "/etc/ssl/certs/$(openssl x509 -hash -noout -in "$WORK/dns.crt").0"
    chmod 755 "$WORK"
    ZONE=$WORK/more TLS=$WORK/dns name_server
    mkdir -p /etc/systemd/resolved.conf.d /run/systemd/netif/links
    install -d -o systemd-resolve -g systemd-resolve /run/systemd/resolve
    cat >/etc/systemd/resolved.conf.d/scenario.conf <<CONF
[Resolve]
DNS=$NAMESERVER#ns.example.net
FallbackDNS=
Domains=~.
DNSOverTLS=yes
DNSStubListener=yes
Cache=no
LLMNR=no
MulticastDNS=no
CONF
    background en.resolved en /usr/lib/systemd/systemd-resolved
    wait_for en getent ahostsv4 web.example.net
}

# nss_module: libc finds the module natf, and is to ask it on en
nss_module() {
    install -m 644 /run/natf/programs/libnss_natf.so.2 /usr/lib/x86_64-linux-gnu/
    hosts files natf "[!UNAVAIL=return]" resolve "[!UNAVAIL=return]" dns
}

# natf_named: natf-named on en, as its service would start it
natf_named() {
    background en.natf-named en natf-named
    wait_for grep -q listening "$WORK/en.natf-named.log"
}

as_user() { in_ns "$1" setpriv --reuid="${2:-65534}" --regid=65534 --clear-groups "${@:3}"; } # NAMESPACE UID CMD…
