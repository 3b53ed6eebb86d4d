# shellcheck shell=bash
# The modules under test: loading, their tables and their counters.

insmod_en() { insmod "$NATF_MODULES/natf_en.ko"; }
insmod_router() { insmod "$NATF_MODULES/natf_router.ko"; }

# natf_on: load both modules, EN knows the suffix, the router knows its hosts
natf_on() {
    insmod_en
    insmod_router
    natf_configure
}

natf_configure() {
    write en natf_en/domains "add home.example.net"
    write hgw natf_router/act "add alice 192.168.0.10 allow"
    write hgw natf_router/act "add bob 192.168.0.11 allow"
    write hgw natf_router/act "add carol 192.168.0.12 deny"
}

# natf_on_with_key: load both; EN has a key for the suffix, and without it nobody opens alice
natf_on_with_key() {
    local key
    key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
    insmod_en
    insmod_router
    write en natf_en/domains "add home.example.net"
    write en natf_en/keys "add home.example.net $key"
    write hgw natf_router/keys "add office $key"
    write hgw natf_router/act "add alice 192.168.0.10 allow key office"
}

# natf_unlimited: the router bears whatever comes, where one host stands for many
natf_unlimited() {
    write hgw natf_router/limits "source 4294967295"
    write hgw natf_router/limits "cookie 4294967295"
    write hgw natf_router/limits "mappings 4294967295"
}

# Every file belongs to the namespace of the process that opens it.
write() { # write NAMESPACE FILE TEXT: in one write, as a person would with echo
    in_ns "$1" bash -c 'printf "%s\n" "$2" >"/sys/kernel/$1"' write "$2" "$3"
}

show() { # show NAMESPACE FILE
    in_ns "$1" cat "/sys/kernel/$2"
}

stat_of() { # stat_of NAMESPACE MODULE NAME: the counter's value, 0 for none
    show "$1" "$2/stats" | awk -v name="$3" '$1 == name { value = $2 } END { print value + 0 }'
}

# sent_on NAMESPACE: packets that were held and have arrived, or are on their way to
sent_on() { echo $(($(stat_of "$1" natf_en released) + $(stat_of "$1" natf_en early_delivered))); }

address_of() { # address_of NAME: what an application on en gets for it
    en getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }'
}

# rows NAMESPACE FILE: number of entries of a table
rows() { show "$1" "$2" | grep -c . || true; }

# request [FIELD=VALUE…]: en asks the router by hand, and says what it answers; asked NAME [FIELD=VALUE…]: the code of that
request() { en python3 "$NATF_TESTS/lib/request.py" "$@"; }
asked() { request "name=$1" "${@:2}" | cut -d' ' -f1,2; }

# busy NAMESPACE [N]: under lib/traffic.py its flows are open and carry packets both ways, and N others (1) are being
# negotiated, so hold packets; $WORK/vat is what it saw
busy() {
    show "$1" natf_en/vat >"$WORK/vat"
    [ "$(grep -c negotiating "$WORK/vat")" -ge "${2:-1}" ] &&
        [ "$(grep -vc negotiating "$WORK/vat")" -ge 20 ] &&
        [ "$(stat_of "$1" natf_en translated_in)" -ge 50 ]
}

# connections [FILTER…]: the router's conntrack entries
connections() { hgw conntrack -L "$@" 2>/dev/null; }

colliding_names() { # colliding_names COUNT DOMAIN: as many names there whose hashes (FNV-1a) are 0 modulo 254
    # shellcheck disable=SC2016 # perl's variables
    perl -e '
        my ($wanted, $domain, $i) = (@ARGV, 0);
        while ($wanted) {
            my $name = "h" . $i++;
            my $hash = 0x811c9dc5;
            $hash = (($hash ^ ord $_) * 0x01000193) & 0xffffffff for split //, $name;
            next if $hash % 254;
            print "$name.$domain\n";
            $wanted--;
        }' "$1" "$2"
}
