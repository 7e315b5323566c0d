#!/bin/sh
# Prints the framework the native executables are built for: net10.0, or net9.0 where the feed has no NativeAOT pack for net10.0.
# Only a real publish asks the feed for that pack, so one is tried; the answer is kept in artifacts/.
# Usage: tools/native-framework.sh RID
set -eu
cd "$(dirname "$0")/.."
rid=$1
kept=artifacts/native-framework-$rid
if [ ! -s "$kept" ]; then
    mkdir -p artifacts
    log=artifacts/native-framework-$rid.log
    for framework in net10.0 net9.0; do
        if dotnet publish src/SspHost.EngineHost -c Release -r "$rid" -p:SspFramework=$framework -p:SspVariant="$rid" \
            -o "artifacts/publish/$framework-$rid-SspHost.EngineHost" -v q --nologo >"$log" 2>&1; then
            echo $framework >"$kept"
            break
        fi
        # Any error but a missing package is the build's own: show it instead of trying an older framework.
        grep -q 'error NU110[0-9]' "$log" || { cat "$log" >&2; exit 1; }
    done
    if [ ! -s "$kept" ]; then
        echo "native-framework: the package feed has no NativeAOT packs for $rid, neither for net10.0 nor for net9.0:" >&2
        grep -o 'Unable to find package [^ ]*' "$log" | sort -u | sed 's/\.$//; s/^/  /' >&2
        exit 1
    fi
    [ "$(cat "$kept")" = net10.0 ] ||
        echo "native-framework: the package feed lacks the NativeAOT pack of net10.0 for $rid; building the executables for net9.0" >&2
fi
cat "$kept"
