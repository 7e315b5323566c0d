#!/bin/sh
# Makes what the tests of updates start: an arm64 slot, keys, update files, and a disk for U-Boot. What has not changed is not made again.
# Usage: tests/target/Updates/make.sh OUT
set -eu
cd "$(dirname "$0")/../../.."
out=$1
tests=tests/target/Updates
mkdir -p "$out"
. tools/made.sh

root=artifacts/target/arm64/root kernel=artifacts/target/arm64/kernel
tests/target/arm64.sh

of=$(hash_of board deploy $tests "$(stat -c %Y "$root" "$kernel")")
! fresh "$out/disk.img" "$of" || exit 0
rm -f "$out"/update.* "$out"/*.update
signify-openbsd -G -n -p "$out/update.pub" -s "$out/update.sec"

# A shell on the serial console is all that a test needs of a machine.
rm -rf --one-file-system "$out/tree"
cp -a --reflink=auto "$root" "$out/tree"
deploy/install-system.sh "$out/tree" >/dev/null 2>&1
board/appliance.sh "$out/tree" >/dev/null 2>&1
install -m 644 $tests/root/*.service "$out/tree/etc/systemd/system/"
wants=$out/tree/etc/systemd/system/multi-user.target.wants
ln -sf ../serial-shell.service "$wants/"
rm -f "$wants/ssp.service" "$wants/ssh.service" "$wants/remote-fs.target" # the music is for other tests; here it is asked by hand
system() { printf 'name=ssphost-%s-test\nversion=%s\nserial=%s\narch=arm64\nboard=virt\n' "$1" "$1" "$2" >"$out/system"; }
system 1.0.0 1000
# norandmaps: QEMU translates a page of code again for every address at which a process has it. After some thousand processes with addresses of their
# own, each write to such a page takes it 30 ms, and U-Boot would clear them for hours after a restart.
SSP_SYSTEM=$out/system SSP_UPDATE_KEY=$out/update.pub board/slot.sh "$out/tree" "$kernel" - 448 "$out/slot.ext4" console=ttyAMA0 quiet norandmaps
# The next version differs in its name alone.
cp --reflink=auto --sparse=always "$out/slot.ext4" "$out/next.ext4"
system 2.0.0 2000
debugfs -w -f - "$out/next.ext4" >/dev/null 2>&1 <<CHANGE
rm /etc/ssphost/system
write $out/system /etc/ssphost/system
CHANGE
SSP_ZSTD=3 board/update-file.sh "$out/next.ext4" "$out/update.sec" "$out"
# One that is written in seconds: as much of a slot as U-Boot looks at.
mkdir -p "$out/small/etc/ssphost"
cp "$out/tree/usr/bin/busybox" "$out/small/"
debugfs -R "rdump /boot $out/small" "$out/slot.ext4" 2>/dev/null
system 2.1.0 2100
cp "$out/system" "$out/small/etc/ssphost/"
rm -f "$out/small.ext4"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$out/small" "$out/small.ext4" 40M
SSP_ZSTD=3 board/update-file.sh "$out/small.ext4" "$out/update.sec" "$out"
rm -rf "$out/boot" "$out/tree" "$out/small"
mkdir -p "$out/boot"
mkimage -q -A arm64 -O linux -T script -C none -d board/boot.cmd "$out/boot/boot.scr" >/dev/null
board/disk.sh "$out/slot.ext4" "$out/boot" "$out/disk.img"
# A stick with an update on it.
rm -f "$out/stick.img"
truncate -s 32M "$out/stick.img"
mkfs.vfat -n STICK "$out/stick.img" >/dev/null
mcopy -i "$out/stick.img" "$out/ssphost-2.1.0-arm64.update" ::
# What is installed lies on the data partition already.
start=$(sfdisk -d "$out/disk.img" | sed -n 's/.*start= *\([0-9]*\),.*name="data".*/\1/p')
mkdir -p "$out/data"
cp "$out/ssphost-2.1.0-arm64.update" "$out/data/"
mke2fs -q -F -t ext4 -b 4096 -i 65536 -m 0 -L ssp-data -d "$out/data" -E offset=$((start * 512)) "$out/disk.img" 64M
rm -rf "$out/data"
made "$out/disk.img" "$of"
