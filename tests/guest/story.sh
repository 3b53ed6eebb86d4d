# shellcheck shell=bash
# How a story is told whose guests answer to it, by "make demo" and the test of the packages. To be sourced.

# shellcheck source=sandbox/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../sandbox/lib.sh"

# tell_story NAME: tests/NAME/story, inside the build root. The exit status is its own.
tell_story() {
    local scratch story status=0
    NATF_MODULES=$(dirname "$("$natf_top/sandbox/modules" stock | tail -n 1)")
    export NATF_MODULES NATF_LOG=$NATF_CACHE/log/$1
    # The story ends its own guests; if it is itself ended, its namespaces take them along, and what is left
    # are files.
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$scratch'" EXIT
    "$natf_top/sandbox/enter" env TMPDIR="$scratch" "$natf_top/tests/$1/story" &
    story=$!
    # shellcheck disable=SC2064
    trap "kill $story 2>/dev/null; wait $story; exit 143" TERM HUP
    # Ctrl-C reaches the story by itself.
    trap '' INT
    wait "$story" || status=$?
    return "$status"
}
