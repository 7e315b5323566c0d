#!/bin/sh
# Builds the two native executables into artifacts/bin, their unstripped symbols into artifacts/symbols.
# Usage: tools/build.sh RID [checked]
set -eu
cd "$(dirname "$0")/.."
rid=$1
checked=${2:-}
framework=$(tools/native-framework.sh "$rid")
out=artifacts/bin
symbols=artifacts/symbols
flags=""
if [ "$checked" = checked ]; then
    out=artifacts/checked/bin
    symbols=artifacts/checked/symbols
    flags="-p:SspChecked=true"
fi
[ "$rid" = "linux-$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')" ] || { out=artifacts/$rid/bin; symbols=artifacts/$rid/symbols; }
mkdir -p "$out" "$symbols"
for project in SspHost.EngineHost SspHost; do
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
echo "build: $out/ssp and $out/ssp-engine ($framework, $rid${checked:+, checked}), symbols in $symbols"
