#!/bin/sh
# Makes the small first root file system: busybox, the modules without which the real one is not found, and the script that changes over to it.
# Smaller and earlier in user space than initramfs-tools, and made without running anything of the target.
# Usage: board/initrd.sh KERNEL-DIR BUSYBOX OUT MODULE...   (KERNEL-DIR: an unpacked linux-image package; what a kernel has built in is left out)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernel=$1 busybox=$2 out=$3
shift 3
modules=$kernel/lib/modules
[ -d "$modules" ] || modules=$kernel/usr/lib/modules
version=$(ls "$modules" | head -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree/lib/modules" "$work/root/bin" "$work/root/dev" "$work/root/proc" "$work/root/sys" "$work/root/new" "$work/root/modules"
cp -al "$modules/$version" "$work/tree/lib/modules/" 2>/dev/null || cp -a "$modules/$version" "$work/tree/lib/modules/"
depmod -b "$work/tree" "$version"
for module in "$@"; do
    modprobe -d "$work/tree" -S "$version" --show-depends "$module" 2>/dev/null || true
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r file; do
    name=$(basename "$file")
    case $name in
        *.xz) name=${name%.xz}; xz -dc "$file" >"$work/root/modules/$name" ;;
        *) cp "$file" "$work/root/modules/$name" ;;
    esac
    echo "$name" >>"$work/root/modules/order"
done
cp "$busybox" "$work/root/bin/busybox"
cp "$here/initrd-init" "$work/root/init"
chmod 755 "$work/root/init" "$work/root/bin/busybox"
(cd "$work/root" && find . -print0 | LC_ALL=C sort -z | cpio -o -0 -H newc -R 0:0 --reproducible --quiet) | gzip -9n >"$out"
echo "initrd: $out ($(($(wc -c <"$out") >> 10)) KiB, $(wc -l <"$work/root/modules/order") modules)"
