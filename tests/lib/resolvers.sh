# shellcheck shell=bash
# What every resolver on the endpoint itself has to show: sourced by the scenarios resolver-….

resolver_topology() { # the network; alice's records live for 3 s only, and there are some of IPv6
    topology
    cat >"$WORK/more" <<RECORDS
alice.home 3 A $G2
alice.home 3 AAAA 2001:db8::10
RECORDS
    ZONE=$WORK/more name_server
    web_server alice
    web_server bob
    web_server web
}

queries() { count_packets upstream "dst host $NAMESERVER and dst port 53"; }

# resolver_works ADDRESS: what applications on en see who ask the resolver at ADDRESS. It runs, and
# natf_en is not yet loaded.
resolver_works() {
    local resolver=$1 address
    echo "nameserver $resolver" >/etc/netns/en/resolv.conf
    is "control: without the modules the name leads to the router" "$(address_of alice.home.example.net)" "$G2"
    natf_on
    became_virtual() { [[ $(address_of alice.home.example.net) == 240.* ]]; }
    ok "when the resolver has forgotten that, the address is virtual" wait_for became_virtual
    address=$(address_of alice.home.example.net)
    is "alice's page comes by name" "$(fetch en http://alice.home.example.net/)" "this is alice"
    is "bob's, too" "$(fetch en http://bob.home.example.net/)" "this is bob"
    differs "he has an address of his own" "$(address_of bob.home.example.net)" "$address"

    capture upstream isp en udp
    en dig +short "@$resolver" bob.home.example.net >"$WORK/one"
    en dig +short "@$resolver" bob.home.example.net >"$WORK/two"
    capture_end upstream
    is "from the resolver's cache the address is the same" "$(sort -u "$WORK/one" "$WORK/two" | grep -c '^240\.')" 1
    is "it was the cache" "$(queries)" 0

    capture upstream isp en udp
    asked_again() {
        en dig +short "@$resolver" alice.home.example.net >"$WORK/one"
        [ "$(queries)" != 0 ]
    }
    ok "after the TTL the resolver asks again" wait_for asked_again
    capture_end upstream
    is "and has the same address again" "$(cat "$WORK/one")" "$address"
    is "which still leads to alice" "$(fetch en http://alice.home.example.net/)" "this is alice"

    matches "the question for an IPv6 address is answered" \
        "$(en dig "@$resolver" alice.home.example.net AAAA)" 'status: NOERROR'
    is "with none" "$(en dig +short "@$resolver" alice.home.example.net AAAA | grep -c : || true)" 0
    timed en getent ahosts alice.home.example.net
    is "libc asks for both and finds the virtual one alone" \
        "$(awk '{ print $1 }' "$WORK/timed" | sort -u)" "$address"
    ok "at once" test "$TOOK" -lt 1000
    is "a name under no suffix is what it is" "$(address_of web.example.net)" "$WEB"
    is "and its page comes" "$(fetch en http://web.example.net/)" "this is web"
    is "no answer was taken for one that nobody asked for" "$(stat_of en natf_en dns_unasked)" 0
    is "nor could one not be read" "$(stat_of en natf_en dns_malformed)" 0
}
