#!/bin/sh
# Builds and runs every test project and ends with the sum. Real-time tests want the cores for themselves: their projects run one after the
# other. Those that only compute or compile run beside them with what they leave (SCHED_IDLE), those that wait before them.
# Usage: tools/test.sh [FILTER]   FILTER is passed to dotnet test --filter.
set -u
cd "$(dirname "$0")/.."
results=artifacts/test-results
rm -rf "$results"
mkdir -p "$results"
export SSP_BIN="$PWD/artifacts/bin" SSP_CHECKED_BIN="$PWD/artifacts/checked/bin" SSP_ROOT="$PWD"
filter=${1:-}
hung="--blame-hang-timeout 10m --blame-hang-dump-type none" # after so long without a result a run is ended, and says in which test it was
compiling="SspHost.Arm64.Tests SspHost.Proof.Tests SspHost.Html.Tests SspHost.Patching.Tests" # the first two in one row: they build from the same sources
computing="SspHost.Bench.Tests SspHost.Benchmarks.Tests SspHost.Board.Tests SspHost.Dsp.Tests SspHost.Gate.Tests SspHost.Lv2.Tests SspHost.Modules.Tests SspHost.Panel.Tests"
projects=$(echo tests/*.Tests/*.csproj)
# The virtual target runs what is built for x86-64, where tools/target-test.sh has made its disk.
[ ! -f artifacts/target/disk.img ] || projects="$projects tests/target/SspHost.Target.csproj"
waiting="SspHost.Deploy.Tests SspHost.Peers.Tests" # for a server, a host that starts
loading=SspHost.Soak.Tests # loads the machine itself: before what wants it quiet
unheard="FullyQualifiedName~Changes.Oracle" heard="FullyQualifiedName!~Changes.Oracle" # of SspHost.EndToEnd.Tests: what only computes, and the rest
gently=""
broken="" built=""
# One compiler serves the whole solution; it would hold this script's output open, so it writes into a file and is ended by name.
if dotnet build SspHost.sln -c Release -v q --nologo -nodeReuse:false -p:UseSharedCompilation=true >"$results/build.log" 2>&1; then
    for project in $projects; do built="$built $(basename "$project" .csproj)"; done
else
    # What does not build is found by itself, so that the rest is still tested.
    cat "$results/build.log"
    for project in $projects; do
        name=$(basename "$project" .csproj)
        if dotnet build "$project" -c Release -v q --nologo -p:UseSharedCompilation=false -nodeReuse:false; then built="$built $name"; else broken="$broken $name"; fi
    done
fi
dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1 || true

has() { case " $1 " in *" $2 "*) true ;; *) false ;; esac; }

file() { echo "$projects" | tr ' ' '\n' | grep "/$1.csproj\$"; }

# Runs one project, if it was built, or what a filter leaves of it. Of the virtual target, what runs on every change.
try() {
    has "$built" "$1" || return 0
    result=$1${3:+.$3}
    echo "== $result"
    which=${2:-}
    [ "$1" != SspHost.Target ] || which="Runs=always"
    [ "$1" != SspHost.EndToEnd.Tests ] || [ -n "$which" ] || which=$heard
    [ -z "$filter" ] || which="${which:+($which)&}($filter)"
    $gently dotnet test "$(file "$1")" -c Release --no-build --nologo -v q $hung ${which:+--filter "$which"} \
        --logger "trx;LogFileName=$result.trx" --logger "console;verbosity=minimal" --results-directory "$results" || true
}

# Runs projects one after the other beside others: each prints when it is over.
row() { for name in "$@"; do try "$name" >"$results/$name.out" 2>&1; cat "$results/$name.out"; done; }

# The same with what the others leave of the cores, so that real-time tests hear nothing of it.
gentle_row() {
    ! chrt --idle 0 true 2>/dev/null || gently="chrt --idle 0"
    for part in "$@"; do
        case $part in
            oracle) try SspHost.EndToEnd.Tests "$unheard" oracle >"$results/oracle.out" 2>&1; cat "$results/oracle.out" ;;
            *) row "$part" ;;
        esac
    done
}

trap 'trap "" TERM; kill 0; exit 130' INT # rows in the background do not hear of Ctrl-C
gentle_row $compiling & one=$!
gentle_row oracle $computing & two=$!
row $waiting & three=$!
row $loading
wait $three
for name in $built; do has "$compiling $computing $waiting $loading" "$name" || try "$name"; done
wait $one $two
trap - INT
results_of=$built
! has "$built" SspHost.EndToEnd.Tests || results_of="$results_of SspHost.EndToEnd.Tests.oracle"
for name in $results_of; do grep -q '<Counters ' "$results/$name.trx" 2>/dev/null || broken="$broken $name"; done

# Prints `passed failed skipped` of a result file.
count() {
    counters=$(grep -o '<Counters [^>]*>' "$1")
    number() { echo "$counters" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }
    echo "$(number passed) $(number failed) $(($(number total) - $(number passed) - $(number failed)))"
}

# Prints the full names of the methods that failed in a result file, cases of a theory as one.
failures() {
    grep -o '<UnitTestResult [^>]*outcome="Failed"' "$1" | sed -n 's/.* testName="\([^"(]*\).*/\1/p' | sort -u
}

# What plays in real time fails where somebody else takes the cores from it. So what failed runs once more when everything else is over,
# counts by that run, and is named either way.
passed=0 failed=0 skipped=0 again=""
for trx in "$results"/*.trx; do
    [ -f "$trx" ] || continue
    read -r p f s <<COUNTS
$(count "$trx")
COUNTS
    names=$(failures "$trx")
    # A run that was cut off (its process died) has results, too: of the tests before that.
    if grep -qi 'run was aborted\|host process crashed' "$trx" || { [ "$f" = 0 ] && grep -q '<ResultSummary outcome="\(Failed\|Error\|Aborted\)"' "$trx"; }; then
        broken="$broken $(basename "$trx" .trx)"
    fi

    if [ "$f" -gt 0 ] && [ "$(echo "$names" | wc -l)" -le 5 ]; then
        name=$(basename "$trx" .trx)
        name=${name%.oracle}
        filter=$(echo "$names" | sed 's/^/FullyQualifiedName=/' | paste -sd'|')
        echo "== $name, once more: $(echo $names)"
        dotnet test "$(file "$name")" -c Release --no-build --nologo -v q $hung --filter "$filter" \
            --logger "trx;LogFileName=$name.again" --logger "console;verbosity=minimal" --results-directory "$results" || true
        if [ -f "$results/$name.again" ]; then
            read -r _ f2 _ <<COUNTS
$(count "$results/$name.again")
COUNTS
            p=$((p + f - f2)) f=$f2
            still=$(failures "$results/$name.again")
            for n in $names; do echo "$still" | grep -qxF "$n" || again="$again $n"; done
            names=$still
        fi
    fi

    for n in $names; do echo "failed: $n"; done
    passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + s))
done
for n in $again; do echo "failed beside others, passed alone: $n"; done
for n in $broken; do echo "failed: $n did not build or did not finish"; failed=$((failed + 1)); done
sed -n 's/.*DisplayName="\([^"]*\)".*Completed="False".*/began and did not end: \1/p' "$results"/*/Sequence_*.xml 2>/dev/null | sort -u
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
