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
    exit
fi
dotnet build tests/SspHost.Proof -c Release -v q --nologo -p:UseSharedCompilation=false -nodeReuse:false
modules=$(grep -c 'visitor.Visit<' dsp-modules/Catalog.cs)
dotnet artifacts/build/net10.0/SspHost.Proof/Release/SspHost.Proof.dll \
    "artifacts/obj/$framework-$rid/SspHost.EngineHost/Release/native/ssp-engine.o" "artifacts/native/$rid/libssphost_native.a" \
    --list tests/SspHost.Proof/allowed.txt --modules "$modules" "$@"
