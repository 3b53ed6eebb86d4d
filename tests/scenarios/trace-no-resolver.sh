#!/bin/bash
# natfctl trace says so where no name server is named, or none answers.
#
#   en (natfctl) ─── isp (BIND, silent or gone) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

trace_network
conf=/etc/netns/en/resolv.conf
cp $conf "$WORK/resolv.conf"
: >$conf
cause "none is named" no_resolver '^this host: /etc/resolv.conf names no DNS server' "$name" 80
{
    cat "$WORK/resolv.conf"
    echo "options timeout:1 attempts:1"
} >$conf
lose isp input "udp dport 53"
cause "it is silent" resolver_silent "^the resolver: no DNS server answers .*$NAMESERVER: no answer" "$name" 80
keep isp
end isp.named
cause "it is gone" resolver_silent "no DNS server answers .*$NAMESERVER: Connection refused" "$name" 80
name_server
repaired
