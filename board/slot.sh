#!/bin/sh
# Makes a slot: a root file system with its kernel, initrd, modules and device tree, as one ext4 image. What an update brings is one of these.
# The release in $SSP_BUNDLE (tools/bundle.sh) becomes the slot's own.
# Usage: board/slot.sh ROOT-DIR KERNEL-DIR DTB|- SIZE-MIB OUT.ext4 [ARGS...]   (ARGS: kernel arguments of the slot)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$1 kernel=$2 dtb=$3 size=$4 out=$5
shift 5
modules=$kernel/lib/modules
[ -d "$modules" ] || modules=$kernel/usr/lib/modules
version=$(ls "$modules" | head -n 1)
work=$(mktemp -d "$(dirname "$out")/slot.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp -a --reflink=auto "$root" "$work/root"
if [ -n "${SSP_BUNDLE:-}" ]; then
    rm -rf "$work/root/opt/ssphost"
    cp -r "$SSP_BUNDLE" "$work/root/opt/ssphost"
    chown -R 0:0 "$work/root/opt/ssphost"
fi
mkdir -p "$work/tree/lib/modules" "$work/root/boot" "$work/root/usr/lib/modules/$version"
cp -a "$modules/$version" "$work/tree/lib/modules/"
depmod -b "$work/tree" "$version"
words() { sed 's/#.*//' "$1"; }
for module in $(words "$here/modules") $(words "$here/initrd-modules"); do
    modprobe -d "$work/tree" -S "$version" --show-depends "$module" 2>/dev/null || true
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
    install -D -m 644 "$file" "$work/root/usr/lib/modules/$version/${file#"$work/tree/lib/modules/$version/"}"
done
cp "$work/tree/lib/modules/$version"/modules.builtin* "$work/tree/lib/modules/$version/modules.order" "$work/root/usr/lib/modules/$version/"
depmod -b "$work/root" "$version"
cp "$kernel/boot/vmlinuz-$version" "$work/root/boot/vmlinuz"
"$here/initrd.sh" "$kernel" "$root/usr/bin/busybox" "$work/root/boot/initrd.img" $(words "$here/initrd-modules")
[ "$dtb" = - ] || cp "$dtb" "$work/root/boot/board.dtb"
# What the slot is (name=, version=, serial=, arch=, board= a line each), and the key that updates are checked with.
[ -z "${SSP_SYSTEM:-}" ] || install -D -m 644 "$SSP_SYSTEM" "$work/root/etc/ssphost/system"
[ -z "${SSP_UPDATE_KEY:-}" ] || install -D -m 644 "$SSP_UPDATE_KEY" "$work/root/etc/ssphost/update.pub"
printf 'ssp_args=%s\n' "$*" >"$work/root/boot/args.env"
rm -f "$out"
# Read-only in use: no journal, no place kept for root.
mke2fs -q -t ext4 -O ^has_journal -m 0 -L ssp-root -d "$work/root" "$out" "${size}M"
echo "slot: $out ($version, $(du -m "$out" | cut -f 1) of $size MiB used)"
