#!/bin/sh
# What Dockerfile.cross runs inside: executables and bundle of a runtime identifier, with the IoT devices where the feed has their packages.
# Where the feed has no packs of the other architecture it says which, compiles its objects all the same, and fails.
# Usage: tools/cross-build.sh RID
set -eu
cd "$(dirname "$0")/.."
rid=$1
secrets=/run/secrets
[ ! -s $secrets/ca ] || export SSL_CERT_FILE=$secrets/ca
if [ -s $secrets/nuget ]; then
    mkdir -p ~/.nuget/NuGet
    cp $secrets/nuget ~/.nuget/NuGet/NuGet.Config
    trap 'rm -f ~/.nuget/NuGet/NuGet.Config' EXIT # it stays in no layer
fi
mkdir -p artifacts
log=artifacts/iot-devices.log
if dotnet restore src/SspHost.IotDevices -p:IotDevices=true -v q >$log 2>&1; then export SSP_IOT_DEVICES=true
elif grep -q 'error NU110[0-9]' $log; then
    echo "cross: without the IoT devices: the package feed lacks" $(grep -o 'Unable to find package [^ ,]*' $log | sed 's/.* //; s/\.$//' | sort -u)
else
    cat $log >&2
    exit 1
fi
if tools/native-framework.sh "$rid" >/dev/null; then
    tools/build.sh "$rid"
    tools/bundle.sh "$rid" ${SSP_BENCHMARKS:+benchmarks}
    exit 0
fi
[ "$rid" = linux-arm64 ] && [ "$(uname -m)" = x86_64 ] || exit 1
tools/arm64.sh
echo "cross: no bundle of $rid, its packs are missing (above); its compiler and linker work:" \
    "the modules are an object of $(aarch64-linux-gnu-objdump -f artifacts/arm64/kernels.o | sed -n 's/.*file format //p')," \
    "$(aarch64-linux-gnu-nm artifacts/arm64/kernels.o | grep -c ' T ') functions, linked as artifacts/arm64/kernels"
exit 1
