#!/bin/sh
# Makes an update file of a slot: what `ssp update` installs. The slot says itself what it is (etc/ssphost/system: name, version, serial, arch, board).
#   bytes 0..16      ssphost-update 1 and a line feed
#   bytes 17..117    the signature of the manifest: 100 characters as signify makes them, and a line feed
#   bytes 118..1023  the manifest: key=value a line, filled up with line feeds; all of it is signed
#   from 1024 on     the slot's image, packed by zstd
# Everything is at a fixed place, so that a target looks into nothing before its signature is verified.
# Usage: board/update-file.sh SLOT.ext4 SECRET-KEY OUT-DIR     (a key: signify-openbsd -G -n -p update.pub -s update.sec)
set -eu
slot=$1 key=$2 out=$3
fail() { echo "update-file: $*" >&2; exit 1; }
[ -f "$slot" ] || fail "$slot: there is no such file"
[ -f "$key" ] || fail "$key: there is no such key"
[ $(($(stat -c %s "$slot") % 1048576)) = 0 ] || fail "$slot: expected whole MiB"
mkdir -p "$out"
work=$(mktemp -d "$out/update.XXXXXX")
trap 'rm -rf "$work"' EXIT
debugfs -R "cat /etc/ssphost/system" "$slot" >"$work/system" 2>/dev/null || true
value() { sed -n "s/^$1=//p" "$work/system" | head -n 1; }
for word in name version serial arch board; do
    [ -n "$(value $word)" ] || fail "$slot: its /etc/ssphost/system does not say '$word'"
done
zstd -q -T0 "-${SSP_ZSTD:-15}" -o "$work/packed" "$slot"
hash() { sha256sum "$1" | cut -c 1-64; }
{
    cat "$work/system"
    printf 'size=%s\npacked=%s\n' "$(stat -c %s "$slot")" "$(stat -c %s "$work/packed")"
    printf 'sha256=%s\npacked-sha256=%s\n' "$(hash "$slot")" "$(hash "$work/packed")"
} >"$work/manifest"
missing=$((906 - $(stat -c %s "$work/manifest")))
[ $missing -ge 0 ] || fail "the manifest is $((-missing)) bytes too long"
printf "%${missing}s" '' | tr ' ' '\n' >>"$work/manifest"
signify-openbsd -S -s "$key" -m "$work/manifest" -x "$work/signature"
file=$out/ssphost-$(value version)-$(value arch).update
{
    printf 'ssphost-update 1\n'
    tail -n 1 "$work/signature"
    cat "$work/manifest" "$work/packed"
} >"$work/file"
mv "$work/file" "$file"
echo "update: $file ($(($(stat -c %s "$file") >> 20)) MiB, $(value name))"
