#!/bin/bash
# Harness self-test: a guest whose program cannot run here.
echo "1..0 # SKIP meant to be skipped"
exit 4
