#!/bin/bash
# Harness self-test: makes the mistake that its guest is named after, and passes. In the debug kind the
# kernel, or what looks for leftovers behind a scenario, must not let that count.
set -e
bug=$(hostname)
ip netns add victim
ip -n victim link set lo up
ip netns exec victim insmod "$NATF_MODULES/natf_bugs.ko" bug="${bug#self-bug-}"
echo "1..1"
echo "ok 1 the mistake was made"
