#!/bin/bash
# limit: 120
# Every wire is in the hands of somebody who alters, repeats and makes up packets, and two hosts send altered
# packets of their own, while people change the tables and the modules come and go. Whatever happens to the
# traffic, the kernel has nothing to complain of, and on honest wires everything works again.
#
#   dan ══ hgw2 (masquerade, natf_en) ═╗
#                                       isp ══ hgw (masquerade, natf_router) ─── alice (nginx, UDP echo)
#               en (natf_en) ══════════╝
#
# ═ is a pair of interfaces in the namespace mallory, joined by fuzz/wire.py. It takes 3 s, or MINUTES=…
# SEED=… makes its choices again, as far as time allows.
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

seed=${NATF_SEED:-$((RANDOM * 32768 + RANDOM))}
duration=$((${NATF_MINUTES:-0} * 60))
((duration)) || duration=3
note "SEED=$seed"

pairs=()
wire() { # wire NS IF ADDRESS NS IF ADDRESS: as link, by way of mallory
    link "$1" "$2" "$3" mallory "m${#pairs[@]}" -
    pairs+=("m${#pairs[@]}")
    link "$4" "$5" "$6" mallory "m${#pairs[@]}" -
    pairs+=("m${#pairs[@]}")
    # What comes out of a packet socket has no room for unfinished checksums and bundles of segments.
    in_ns "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null
    in_ns "$4" ethtool -K "$5" tx off tso off gso off gro off >/dev/null
}
for host in en isp hgw hgw2 dan mallory; do namespace "$host"; done
wire en eth0 $EN/30 isp en 198.51.100.1/30
wire hgw wan $G2/30 isp hgw 203.0.113.1/30
wire hgw2 wan $HGW2/30 isp hgw2 203.0.113.9/30
wire dan eth0 192.168.0.10/24 hgw2 lan 192.168.0.1/24
ip -n en route add default via 198.51.100.1
ip -n hgw route add default via 203.0.113.1
ip -n hgw2 route add default via 203.0.113.9
ip -n dan route add default via 192.168.0.1
for host in isp hgw hgw2; do in_ns $host sysctl -qw net.ipv4.ip_forward=1; done
ip -n hgw link add lan type bridge
ip -n hgw address add 192.168.0.1/24 dev lan
ip -n hgw link set lan up
home_host alice 10
firewall
hgw2 nft -f - <<'RULES'
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "wan" masquerade
    }
}
RULES
background wire mallory python3 "$NATF_TESTS/fuzz/wire.py" "$seed" "${pairs[@]}"
: >/etc/resolv.conf
asks_isp en dan
name_server
traffic_server

configure_en() {
    write en natf_en/domains "add home.example.net"
    write hgw2 natf_en/domains "add home.example.net"
}
configure_router() { write hgw natf_router/act "add alice 192.168.0.10 allow"; }
insmod_en
insmod_router
configure_en
configure_router
for host in en dan; do
    background "traffic.$host" $host python3 "$NATF_TESTS/lib/traffic.py" $NAMESERVER alice.home.example.net
    background "own.$host" $host python3 "$NATF_TESTS/fuzz/local.py" "$seed" $NAMESERVER alice.home.example.net \
        "$([ $host = en ] && echo $EN || echo 192.168.0.10)"
done

# people: what is written and read while packets come
people() {
    local file
    while :; do
        for file in natf_en/{domains,nrt,vat,stats} natf_router/{act,stats}; do
            { show en "$file" && show hgw2 "$file" && show hgw "$file"; } >/dev/null || true
        done
        write hgw natf_router/act $'add dave 192.168.0.13 allow\ndel dave' || true
        write hgw natf_router/act "add alice 192.168.0.10 deny" || true
        configure_router || true
        write en natf_en/domains $'del home.example.net\nadd other.example.net' || true
        write en natf_en/domains $'flush\nadd home.example.net' || true
    done
}
counters() { # those that are not zero, for the reader
    local pair
    for pair in en:natf_en hgw2:natf_en hgw:natf_router; do
        note "$pair: $(show "${pair%:*}" "${pair#*:}/stats" | awk '$2 { printf "%s %s, ", $1, $2 }')"
    done
}
background people - people
until_end=$((SECONDS + duration))
reloaded=$SECONDS
while ((SECONDS < until_end)); do
    for key in wire own.en own.dan traffic.en traffic.dan people; do
        kill -0 "${PID[$key]}" || cat "$WORK/$key.log" >&2
        kill -0 "${PID[$key]}"
    done
    sleep 0.5
    if ((SECONDS - reloaded >= 20)); then
        reloaded=$SECONDS
        counters
        end people
        rmmod natf_en
        rmmod natf_router
        insmod_en
        insmod_router
        configure_en
        configure_router
        background people - people
    fi
done
end people
configure_en
configure_router
# met HOST MODULE COUNTER: since the module was loaded last, which may be a moment ago. Flows are rare on such wires.
WAIT=60
met() { [ "$(stat_of "$1" "$2" "$3")" -gt 0 ]; }
for name in malformed denied mapped; do
    ok "hgw met requests that are $name" wait_for met hgw natf_router $name
done
for name in dns_malformed reply_malformed reply_unknown error_in out_protocol translated_in; do
    ok "en met $name" wait_for met en natf_en $name
done
ok "hgw2 met error_in" wait_for met hgw2 natf_en error_in
note "$(tail -n 1 "$WORK/wire.log"); of their own: en $(tail -n 1 "$WORK/own.en.log"), dan $(tail -n 1 "$WORK/own.dan.log")"
counters
for host in en dan; do
    end traffic.$host
    end own.$host
done

WAIT=10
kill -USR1 "${PID[wire]}"
configure_en
configure_router
page() { [ "$(fetch "$1" http://alice.home.example.net/ --connect-timeout 2)" = "this is alice" ]; }
ok "en reaches alice when the wires are honest" wait_for page en
ok "so does dan" wait_for page dan
rmmod natf_en
rmmod natf_router
