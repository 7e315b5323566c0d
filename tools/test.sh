#!/bin/sh
# Runs every test project, one after the other (real-time tests want the cores for themselves), and ends with the sum.
# Usage: tools/test.sh [FILTER]   FILTER is passed to dotnet test --filter.
set -u
cd "$(dirname "$0")/.."
results=artifacts/test-results
rm -rf "$results"
mkdir -p "$results"
export SSP_BIN="$PWD/artifacts/bin" SSP_CHECKED_BIN="$PWD/artifacts/checked/bin" SSP_ROOT="$PWD"
status=0
for project in tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    # A build server left running would hold this script's output open, so none is used.
    dotnet build "$project" -c Release -v q --nologo -p:UseSharedCompilation=false -nodeReuse:false || { status=1; continue; }
    echo "== $name"
    dotnet test "$project" -c Release --no-build --nologo -v q ${1:+--filter "$1"} \
        --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" --results-directory "$results" || status=1
done

passed=0 failed=0 skipped=0
for trx in "$results"/*.trx; do
    [ -f "$trx" ] || continue
    counters=$(grep -o '<Counters [^>]*>' "$trx")
    count() { echo "$counters" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }
    total=$(count total); p=$(count passed); f=$(count failed)
    passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + total - p - f))
done
[ $status = 0 ] || [ $failed -gt 0 ] || { echo "test: a test project did not build or did not finish"; failed=$((failed + 1)); }
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
