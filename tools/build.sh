#!/bin/sh
# Builds the two native executables into artifacts/bin, their unstripped symbols into artifacts/symbols.
# With `checked` into artifacts/checked: an engine with guards (docs/checked-build.md); with `checked engine` only that, for the tests.
# Usage: tools/build.sh RID [checked [engine]]
set -eu
cd "$(dirname "$0")/.."
rid=$1
checked=${2:-}
projects="SspHost.EngineHost SspHost"
[ "${3:-}" != engine ] || projects=SspHost.EngineHost
framework=$(tools/native-framework.sh "$rid")
out=artifacts/bin
symbols=artifacts/symbols
flags=""
if [ "$checked" = checked ]; then
    out=artifacts/checked/bin
    symbols=artifacts/checked/symbols
    flags="-p:SspChecked=true"
fi
[ -z "${SSP_IOT_DEVICES:-}" ] || flags="$flags -p:IotDevices=$SSP_IOT_DEVICES" # boards without our device tree
[ -z "${SSP_COMMIT:-}" ] || flags="$flags -p:SourceRevisionId=$SSP_COMMIT" # otherwise the checkout says it
host=linux-$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')
[ "$rid" = "$host" ] || { out=artifacts/$rid/bin; symbols=artifacts/$rid/symbols; }
mkdir -p "$out" "$symbols"
for project in $projects; do
    publish=artifacts/publish/$framework-$rid-$project${checked:+-checked}
    dotnet publish "src/$project" -c Release -r "$rid" -p:SspFramework="$framework" -p:SspVariant="$rid" $flags -o "$publish" -v q --nologo
    for file in "$publish"/*; do
        case $file in
            *.dbg) cp -u --remove-destination "$file" "$symbols/" ;;
            *.pdb|*.xml) ;;
            *) if [ -d "$file" ]; then cp -ru "$file" "$out/"; else cp -u --remove-destination "$file" "$out/"; fi ;;
        esac
    done
done
# Names and lines for what the engine records as addresses; deployed beside it. A build for another machine makes it with this one's.
sym=$out/ssp-engine.sym
dbg=$symbols/ssp-engine.dbg
ssp=$out/ssp
[ "${3:-}" != engine ] || ssp=artifacts/bin/ssp # the same tool
if ! [ "$sym" -nt "$dbg" ] || ! [ "$sym" -nt "$ssp" ]; then
    if [ "$rid" = "$host" ]; then "$ssp" symbols make "$dbg" -o "$sym"
    else dotnet run --project src/SspHost -c Release -v q -- symbols make "$dbg" -o "$sym"; fi
fi
if [ "${3:-}" = engine ]; then what=$out/ssp-engine; else what="$out/ssp and $out/ssp-engine"; fi
echo "build: $what ($framework, $rid${checked:+, checked}), symbols in $symbols"
