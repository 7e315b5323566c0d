#!/bin/sh
# Makes the image that a card of a ROCKPro64 is flashed with, of Debian's packages and of the project's own bundle: loader, boot partition, slot, data.
# Usage: board/image.sh [--without-bundle] [--key UPDATE.pub] [OUT-DIR]
# The bundle is what tools/bundle.sh linux-arm64 or the cross build has made. $SSP_ARM64_ROOT, $SSP_ARM64_KERNEL: directories that are there already.
set -eu
cd "$(dirname "$0")/.."
bare= key=
while [ $# -gt 0 ]; do
    case $1 in
        --without-bundle) bare=yes ;;
        --key) key=$2; shift ;;
        -*) echo "image: $1: there is no such flag; expected --without-bundle, --key FILE" >&2; exit 1 ;;
        *) break ;;
    esac
    shift
done
out=${1:-artifacts/image} bundle=artifacts/bundle/linux-arm64
fail() { echo "image: $*" >&2; exit 1; }
unset SSP_BUNDLE
if [ -z "$bare" ]; then
    [ -d "$bundle" ] || fail "there is no bundle in $bundle: make cross builds it. --without-bundle makes an image that starts and plays nothing until one is deployed"
    export SSP_BUNDLE="$bundle"
fi
[ -z "$key" ] || [ -f "$key" ] || fail "$key: there is no such key"
[ -n "$key" ] || echo "image: no --key: this image will take no updates"
mkdir -p "$out"
arguments=$(sed 's/ *#.*//' board/arguments)

# What has not changed is not made again: packages take minutes, the rest takes seconds.
. tools/made.sh
root=${SSP_ARM64_ROOT:-$out/root} kernel=${SSP_ARM64_KERNEL:-$out/kernel} loader=$out/loader
of=$(hash_of board/rootfs.sh board/appliance.sh board/root deploy)
[ -n "${SSP_ARM64_ROOT:-}" ] || fresh "$root" "$of" || { board/rootfs.sh arm64 "$root"; made "$root" "$of"; }
of=$(hash_of tools/debian-package.sh)
[ -n "${SSP_ARM64_KERNEL:-}" ] || fresh "$kernel" "$of" || { tools/debian-package.sh arm64 "$kernel" 'linux-image-rt-arm64*'; made "$kernel" "$of"; }
fresh "$loader" "$of" || { tools/debian-package.sh arm64 "$loader" u-boot-rockchip; made "$loader" "$of"; }
uboot=$loader/usr/lib/u-boot/rockpro64-rk3399
[ -f "$uboot/idbloader.img" ] && [ -f "$uboot/u-boot.itb" ] || fail "$uboot: expected idbloader.img and u-boot.itb in Debian's package"

tree=$(ls "$kernel"/usr/lib/linux-image-*/rockchip/rk3399-rockpro64.dtb | head -n 1)
board/dtb.sh "$tree" "$out/board.dtb"
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
version=$(sed -n 's/.*<Version>\(.*\)<\/Version>.*/\1/p' Directory.Build.props | head -n 1)
serial=$(git log -1 --format=%ct 2>/dev/null || date +%s)
printf 'name=ssphost-%s-%s-rockpro64\nversion=%s\nserial=%s\narch=arm64\nboard=rockpro64\n' "$version" "$commit" "$version" "$serial" >"$out/system"
export SSP_SYSTEM="$out/system" SSP_UPDATE_KEY="$key"
# The driver of the display reads the timings when it is loaded, which is after the root file system is there.
mkdir -p "$out/edid"
board/edid.sh "$out/edid/ssp-1600x480.bin"
rm -rf --one-file-system "$out/tree"
cp -a --reflink=auto "$root" "$out/tree"
install -D -m 644 "$out/edid/ssp-1600x480.bin" "$out/tree/usr/lib/firmware/edid/ssp-1600x480.bin"
install -m 644 board/ssp.json "$out/tree/etc/ssphost/ssp.json"
board/slot.sh "$out/tree" "$kernel" "$out/board.dtb" "${SSP_SLOT_MIB:-768}" "$out/slot.ext4" $arguments
rm -rf --one-file-system "$out/tree" "$out/boot"
mkdir -p "$out/boot"
mkimage -q -A arm64 -O linux -T script -C none -d board/boot.cmd "$out/boot/boot.scr" >/dev/null
image=$out/ssphost-$version-rockpro64.img
board/disk.sh "$out/slot.ext4" "$out/boot" "$image" "$uboot"
zstd -q -f -T0 "-${SSP_ZSTD:-15}" "$image" -o "$image.zst"
(cd "$out" && sha256sum "$(basename "$image")" "$(basename "$image").zst" >"$(basename "$image").sha256")
rm "$image"
echo "image: $image.zst ($(($(stat -c %s "$image.zst") >> 20)) MiB$([ -z "$bare" ] || echo ', WITHOUT the host')); board/flash writes it to a card"
