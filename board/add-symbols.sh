#!/bin/sh
# Copies a device tree and gives it the labels an overlay refers to: Debian's kernel packages ship theirs without /__symbols__.
# Usage: board/add-symbols.sh IN.dtb OUT.dtb LABEL=/PATH ...
set -eu
in=$1 out=$2
shift 2
cp "$in" "$out"
fdtput -c -p "$out" /__symbols__
# A node that nothing refers to yet has no phandle; new ones follow the highest there is.
highest=$(dtc -q -I dtb -O dts "$in" | sed -n 's/.*phandle = <0x\([0-9a-f]*\)>;/\1/p' | while read -r hex; do printf '%d\n' "0x$hex"; done | sort -n | tail -n 1)
for pair in "$@"; do
    label=${pair%%=*} path=${pair#*=}
    fdtget -l "$out" "$path" >/dev/null 2>&1 || { echo "add-symbols: $in has no node $path" >&2; exit 1; }
    if ! fdtget "$out" "$path" phandle >/dev/null 2>&1; then
        highest=$((highest + 1))
        fdtput -t x "$out" "$path" phandle "$(printf %x "$highest")"
    fi
    fdtput -t s "$out" /__symbols__ "$label" "$path"
done
