#!/bin/bash
# The tests that need no guest: unit and property tests of rust/natf, the lints, and the rules of the
# house that no compiler checks. KTAP on standard output; details of a failure follow its line.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
cache=${NATF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/natf}
number=0
failed=0

report() { # report STATUS TEXT
    number=$((number + 1))
    if (($1 == 0)); then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        failed=$((failed + 1))
    fi
}

# check TEXT CMD…: what CMD prints is shown only if it fails.
check() {
    local text=$1 out
    shift
    out=$("$@" 2>&1)
    local status=$?
    report "$status" "$text"
    ((status == 0)) || tail -n 60 <<<"# ${out//$'\n'/$'\n'# }"
}

# The tests themselves report, a line each. cargo-nextest where the host has it, else the cargo of the
# build root: a host without any Rust must do.
unit_tests() {
    local log results
    log=$(mktemp)
    if cargo nextest --version >/dev/null 2>&1; then
        CARGO_TARGET_DIR=$cache/target-host CARGO_HOME=${CARGO_HOME:-$cache/cargo-host} \
            cargo nextest run --locked --workspace --no-fail-fast --color never >"$log" 2>&1
    else
        sandbox/enter cargo test --locked --workspace --no-fail-fast >"$log" 2>&1
    fi
    local status=$?
    # "PASS [0.01s] (1/9) natf module::tests::name" of nextest, "test module::tests::name ... ok" of cargo.
    results=$(sed -nE -e 's/^ *(PASS|FAIL) \[[^]]*\] *(\([^)]*\) *)?([^ ]+ [^ ]+)$/\1 \3/p' \
        -e 's/^test ([^ ]+)( - should panic)? \.\.\. ok$/PASS \1/p' \
        -e 's/^test ([^ ]+)( - should panic)? \.\.\. FAILED$/FAIL \1/p' "$log" | sort -u)
    while read -r word name; do
        [[ -z $word ]] || report "$([[ $word == PASS ]]; echo $?)" "$name"
    done <<<"$results"
    # A test run that failed otherwise, or that ran nothing, must not pass as none.
    if ((status != 0)) || [[ -z $results ]]; then
        report 1 "the test run as a whole"
        sed 's/^/# /' "$log" | tail -n 60
    fi
    rm -f "$log"
}

# none PATTERN FILE…: no line of the files matches; comments do not count.
none() {
    local pattern=$1
    shift
    ! grep -nE "$pattern" "$@" | grep -vE '^[^:]+:[0-9]+: *//'
}

# links_lead FILE…: each relative link of these pages leads to a file, and to a heading of it, spelled as GitHub does.
links_lead() {
    local page link file status=0
    for page in "$@"; do
        while read -r link; do
            file=${link%%#*}
            file=${file:+$(dirname "$page")/$file}
            file=${file:-$page}
            if [[ ! -e $file ]] || { [[ $link == *#* ]] && ! headings "$file" | grep -qxF -- "${link#*#}"; }; then
                echo "$page: $link leads nowhere"
                status=1
            fi
        done < <(grep -oE '\]\([^):]+\)' "$page" | sed 's/^](//; s/)$//')
    done
    return "$status"
}
headings() { # headings FILE
    sed -nE 's/^#+ +//p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

echo "KTAP version 1"
unit_tests
check "rust/natf forbids unsafe code" grep -q '^#!\[forbid(unsafe_code)\]' rust/natf/mod.rs
mapfile -t logic < <(git ls-files 'rust/natf/*.rs')
mapfile -t modules < <(git ls-files 'natf_en/*.rs' 'natf_router/*.rs')
check "no unsafe code in rust/natf" none '\bunsafe\b[^_]' "${logic[@]}"
check "no unsafe code and no bindings in the modules" \
    none '\bunsafe\b|\bbindings::' "${modules[@]}"
mapfile -t pages < <(git ls-files '*.md')
check "every relative link of the docs leads somewhere" links_lead "${pages[@]}"
check "the kernel's clippy flags, no warning" sandbox/modules clippy
check "rustfmt, clippy of the workspace, shellcheck" sandbox/lint
echo "1..$number"
((failed == 0))
