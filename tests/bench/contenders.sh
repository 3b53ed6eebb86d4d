# shellcheck shell=bash
# The ways to a host behind a NAT that are compared, sourced by lib.sh. on_NAME sets one up and TARGET to the
# address that en uses for alice; off_NAME takes it down. Each starts from a router without rules, and
# leaves one. The ports from 5000 to 5999 lead to alice.

ALICE=192.168.0.10
TARGET=
# What the output rule of `dnat` stands on: the same kind of address that NAT-f uses.
VIRTUAL=240.9.9.9
export ALICE TARGET VIRTUAL

# The home router's rules, with a port forwarding to alice.
forwarding() {
    firewall
    hgw nft -f - <<RULES
table ip nat {
    chain prerouting {
        type nat hook prerouting priority dstnat;
        iifname "wan" meta l4proto { tcp, udp } th dport 5000-5999 dnat to $ALICE
    }
}
add rule inet filter forward iifname "wan" ct status dnat accept
RULES
}

# Routing alone: no NAT, no connection tracking anywhere. The limit.
on_direct() {
    isp ip route add 192.168.0.0/24 via "$G2"
    TARGET=$ALICE
}
off_direct() { isp ip route del 192.168.0.0/24; }

# A port forwarding on the router; EN does nothing.
on_forward() {
    forwarding
    TARGET=$G2
}
off_forward() { hgw nft flush ruleset; }

# The same, and both modules look at each packet, to find that it is not theirs.
on_loaded() {
    forwarding
    natf_on
    TARGET=$G2
}
off_loaded() { off_natf; }

# NAT-f: the router only masquerades.
on_natf() {
    firewall
    natf_on
    natf_unlimited
    TARGET=$(address_of alice.home.example.net)
}
# The same without early data: first the mapping, then the first packet.
on_exchange() {
    on_natf
    write en natf_en/early off
}
off_exchange() { off_natf; }

off_natf() {
    rmmod natf_en natf_router
    hgw nft flush ruleset
}

# The port forwarding, and EN changes the address itself, by a rule of its own NAT.
on_dnat() {
    forwarding
    en nft -f - <<RULES
table ip nat {
    chain output {
        type nat hook output priority dstnat;
        ip daddr $VIRTUAL dnat to $G2
    }
}
RULES
    TARGET=$VIRTUAL
}
off_dnat() {
    en nft flush ruleset
    hgw nft flush ruleset
}

# Tunnels between en and the router: en is at home, then. tunnel PROTOCOL-MATCH: rules, addresses and routes,
# when both ends have their device.
tunnel() {
    local ns
    firewall
    hgw nft -f - <<RULES
add rule inet filter input iifname "wan" $1 accept
add rule inet filter forward iifname "tunnel" oifname "lan" accept
RULES
    ip -n en address add 10.9.0.2/24 dev tunnel
    ip -n hgw address add 10.9.0.1/24 dev tunnel
    for ns in en hgw; do ip -n $ns link set tunnel up; done
    ip -n en route add 192.168.0.0/24 dev tunnel src 10.9.0.2
    TARGET=$ALICE
}
no_tunnel() {
    local ns
    for ns in en hgw; do ip -n $ns link del tunnel; done
    hgw nft flush ruleset
}

on_ipip() {
    ip -n en link add tunnel type ipip local "$EN" remote "$G2"
    ip -n hgw link add tunnel type ipip local "$G2" remote "$EN"
    tunnel "meta l4proto 4"
}
off_ipip() { no_tunnel; }

on_wireguard() {
    local ns
    for ns in en hgw; do
        (umask 077 && wg genkey >"$WORK/$ns.key")
        ip -n $ns link add tunnel type wireguard
    done
    en wg set tunnel private-key "$WORK/en.key" peer "$(wg pubkey <"$WORK/hgw.key")" \
        endpoint "$G2:51820" allowed-ips 10.9.0.0/24,192.168.0.0/24
    hgw wg set tunnel private-key "$WORK/hgw.key" listen-port 51820 \
        peer "$(wg pubkey <"$WORK/en.key")" allowed-ips 10.9.0.2/32
    tunnel "udp dport 51820"
    # The handshake is over when something has come through.
    wait_for en ping -qc 1 -W 1 $ALICE
}
off_wireguard() { no_tunnel; }

# A port forwarding that alice asked for herself, by PCP: her side has to know and to act before.
on_pcp() {
    firewall
    start_miniupnpd
    ask_pcp tcp 5201 1
    ask_pcp tcp 5400 6
    ask_pcp udp 5300 1
    TARGET=$G2
}
off_pcp() {
    stop_miniupnpd
    hgw nft flush ruleset
}

ask_pcp() { # ask_pcp tcp|udp FIRST-PORT COUNT: the answer is in $WORK/asked
    natf-load pcp alice "$ALICE" 192.168.0.1 "$@" >"$WORK/asked"
    grep -qx "mapped $3" "$WORK/asked"
}

start_miniupnpd() { # beside the rules that are there
    cat >"$WORK/miniupnpd.conf" <<CONF
ext_ifname=wan
ext_allow_private_ipv4=yes
listening_ip=lan
enable_pcp_pmp=yes
enable_upnp=no
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
uuid=92ca6bfe-ee9b-4281-b1d9-12f1251f0a91
allow 1024-65535 192.168.0.0/24 1024-65535
CONF
    hgw nft -f - <<'RULES'
table inet miniupnpd {
    chain forward {
        type filter hook forward priority filter;
        jump miniupnpd
    }
    chain prerouting {
        type nat hook prerouting priority dstnat;
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority srcnat;
        jump postrouting_miniupnpd
    }
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
add rule inet filter forward iifname "wan" ct status dnat accept
RULES
    # It goes to the background by itself; in the foreground it would write a lot.
    hgw miniupnpd -f "$WORK/miniupnpd.conf" -P "$WORK/miniupnpd.pid"
    wait_for listening hgw udp 5351
}
stop_miniupnpd() {
    kill "$(cat "$WORK/miniupnpd.pid")"
    wait_for not listening hgw udp 5351
}
not() { ! "$@"; }

# A relay on the internet, coturn on web. Only natf-load knows how alice talks to it.
on_relay() {
    firewall
    background relay web turnserver "--listening-ip=$WEB" "--relay-ip=$WEB" --no-auth --no-tls --no-dtls \
        --no-cli --no-tcp --no-tcp-relay --log-file=stdout --pidfile="$WORK/turnserver.pid"
    wait_for listening web udp 3478
    TARGET=$WEB
}
off_relay() {
    end relay
    hgw nft flush ruleset
}
