#!/bin/sh
# Puts a disk together: boot partition, two slots, data. No loop devices, no mounts, no root needed but for the owners inside the slot.
# Usage: board/disk.sh SLOT.ext4 BOOT-DIR OUT.img [LOADER-DIR]   (BOOT-DIR: files of the FAT partition; LOADER-DIR: idbloader.img and u-boot.itb)
# $SSP_DATA: a directory that the data partition starts with; it is empty otherwise.
set -eu
slot=$1 boot=$2 out=$3 loader=${4:-}
sectors() { echo $(($(stat -c %s "$1") / 512)); }
first=32768 boot_size=131072 data_size=131072
slot_size=$(sectors "$slot")
a=$((first + boot_size)) b=$((first + boot_size + slot_size)) data=$((first + boot_size + 2 * slot_size))
total=$((data + data_size + 2048))
rm -f "$out"
truncate -s $((total * 512)) "$out"
sfdisk -q --no-tell-kernel "$out" <<TABLE
label: gpt
first-lba: 34
start=$first, size=$boot_size, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, name=boot, attrs=LegacyBIOSBootable
start=$a, size=$slot_size, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=root-a
start=$b, size=$slot_size, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=root-b
start=$data, size=$data_size, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=data
TABLE
work=$(mktemp -d "$(dirname "$out")/disk.XXXXXX")
trap 'rm -rf "$work"' EXIT
truncate -s $((boot_size * 512)) "$work/boot.fat"
mkfs.vfat -n SSPBOOT "$work/boot.fat" >/dev/null
for file in "$boot"/*; do [ ! -f "$file" ] || mcopy -i "$work/boot.fat" "$file" ::; done
truncate -s $((data_size * 512)) "$work/data.ext4"
# As for a large file system, which it will be on the card.
mke2fs -q -t ext4 -b 4096 -i 65536 -m 0 -L ssp-data ${SSP_DATA:+-d "$SSP_DATA"} "$work/data.ext4"
write() { dd if="$1" of="$out" bs=1M seek=$(($2 / 2048)) conv=notrunc,sparse status=none; }
write "$work/boot.fat" $first
write "$slot" $a
write "$work/data.ext4" $data
if [ -n "$loader" ]; then
    dd if="$loader/idbloader.img" of="$out" bs=512 seek=64 conv=notrunc status=none
    dd if="$loader/u-boot.itb" of="$out" bs=512 seek=16384 conv=notrunc status=none
fi
echo "disk: $out ($((total / 2048)) MiB, $(du -m "$out" | cut -f 1) used)"
