# shellcheck shell=bash
# What the sandbox scripts share: where things are, how a long step reports itself, and how an error
# is told. Sourced, never run.

set -euo pipefail

natf_top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
NATF_CACHE=$(realpath -m "${NATF_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/natf}")
export NATF_CACHE

natf_build=$NATF_CACHE/${NATF_ROOT:-build}  # the root that `enter` enters: build or package; a symbolic link
natf_facts=/etc/natf-sandbox  # in the build root: what build-root learnt, and the sign of being inside
natf_suite=trixie             # everything comes from this Debian release, the kernel from its backports

# A kernel build started below must not take the variables of `make test KDIR=…` for its own.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

say() { printf 'natf: %s\n' "$*" >&2; }

# die WHAT MEND: both are sentences' worth; the mend says what to do next.
die() {
    printf 'natf: error: %s. %s\n' "$1" "$2" >&2
    exit 1
}

need_root() {
    [[ $EUID -eq 0 ]] || die "this needs root, for mounts and chroot" "Run the same command with sudo"
}

need_debian() {
    local tool
    [[ ! -e $natf_facts ]] || die "this changes the cache and runs inside the build root" "Run it outside"
    for tool in apt-get dpkg; do
        command -v "$tool" >/dev/null ||
            die "this host has no $tool, so it is not Debian-like" "Use a Debian host, a virtual machine or a container of it"
    done
    [[ $(dpkg --print-architecture) == amd64 ]] ||
        die "this host is $(dpkg --print-architecture), and the sandbox is made for amd64" "Use an amd64 host"
}

# Kbuild splits its variables at blanks, and colons separate its search paths.
need_plain_path() {
    case $natf_top$NATF_CACHE in
    *[[:space:]:]*) die "the checkout or NATF_CACHE has a blank or a colon in its path" "Move it to a path without them" ;;
    esac
}

# need_space GIGABYTES: room for what the next step writes.
need_space() {
    local want=$1 have
    mkdir -p "$NATF_CACHE" 2>/dev/null ||
        die "cannot make the cache folder $NATF_CACHE" "Set NATF_CACHE to a folder that can be written"
    have=$(df --output=avail -BM "$NATF_CACHE" | tr -dc '0-9')
    ((have >= want * 1024)) ||
        die "$NATF_CACHE has $((have / 1024)) GB free and this step needs $want GB" "Free some space or set NATF_CACHE to another disk"
}

need_build_root() {
    [[ -e $natf_build$natf_facts ]] || die "there is no build root in $NATF_CACHE" "Run: make metadata"
}

# KVER, IMAGE_VERSION, SOURCE and PACKAGES_KEY of the build root.
read_facts() {
    need_build_root
    # shellcheck source=/dev/null
    . "$natf_build$natf_facts"
    export KVER
}

# Twelve hexadecimal digits that change when any argument does.
key_of() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# Two runs at once share the cache: the second waits for the first instead of spoiling its work.
take_turn() {
    mkdir -p "$NATF_CACHE/log"
    exec {natf_turn}>"$NATF_CACHE/log/${0##*/}.lock"
    flock -n "$natf_turn" && return
    say "another ${0##*/} is at work, waiting for it"
    flock "$natf_turn"
}

# settle LINK PARTIAL NAME: a finished result takes its name, LINK leads to it, and older ones go.
settle() {
    local link=$NATF_CACHE/$1 name=$3 old
    rm -rf --one-file-system "${NATF_CACHE:?}/$name"
    mv "$2" "$NATF_CACHE/$name"
    ln -sfn "$name" "$link"
    for old in "$link"-*; do
        [[ $old == "$NATF_CACHE/$name" ]] || rm -rf --one-file-system "$old"
    done
}

# step LABEL SECONDS COMMAND…: run COMMAND with its output in the step's log, and show that it lives.
step() {
    local label=$1 expected=$2 started=$SECONDS log pid status=0 told=0 never
    shift 2
    log=$NATF_CACHE/log/${0##*/}.log
    mkdir -p "${log%/*}"
    printf '%s (expected %s s)' "$label" "$expected" >&2
    [[ -t 2 ]] || echo >&2

    # Job control gives the step a process group of its own, so that all of it can be ended at once.
    set -m
    (
        set -e
        "$@"
    ) </dev/null >"$log" 2>&1 &
    pid=$!
    set +m
    # shellcheck disable=SC2064  # the number of this step's group, not of a later one
    trap "kill -KILL -- -$pid 2>/dev/null; echo >&2; say 'interrupted; run the same command again to go on'; exit 130" INT TERM HUP

    # A pipe that nobody writes to is the clock.
    exec {never}<> <(:)
    while kill -0 "$pid" 2>/dev/null; do
        read -rt 0.2 -u "$never" _ || :
        ((SECONDS - started - told >= (natf_terminal ? 1 : 15))) || continue
        told=$((SECONDS - started))
        if ((natf_terminal)); then
            printf '\r%s (expected %s s): %s s ' "$label" "$expected" "$told" >&2
        else
            printf '%s: %s s so far\n' "$label" "$told" >&2
        fi
    done
    exec {never}>&-
    wait "$pid" || status=$?
    trap - INT TERM HUP
    ((!natf_terminal)) || printf '\r\e[K' >&2
    if ((status)); then
        failed "$label" "$log"
    fi
    printf '%s: done in %s s\n' "$label" "$((SECONDS - started))" >&2
}
natf_terminal=0
if [[ -t 2 ]]; then natf_terminal=1; fi

# failed LABEL LOG: the cause in one line if the log shows a known one, then the end of the log.
failed() {
    local what="${1#\[*\] } failed" mend="Read the log below, mend the cause and run the same command again"
    if grep -q 'No space left on device' "$2"; then
        what+=": no space left"
        mend="Free some space or set NATF_CACHE to another disk"
    elif grep -qE 'NO_PUBKEY|Missing key|is not signed' "$2"; then
        what+=": this host's Debian keyring does not know the keys of $natf_suite"
        mend="Install a newer debian-archive-keyring package and run the same command again"
    elif grep -qE 'Could not (resolve|connect)|Temporary failure resolving|Connection (failed|timed out)|Unable to connect' "$2"; then
        what+=": the Debian mirror stopped answering"
        mend="Check the network or set NATF_MIRROR, and run the same command again"
    elif grep -qE 'unshare failed|mount: .*(permission denied|not permitted)' "$2"; then
        what+=": this machine allows no mounts or namespaces to root"
        mend="Run it on a machine or in a container that does (a privileged one)"
    fi
    printf 'natf: error: %s. %s\n' "$what" "$mend" >&2
    printf -- '--- the end of %s:\n' "$2" >&2
    tail -n 15 "$2" >&2
    exit 1
}

# --- the Debian mirror -------------------------------------------------------------------------------

# shellcheck disable=SC2016  # apt's own notation
apt_sources() { apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null || :; }

# The mirror that this host itself uses. A fresh container has no package lists yet, so apt knows its
# sources' addresses but not whose they are: fetch the lists, and as a last resort go by the address.
find_mirror() {
    local sources uri
    uri=${NATF_MIRROR:-}
    if [[ -z $uri ]]; then
        sources=$(apt_sources)
        uri=$(sed -n 's/^Debian|Debian|//p' <<<"$sources" | head -n 1)
    fi
    if [[ -z $uri ]]; then
        apt-get update >/dev/null 2>&1 || :
        sources=$(apt_sources)
        uri=$(sed -n 's/^Debian|Debian|//p' <<<"$sources" | head -n 1)
    fi
    [[ -n $uri ]] || uri=$(sed -n 's,^.*|\(.*/debian/\?\)$,\1,p' <<<"$sources" | head -n 1)
    [[ -n $uri ]] || die "apt on this host knows no Debian mirror" "Set NATF_MIRROR to the address of one"
    printf '%s\n' "${uri%/}"
}

# Fails in seconds, by apt's own means, so that its proxy and certificate settings hold.
check_mirror() {
    local file
    file=$(mktemp)
    /usr/lib/apt/apt-helper -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 \
        download-file "$1/dists/$natf_suite/InRelease" "$file" >/dev/null 2>&1 || {
        rm -f "$file"
        die "the Debian mirror $1 does not answer for $natf_suite" "Check the network or set NATF_MIRROR to another mirror"
    }
    rm -f "$file"
}

need_mmdebstrap() {
    command -v mmdebstrap >/dev/null && return
    say "installing mmdebstrap, the only package put on this host"
    local log=$NATF_CACHE/log/mmdebstrap.log
    mkdir -p "${log%/*}"
    {
        apt-get install -y --no-install-recommends mmdebstrap ||
            { apt-get update && apt-get install -y --no-install-recommends mmdebstrap; }
    } >"$log" 2>&1 || failed "installing mmdebstrap" "$log"
}

# debian_root MIRROR DIR PACKAGES MMDEBSTRAP_OPTION…: PACKAGES (with commas) and what they need, in DIR.
# It runs in namespaces of its own, so nothing stays mounted or running whatever happens. Downloaded
# packages are kept in the cache, so a run that was interrupted does not fetch them twice.
debian_root() {
    local mirror=$1 dir=$2 packages=$3 setting acquire=()
    shift 3
    # The host's proxies and clock checks hold inside too.
    while read -r setting; do
        acquire+=("--aptopt=$setting")
    done < <(apt-config dump --no-empty --format '%F "%v";%n' Acquire::http Acquire::https Acquire::Check-Date Acquire::Check-Valid-Until)
    mkdir -p "$NATF_CACHE/archives/partial"
    rm -rf --one-file-system "$dir"
    # shellcheck disable=SC2016  # $1 belongs to mmdebstrap's hooks
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
        mmdebstrap --mode=root --format=directory --skip=essential/unlink,cleanup/apt/cache \
        --setup-hook='mkdir -p "$1/var/cache/apt/archives" && mount --bind "$NATF_CACHE/archives" "$1/var/cache/apt/archives"' \
        --setup-hook='mkdir -p "$1/etc/apt/preferences.d" && printf "Package: linux-* src:linux src:linux-signed-amd64\nPin: release n='"$natf_suite"'-backports\nPin-Priority: 990\n" >"$1/etc/apt/preferences.d/natf"' \
        --aptopt='APT::Install-Recommends "false"' "${acquire[@]}" \
        --dpkgopt=path-exclude='/usr/share/man/*' --dpkgopt=path-exclude='/usr/share/locale/*' \
        --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-include='/usr/share/doc/*/copyright' \
        --include="$packages" "$@" "$natf_suite" "$dir" \
        "deb $mirror $natf_suite main" "deb $mirror $natf_suite-updates main" "deb $mirror $natf_suite-backports main"
}
