#!/bin/sh
# Says what the kernel's own rules for device trees find in ours that they do not find in Debian's; nothing, and 0, where there is nothing.
# The rules are in no binary package of Debian: they come with the kernel's source, of which they are kept in artifacts/debian (12 MB of 139).
# Usage: board/check-dtb.sh DEBIAN.dtb OURS.dtb
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cache=$here/artifacts/debian
mkdir -p "$cache"
work=$(mktemp -d "$cache/check.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ ! -f "$cache/schema.json" ]; then
    if [ ! -d "$cache/bindings" ]; then
        meta=$(apt-cache depends linux-source | sed -n 's/^ *Depends: \(linux-source-[0-9.]*\)$/\1/p' | head -n 1)
        "$here/tools/debian-package.sh" arm64 "$work/source" "$meta" >/dev/null
        archive=$(ls "$work"/source/usr/src/linux-source-*.tar.xz)
        top=$(basename "$archive" .tar.xz)
        tar -C "$work" -xJf "$archive" "$top/Documentation/devicetree/bindings"
        mv "$work/$top/Documentation/devicetree/bindings" "$cache/bindings"
    fi
    dt-mk-schema -j -o "$work/schema.json" "$cache/bindings" >/dev/null 2>&1
    mv "$work/schema.json" "$cache/schema.json"
fi
# A finding is a line with the file before it and indented lines below; only what is said counts, not of which file.
findings() { dt-validate -s "$cache/schema.json" "$1" 2>&1 | sed 's/^[^ ]*\.dtb: //' | sort -u; }
findings "$1" >"$work/theirs"
findings "$2" >"$work/ours"
[ -s "$work/theirs" ] || { echo "check-dtb: the rules find nothing at all in Debian's tree, which is not so" >&2; exit 1; }
comm -13 "$work/theirs" "$work/ours" >"$work/new"
cat "$work/new"
[ ! -s "$work/new" ]
