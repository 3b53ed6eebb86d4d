# shellcheck shell=bash
# The four guests of the demonstration: starting them, talking to their agents, ending them. Sourced by
# the story, inside the build root; it sets $tests, and gets OUTPUT and STATUS.
#
#   en ══ isp ══ hgw ══ home        ══ is a stream socket between two QEMUs

# shellcheck disable=SC2154,SC2034
# shellcheck source=tests/guest/launch.sh
. "$tests/guest/launch.sh"

guests=(en isp hgw home)
declare -A guest_pid=() guest_in=() guest_out=()
run=$(mktemp -d "${TMPDIR:-/tmp}/natf-demo.XXXXXX")

nic() { # nic SOCKET ID on|off MAC: QEMU options, a line each; the socket is made by the guest that says on
    local again=
    [ "$3" = on ] || again=,reconnect-ms=100
    printf '%s\n' -netdev "stream,id=$2,server=$3,addr.type=unix,addr.path=$run/net-$1$again" \
        -device "virtio-net-pci,netdev=$2,mac=52:54:00:00:00:$4,romfile="
}

network_of() { # network_of GUEST: its QEMU options; a socket is made by the guest left of it
    case $1 in
    en) nic en-isp n0 on 01 ;;
    isp)
        nic en-isp n0 off 02
        nic isp-hgw n1 on 03
        ;;
    hgw)
        nic isp-hgw n0 off 04
        nic hgw-home n1 on 05
        ;;
    home) nic hgw-home n0 off 06 ;;
    esac
}

# launch_guest DIR NAME QEMU-OPTION…: becomes QEMU
launch_guest() { launch_qemu "$1" "$2" demo/agent "${@:3}"; }

start_guests() {
    local name dir in out
    local -a network
    mkdir -p "$NATF_LOG"
    rm -f "$NATF_LOG"/*.console
    "$tests/guest/initrd" stock "$run/initrd"
    # Asked here once, not by all guests at a time.
    accelerator >/dev/null
    export -f launch_guest launch_qemu stock_kernel accelerator try_kvm
    export common_parameters
    export NATF_CHANNEL=pipe NATF_MEMORY=384 NATF_SMP=1
    for name in "${guests[@]}"; do
        dir=$run/$name
        mkdir "$dir"
        ln "$run/initrd" "$dir/initrd"
        mkfifo "$dir/agent.in" "$dir/agent.out"
        # Both ends are kept open here, so that no one ever waits for an opener.
        exec {in}<>"$dir/agent.in" {out}<>"$dir/agent.out"
        guest_in[$name]=$in
        guest_out[$name]=$out
        mapfile -t network < <(network_of "$name")
        # A session of its own: Ctrl-C is for the story, which then ends its guests.
        setsid bash -c 'launch_guest "$@"' launch "$dir" "$name" "${network[@]}" &
        guest_pid[$name]=$!
    done
}

keep_consoles() {
    local name
    for name in "${guests[@]}"; do
        cat "$run/$name/console" "$run/$name/qemu" >"$NATF_LOG/$name.console" 2>/dev/null
    done
}

end_guests() {
    local name
    keep_consoles
    for name in "${guests[@]}"; do
        [ -z "${guest_pid[$name]:-}" ] || kill -KILL "${guest_pid[$name]}" 2>/dev/null
    done
    wait 2>/dev/null
    rm -rf "$run"
}

# A guest that is gone or silent ends the story: nothing after it would mean anything.
lost_guest() { # lost_guest NAME WHY
    keep_consoles
    {
        printf '\n  guest %s: %s. The end of its console:\n' "$1" "$2"
        tail -n 20 "$NATF_LOG/$1.console" | sed 's/^/    /'
        printf '  console logs: %s\n' "$NATF_LOG/*.console"
    } >&2
    failed=$((failed + 1))
    exit 1
}

# answer GUEST WORD SECONDS: collects the guest's lines in OUTPUT until "natf-WORD N", and sets STATUS
answer() {
    local guest=$1 word=$2 seconds=$3 line until rest=
    local fd=${guest_out[$guest]}
    until=$((SECONDS + seconds))
    OUTPUT=
    STATUS=255
    while :; do
        if IFS= read -r -t 0.5 -u "$fd" line; then
            line=$rest$line
            rest=
            if [[ $line =~ ^natf-$word\ ?([0-9]*)$ ]]; then
                STATUS=${BASH_REMATCH[1]:-0}
                OUTPUT=$(printf '%s' "$OUTPUT")
                return
            fi
            OUTPUT+=$line$'\n'
            continue
        fi
        # Half a line, when the time is over before its end.
        rest+=$line
        if ! kill -0 "${guest_pid[$guest]}" 2>/dev/null; then
            lost_guest "$guest" "it is gone"
        elif ((SECONDS >= until)); then
            lost_guest "$guest" "no answer within $seconds s"
        fi
    done
}

# ask GUEST COMMAND [SECONDS]: run some lines of shell there; OUTPUT and STATUS are its own
ask() {
    printf '%s\0' "$2" >&"${guest_in[$1]}"
    answer "$1" 'done' "${3:-60}"
}
