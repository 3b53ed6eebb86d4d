# shellcheck shell=bash
# What the hosts of the demonstration share; the servers are those of the scenarios.
set -euo pipefail

export WORK=/srv/demo
mkdir -p "$WORK"
modprobe virtio_net

in_ns() { ip netns exec "$@"; }

wait_for() {
    local deadline=$((SECONDS + 30))
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS > deadline)); then
            echo "waited in vain for: $*" >&2
            return 1
        fi
        sleep 0.05
    done
}

# nic NUMBER NAME ADDRESS: the guest's network cards in the order of the command line
nic() {
    wait_for test -e "/sys/class/net/eth$1"
    ip link set "eth$1" name "$2"
    [ -z "${3:-}" ] || ip address add "$3" dev "$2"
    ip link set "$2" up
}

# Only what the story is about shall be on the wire.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 || true

# shellcheck source=tests/lib/services.sh
. "$NATF_TESTS/lib/services.sh"
# shellcheck source=tests/lib/capture.sh
. "$NATF_TESTS/lib/capture.sh"
