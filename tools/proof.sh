#!/bin/sh
# Proves of the engine that was built last that real-time code reaches nothing it must not (docs/proof.md).
# Usage: tools/proof.sh RID [--all|--json|...]     what follows the RID goes to the tool
#        tools/proof.sh RID --objects              only compiles tests/SspHost.Proof.BadModules, for the tool's own tests
set -eu
cd "$(dirname "$0")/.."
rid=$1
shift
framework=$(tools/native-framework.sh "$rid")
if [ "${1:-}" = --objects ]; then
    # As a publish does it up to the object: what ILC wrote is all that is wanted, so nothing is linked.
    dotnet build tests/SspHost.Proof.BadModules -c Release -r "$rid" -p:SspFramework="$framework" -p:SspVariant="$rid" -p:_IsPublishing=true \
        -p:UseSharedCompilation=false -nodeReuse:false -v q --nologo -t:"Build;ComputeResolvedFilesToPublishList;IlcCompile"
    # The same once more for the other processor: the compiler can, and the reader of its code is tested on it. It could not be linked.
    native=artifacts/obj/$framework-$rid/SspHost.Proof.BadModules/Release/native
    case $rid in *-x64) other=arm64 ;; *) other=x64 ;; esac
    if [ ! -f "$native/bad-modules-$other.o" ] || [ "$native/bad-modules.o" -nt "$native/bad-modules-$other.o" ]; then
        sed -e "s/^--targetarch:.*/--targetarch:$other/" -e "s|^-o:\(.*\)/bad-modules.o|-o:\1/bad-modules-$other.o|" "$native/bad-modules.ilc.rsp" >"$native/$other.rsp"
        "$(sed -n 's|^--mibc:\(.*\)/mibc/.*|\1/tools/ilc|p' "$native/bad-modules.ilc.rsp" | head -1)" "@$native/$other.rsp"
    fi
    exit
fi
dotnet build tests/SspHost.Proof -c Release -v q --nologo -p:UseSharedCompilation=false -nodeReuse:false
modules=$(grep -c 'visitor.Visit<' dsp-modules/Catalog.cs)
dotnet artifacts/build/net10.0/SspHost.Proof/Release/SspHost.Proof.dll \
    "artifacts/obj/$framework-$rid/SspHost.EngineHost/Release/native/ssp-engine.o" "artifacts/native/$rid/libssphost_native.a" \
    "artifacts/native/$rid/libssphost_heap.a" --list tests/SspHost.Proof/allowed.txt --modules "$modules" "$@"
