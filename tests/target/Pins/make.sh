#!/bin/sh
# Makes the disk of the machine whose pins are driven from outside. What has not changed is not made again.
# Usage: tests/target/Pins/make.sh OUT
set -eu
cd "$(dirname "$0")/../../.."
out=$1
root=artifacts/target/arm64/root kernel=artifacts/target/arm64/kernel
mkdir -p "$out"
tests/target/arm64.sh
. tools/made.sh
of=$(hash_of board deploy tests/target/Pins/make.sh "$(stat -c %Y $root $kernel)")
! fresh "$out/disk.img" "$of" || exit 0
rm -rf --one-file-system "$out"
mkdir -p "$out/boot"
ssh-keygen -q -t ed25519 -N '' -C pins -f "$out/key"
cp -a --reflink=auto $root "$out/tree"
deploy/install-system.sh "$out/tree" >/dev/null 2>&1
board/appliance.sh "$out/tree" >/dev/null 2>&1
board/slot.sh "$out/tree" $kernel - 448 "$out/slot.ext4"
cp $kernel/boot/vmlinuz-* "$out/vmlinuz"
debugfs -R "dump /boot/initrd.img $out/initrd.img" "$out/slot.ext4" 2>/dev/null
cp "$out/key.pub" "$out/boot/authorized_keys"
board/disk.sh "$out/slot.ext4" "$out/boot" "$out/disk.img"
rm -rf --one-file-system "$out/tree" "$out/boot" "$out/slot.ext4"
made "$out/disk.img" "$of"
