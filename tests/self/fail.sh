#!/bin/bash
# Harness self-test: a guest whose program fails.
echo "1..1"
echo "not ok 1 meant to fail"
exit 1
