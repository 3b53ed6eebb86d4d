#!/bin/bash
# Provokes what can go wrong before anything runs, and checks that each comes out as one line which
# says what to do; and that a cache is cleaned of what is made again, and of nothing else. Works on a copy
# of the sandbox and a cache of its own, so nothing is harmed; only the checks of a KDIR look at the real
# build root.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${NATF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/natf}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir -p "$dir/checkout/tests/scenarios" "$dir/checkout/tests/bench/groups" "$dir/cache"
cp -r "$top/sandbox" "$top/Makefile" "$dir/checkout/"
touch "$dir/checkout/tests/scenarios/first-packet.sh" "$dir/checkout/tests/bench/groups/throughput.sh"
sandbox=$dir/checkout/sandbox
unset KDIR GUEST SCENARIO BENCH RUNS NATF_MIRROR MAKEFLAGS MAKELEVEL

count=0
failures=0
skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

# complains TITLE PATTERN COMMAND…: COMMAND fails with status 1 (2 from make) and says one line, which
# is an error that matches PATTERN. What make adds about its own recipe does not count, nor does the
# progress of a step or the end of its log.
complains() {
    local title=$1 pattern=$2 said status=0
    shift 2
    count=$((count + 1))
    said=$("$@" 2>&1 </dev/null) || status=$?
    said=$(sed '/^--- the end of/,$d; /^make/d; /^\[[0-9]/d' <<<"$said")
    if [[ $said == *"the Debian mirror "*" does not answer"* && $said != *127.0.0.1* ]]; then
        echo "ok $count - $title # SKIP no network"
        return
    fi
    if [[ $status == [12] && $(wc -l <<<"$said") == 1 && $said == "natf: error: "*". "* && $said =~ $pattern ]]; then
        echo "ok $count - $title"
    else
        failures=$((failures + 1))
        echo "not ok $count - $title"
        printf '# status %s, wanted a line like: %s\n' "$status" "$pattern"
        while IFS= read -r line; do printf '# said: %s\n' "$line"; done <<<"$said"
    fi
}

echo "KTAP version 1"
echo "1..17"

# A host that lacks something.
mkdir "$dir/bin"
ln -s /usr/bin/* /usr/sbin/* "$dir/bin/" 2>/dev/null
rm "$dir/bin/apt-get"
complains "a host without apt" "no apt-get, so it is not Debian-like\. Use a Debian" \
    env PATH="$dir/bin" NATF_CACHE="$dir/cache" "$sandbox/build-root"

complains "a user who is not root" "needs root.*sudo" \
    setpriv --reuid 65534 --regid 65534 --clear-groups env NATF_CACHE="$dir/cache" "$sandbox/build-root"

# shellcheck disable=SC2016  # expanded by the inner shell
complains "too little disk" "has 0 GB free and this step needs [0-9]+ GB\. .*NATF_CACHE" \
    unshare --mount sh -c 'mount -t tmpfs -o size=1M tmpfs "$1/cache" && NATF_CACHE=$1/cache exec "$2"' - "$dir" "$sandbox/build-root"

complains "a cache that cannot be made" "cannot make the cache folder /proc/natf\. Set NATF_CACHE" \
    env NATF_CACHE=/proc/natf "$sandbox/build-root"

mkdir "$dir/a blank"
complains "a path with a blank" "has a blank or a colon in its path\. Move it" \
    env NATF_CACHE="$dir/a blank" "$sandbox/build-root"

complains "a mirror that does not answer" "mirror http://127\.0\.0\.1:9/debian does not answer.*NATF_MIRROR" \
    env NATF_CACHE="$dir/cache" NATF_MIRROR=http://127.0.0.1:9/debian/ "$sandbox/build-root"

# shellcheck disable=SC2016
complains "a keyring that is too old" "keyring does not know the keys of .*\. Install a newer debian-archive-keyring" \
    unshare --mount sh -c 'for d in /usr/share/keyrings /etc/apt/trusted.gpg.d; do mount -t tmpfs tmpfs "$d" || exit; done
        NATF_CACHE=$1/cache exec "$2"' - "$dir" "$sandbox/build-root"

complains "entering before there is a build root" "no build root in .*\. Run: make" \
    env NATF_CACHE="$dir/cache" "$sandbox/enter" true

# Arguments that mean nothing, before anything long begins.
complains "an unknown guest" "GUEST=vax is no kind of guest\. Use GUEST=uml, GUEST=qemu, GUEST=debug or GUEST=packages" \
    env NATF_CACHE="$dir/cache" make -C "$dir/checkout" test GUEST=vax
complains "an unknown scenario" "no scenario no-such\. Choose from: first-packet" \
    env NATF_CACHE="$dir/cache" make -C "$dir/checkout" test SCENARIO=no-such
complains "an unknown benchmark" "no benchmark no-such\. Choose from: throughput$" \
    env NATF_CACHE="$dir/cache" make -C "$dir/checkout" bench BENCH=no-such
complains "no number of rounds" "RUNS=many is no number of rounds\. Use RUNS=5" \
    env NATF_CACHE="$dir/cache" make -C "$dir/checkout" bench RUNS=many

# What the build steps and the host tests make goes, what fuzzing found and what is not of the project stays.
mkdir -p "$dir/full/"{build-1,guest-1,uml-1,target,target-host,cargo,cargo-host,log/test,fuzz/found,theirs}
said=$(env NATF_CACHE="$dir/full" make -s -C "$dir/checkout" distclean 2>&1; ls "$dir/full")
count=$((count + 1))
if [[ $said == $'fuzz\ntheirs' ]]; then
    echo "ok $count - distclean"
else
    failures=$((failures + 1))
    echo "not ok $count - distclean"
    printf '# left: %s\n' "$said"
fi

# Kernels that Rust modules cannot be built for.
if [[ -e $cache/build/etc/natf-sandbox ]]; then
    kdir=$dir/kernel
    modules() { env NATF_CACHE="$cache" KDIR="$kdir" "$sandbox/modules" stock; }
    mkdir -p "$kdir"
    complains "a KDIR that is no build folder" "KDIR=.* is not a configured kernel build folder\. Name one" modules
    mkdir -p "$kdir/include/config"
    config=$kdir/include/config/auto.conf
    echo 'CONFIG_MODULES=y' >"$config"
    complains "a KDIR without Rust" "KDIR=.* is built without CONFIG_RUST\. Use a kernel" modules
    echo 'CONFIG_RUST=y' >>"$config"
    echo 'CONFIG_RUSTC_VERSION_TEXT="rustc 1.0.0 (long ago)"' >>"$config"
    complains "a KDIR without Rust metadata" "KDIR=.* has no Rust metadata .*make metadata" modules
    mkdir -p "$kdir/rust"
    touch "$kdir/rust/libkernel.rmeta"
    complains "a KDIR of another compiler" "KDIR=.* built with \"rustc 1\.0\.0 \(long ago\)\" but the build root has \"rustc .*leave KDIR out" modules
else
    for title in "that is no build folder" "without Rust" "without Rust metadata" "of another compiler"; do
        skip "a KDIR $title" "no build root yet"
    done
fi

echo "# Totals: pass:$((count - failures)) fail:$failures"
((failures == 0))
