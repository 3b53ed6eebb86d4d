#!/bin/bash
# Harness self-test: the program never ends; the harness must end the guest.
echo "ok 1 before the hang"
exec sleep infinity
