# shellcheck shell=bash
# What `natfctl trace` on en makes of a network in which something is wrong: sourced by the scenarios trace-….

# Who is asked for, where a scenario does not say otherwise.
name=alice.home.example.net

# trace_network [VARIANT]: the topology, with the name server's VARIANT, a page on alice, and NAT-f; nothing is wrong
trace_network() {
    topology
    name_server "$@"
    web_server alice
    natf_on
    all_right control "$name" 80
}

# repaired [ARGUMENT…]: what was wrong is so no more
repaired() {
    (($#)) || set -- "$name" 80
    all_right repaired "$@"
}

# trace ARGUMENT…: as JSON, on standard output
trace() { en natfctl trace --json --timeout 1 "$@"; }

# cause TEXT CAUSE SENTENCE ARGUMENT…: of the one thing that is wrong, trace ARGUMENT… says CAUSE to programs, and to
# people what matches SENTENCE; its status is 1, or 3 if a module is not loaded.
cause() {
    local text=$1 cause=$2 sentence=$3 status=0 wanted=1
    shift 3
    [ "$cause" != not_loaded ] || wanted=3
    trace "$@" >"$WORK/trace" 2>&1 || status=$?
    note "$(jq -r '"\(.cause): \(.explanation). \(.advice)."' "$WORK/trace" 2>&1)"
    is "$text: $cause" "$(jq -r .cause "$WORK/trace" 2>&1) $status" "$cause $wanted"
    matches "$text: says so" "$(jq -r '"\(.where): \(.explanation)"' "$WORK/trace" 2>&1)" "$sentence"
    if [ "$(jq -r .cause "$WORK/trace" 2>&1)" != "$cause" ]; then
        note "$(jq -r '.steps[]? | [.step, .state, .micros, .text] | @tsv' "$WORK/trace" 2>&1 || cat "$WORK/trace")"
    fi
}

# all_right TEXT ARGUMENT…: trace ARGUMENT… finds nothing wrong
all_right() {
    local text=$1 status=0
    shift
    trace "$@" >"$WORK/trace" 2>&1 || status=$?
    is "$text: nothing is wrong" "$(jq -r .cause "$WORK/trace" 2>&1) $status" "null 0"
    [ "$status" = 0 ] || note "$(cat "$WORK/trace")"
}

# on_the_way TYPE HOOK PRIORITY RULE: isp has a rule of its own about what passes; way_free ends that
on_the_way() {
    isp nft -f - <<RULES
table ip carrier {
    chain carrier {
        type $1 hook $2 priority $3;
        $4
    }
}
RULES
}
way_free() {
    isp nft delete table ip carrier
    isp conntrack -F 2>/dev/null
}
