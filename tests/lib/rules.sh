# shellcheck shell=bash
# The rules of a router's owner: that they work with us, and that nobody touched them.

# What a pseudo-packet would look like outside. Where hosts behind the router open connections to en of
# their own, their first packets look so, too.
PSEUDO="dst host $EN and (tcp[tcpflags] == tcp-syn or udp[8:4] == 0x4e415466 or icmp[icmptype] == icmp-echo)"
export PSEUDO

# owners_state NAMESPACE: its rules of every kind and its settings, without what counts by itself
owners_state() {
    in_ns "$1" nft -s list ruleset 2>&1
    in_ns "$1" iptables-legacy-save 2>/dev/null | sed -e '/^#/d' -e 's/\[[0-9]*:[0-9]*\]$//'
    in_ns "$1" ip rule
    # Some of the files are there to be written only.
    { in_ns "$1" grep -rs '' /proc/sys/net/ipv4 /proc/sys/net/netfilter || true; } |
        grep -vE '/nf_conntrack_count:|/neigh/|/route/' | sort
}

strict_filter() { # strict_filter NAMESPACE: the strict reverse-path filter on every interface
    # shellcheck disable=SC2016 # the shell that is started expands it
    in_ns "$1" sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 >"$f"; done'
}

# served PORT HOST…: pages and echoes of all at once, from one port of en; "" if all is right
served() {
    local port=$1 host wanted=
    shift
    for host; do
        wanted+="$host tcp this is $host"$'\n'
    done
    for host; do
        wanted+="$host udp $host heard hello from $EN"$'\n'
    done
    en python3 "$NATF_TESTS/lib/both.py" "$port" "$@" 2>&1 | diff - <(printf '%s' "$wanted") || true
}
