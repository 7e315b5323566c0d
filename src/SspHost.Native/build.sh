#!/bin/sh
# Compiles the C files beside this script, and those in heap/, for a runtime identifier into a folder; with `checked`, those in checked/ instead.
# Each file appears whole or not at all, so builds may run side by side. Usage: build.sh RID FOLDER [checked]
set -eu
rid=$1
out=$2
checked=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
host=linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')

if [ -n "${SSP_CC:-}" ]; then cc=$SSP_CC
elif [ "$rid" = "$host" ]; then cc=$(command -v cc || command -v gcc || command -v clang || true)
elif [ "$rid" = linux-arm64 ] && command -v aarch64-linux-gnu-gcc >/dev/null; then cc=aarch64-linux-gnu-gcc
elif [ "$rid" = linux-arm64 ] && command -v clang >/dev/null; then cc="clang --target=aarch64-linux-gnu -fuse-ld=lld"
elif [ "$rid" = linux-x64 ] && command -v x86_64-linux-gnu-gcc >/dev/null; then cc=x86_64-linux-gnu-gcc
else cc=
fi
if [ -z "$cc" ]; then
    echo "error: no C compiler for $rid on $host; on Debian or Ubuntu install 'gcc' (for the host)" \
        "or 'gcc-aarch64-linux-gnu' (for linux-arm64), or name one in SspCC" >&2
    exit 1
fi

mkdir -p "$out"
work=$(mktemp -d "$out/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Line tables, so that a verdict names the line in C, too; they are split off with the other symbols.
flags="-std=gnu11 -O2 -g1 -ffile-prefix-map=$root=/_ -fPIC -Wall -Wextra -Werror -fvisibility=default"
if [ -n "$checked" ]; then
    # Linked into executables only, so a thread's flag is one instruction away.
    for source in "$here"/checked/*.c "$here"/checked/*.S; do
        name=$(basename "$source")
        $cc $flags -fPIE -fvisibility=hidden -ftls-model=local-exec -c "$source" -o "$work/${name%.*}.o"
    done
    $($cc -print-prog-name=ar) rcsD "$work/libssphost_guard.a" "$work"/*.o
    mv "$work/libssphost_guard.a" "$out/libssphost_guard.a"
    exit 0
fi
for source in "$here"/*.c; do
    $cc $flags -c "$source" -o "$work/$(basename "$source" .c).o"
done
$cc -shared -Wl,-soname,libssphost_native.so "$work"/*.o -o "$work/libssphost_native.so"
$($cc -print-prog-name=ar) rcsD "$work/libssphost_native.a" "$work"/*.o

# A library of its own: a malloc within the image is not exported (ILC's version script), so the C library's own callers would miss it.
# Bound at load: the first free must not end in the dynamic linker. No builtins: calloc must not be compiled into a call of itself.
mkdir "$work/heap"
for source in "$here"/heap/*.c; do
    $cc $flags -fvisibility=hidden -fno-builtin -c "$source" -o "$work/heap/$(basename "$source" .c).o"
done
$cc -shared -Wl,-z,now -Wl,-z,defs -Wl,-soname,libssphost_heap.so "$work"/heap/*.o -o "$work/libssphost_heap.so"
$($cc -print-prog-name=ar) rcsD "$work/libssphost_heap.a" "$work"/heap/*.o # linked by nobody: the build-time proof reads it
mv "$work/libssphost_heap.a" "$out/libssphost_heap.a"
mv "$work/libssphost_heap.so" "$out/libssphost_heap.so"
mv "$work/libssphost_native.so" "$out/libssphost_native.so"
mv "$work/libssphost_native.a" "$out/libssphost_native.a"
