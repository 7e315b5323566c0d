#!/bin/sh
# What the tests need beside the build itself: the checked engine, and the virtual target's disk with the bundle on it. One mostly computes, the other
# mostly unpacks, so both are made at once.
# Usage: tools/test-builds.sh RID
set -eu
cd "$(dirname "$0")/.."
rid=$1
disk=""
if [ "$rid" = linux-x64 ]; then
    SSP_BUILT=yes tools/target-test.sh --disk &
    disk=$!
fi
failed=0
tools/build.sh "$rid" checked engine || failed=1
[ -z "$disk" ] || wait "$disk" || failed=1
exit $failed
