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

# captured KEY: how many packets tcpdump has taken, and how many the kernel had for it; it says so at SIGUSR1
captured() {
    local log=$WORK/capture.$1.log said
    said=$(grep -c 'received by filter' "$log" || true)
    kill -USR1 "${PID[capture.$1]}"
    wait_for says_more "$log" "$said"
    tail -n 1 "$log" | sed -nE 's/.*: ([0-9]+) packets? captured, ([0-9]+) packets? received by filter.*/\1 \2/p'
}
says_more() { [ "$(grep -c 'received by filter' "$1" || true)" -gt "$2" ]; }

# capture_end KEY: stop; tcpdump has written everything when it is gone
capture_end() {
    local pid=${PID[capture.$1]} now before="" same=0
    # At SIGINT it leaves what it has not yet read. The kernel also counts packets that came before the filter was
    # set, so the numbers may stay apart: then it has all when it ran several times and took no more.
    while now=$(captured "$1") && [ "${now% *}" != "${now#* }" ] && ((same < 5)); do
        [ "$now" = "$before" ] && same=$((same + 1)) || same=0
        before=$now
    done
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
