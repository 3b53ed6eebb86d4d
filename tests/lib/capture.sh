# shellcheck shell=bash
# Captures: what was on the wire, not what should have been.

# capture KEY NAMESPACE INTERFACE [FILTER…]: returns when packets are really being taken
capture() {
    local key=$1 ns=$2 interface=$3
    shift 3
    background "capture.$key" "$ns" tcpdump -i "$interface" -n -U --immediate-mode \
        -s 256 -B 8192 -Z root -w "$WORK/$key.pcap" "$@"
    wait_for grep -q 'listening on' "$WORK/capture.$key.log"
}

# captured_all KEY: whether tcpdump has taken all that the kernel has for it; it says so at SIGUSR1. (With -Q it would
# not: that is no filter of the kernel. Use "inbound" and "outbound".)
captured_all() {
    local log=$WORK/capture.$1.log said
    said=$(grep -c 'received by filter' "$log" || true)
    kill -USR1 "${PID[capture.$1]}"
    wait_for says_more "$log" "$said"
    tail -n 1 "$log" | sed -nE 's/.*: ([0-9]+) packets? captured, ([0-9]+) packets? received by filter.*/\1 \2/p' |
        { read -r captured received && [ "$captured" = "$received" ]; }
}
says_more() { [ "$(grep -c 'received by filter' "$1" || true)" -gt "$2" ]; }

# capture_end KEY: stop; tcpdump has written everything when it is gone
capture_end() {
    local pid=${PID[capture.$1]}
    # At SIGINT it leaves what it has not yet read.
    wait_for captured_all "$1"
    kill -INT "$pid"
    wait "$pid" || true
    unset "PID[capture.$1]"
    # A capture with holes proves nothing.
    grep -q '^0 packets dropped by kernel' "$WORK/capture.$1.log"
}

# packets KEY [FILTER…]: the packets of a capture, one line each
packets() {
    local key=$1
    shift
    tcpdump -n -tt -S -v -r "$WORK/$key.pcap" "$@" 2>/dev/null | sed -z 's/\n  */ /g'
}

count_packets() { packets "$@" | grep -c . || true; }

# repeated_segments KEY [FILTER…]: TCP segments that carry a sequence number twice, so were sent again.
# SYN, FIN and data count; a bare acknowledgement may repeat.
repeated_segments() {
    local key=$1
    shift
    tcpdump -n -tt -S -r "$WORK/$key.pcap" tcp "$@" 2>/dev/null |
        sed -nE 's/^[0-9.]+ IP ([^ ]+) > ([^ ]+): Flags \[([^]]*)\], seq ([0-9]+)(:[0-9]+)?,?.* length ([0-9]+).*/\1 \2 \3 \4 \6/p' |
        awk '$5 > 0 || $3 ~ /[SF]/ { key = $1 " " $2 " " $4 " " ($3 ~ /[SF]/) ; if (seen[key]++) print }'
}
