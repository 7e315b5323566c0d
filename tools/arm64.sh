#!/bin/sh
# Compiles the modules for arm64 without an arm64 machine or pack: the x64 compiler writes the object, two stubs stand for the runtime.
# Writes artifacts/arm64/kernels, which runs under qemu-aarch64-static (tests/SspHost.Kernels).
set -eu
cd "$(dirname "$0")/.."
rid=linux-x64
[ "$(uname -m)" = x86_64 ] || { echo "arm64: this check compiles from x64; on arm64 the modules run by themselves" >&2; exit 1; }
framework=$(tools/native-framework.sh $rid)
native=artifacts/obj/$framework-portable/SspHost.Kernels/Release/native
dotnet build tests/SspHost.Kernels -c Release -r $rid -p:SspFramework="$framework" -p:SspVariant=portable -p:SspPortable=true -p:_IsPublishing=true \
    -p:UseSharedCompilation=false -nodeReuse:false -v q --nologo -t:"Build;ComputeResolvedFilesToPublishList;IlcCompile"
out=artifacts/arm64
mkdir -p $out
if [ ! -f $out/kernels ] || [ "$native/ssp-kernels.o" -nt $out/kernels ] || [ tests/SspHost.Kernels/main.c -nt $out/kernels ]; then
    sed -e "s/^--targetarch:.*/--targetarch:arm64/" -e "s|^-o:.*|-o:$out/kernels.o|" -e '/^--instruction-set/d' -e '/^--exportsfile/d' \
        "$native/ssp-kernels.ilc.rsp" >$out/ilc.rsp
    "$(sed -n 's|^--mibc:\(.*\)/mibc/.*|\1/tools/ilc|p' "$native/ssp-kernels.ilc.rsp" | head -1)" @$out/ilc.rsp
    # The x64 library asks of itself whether x64 has an instruction, which only the x64 compiler answers (compiled for another processor it is a
    # call of itself, without end). Here the answer is no: mov w0, 0; ret.
    start=$(aarch64-linux-gnu-objdump -h $out/kernels.o | awk '$2 == "__managedcode" { print $6 }')
    aarch64-linux-gnu-nm $out/kernels.o | sed -n 's/^\([0-9a-f]*\) T .*_Intrinsics_X86_.*__get_IsSupported$/\1/p' | while read -r at; do
        printf '\000\000\200\122\300\003\137\326' | dd of=$out/kernels.o bs=1 seek=$((0x$start + 0x$at)) conv=notrunc status=none
    done
    # What is unresolved belongs to the runtime and is never reached from process: the proof says so, and a call of it would jump to 0.
    aarch64-linux-gnu-gcc -O2 -Wall -Werror -static -Wl,--gc-sections -Wl,--unresolved-symbols=ignore-all -Wl,--no-eh-frame-hdr \
        tests/SspHost.Kernels/main.c $out/kernels.o -lm -o $out/kernels
fi
