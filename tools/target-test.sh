#!/bin/sh
# Makes the disks of the virtual target from what is built here, and runs the tests that start them. What has not changed is not made again.
# Usage: tools/target-test.sh [FILTER]     FILTER is passed to dotnet test --filter, as in Runs=always
#        tools/target-test.sh --disk       makes the disk and prints where it is
set -eu
cd "$(dirname "$0")/.."
rid=linux-x64
[ "$(uname -m)" = x86_64 ] || { echo "target-test: the virtual target runs the executables of linux-x64, which are built on x86-64 only" >&2; exit 1; }
out=artifacts/target
mkdir -p $out
tools/setup.sh target
[ -n "${SSP_BUILT:-}" ] || { tools/build.sh $rid; tools/bundle.sh $rid; }

. tools/made.sh
# The packages of the machine that the tests need and an image does not.
extra="stress-ng evtest rt-tests"
of=$(hash_of board/rootfs.sh board/appliance.sh board/root deploy/install-system.sh deploy/systemd deploy/udev deploy/*.conf deploy/ssp.json "$extra")
fresh $out/root "$of" || { board/rootfs.sh amd64 $out/root $extra; made $out/root "$of"; }
of=$(hash_of tools/debian-package.sh)
fresh $out/kernel "$of" || { tools/debian-package.sh amd64 $out/kernel 'linux-image-rt-amd64*'; made $out/kernel "$of"; }
[ -f $out/key ] || ssh-keygen -q -t ed25519 -N '' -C target -f $out/key

of=$(hash_of $out/root.of $out/kernel.of artifacts/bundle/$rid/MANIFEST board/slot.sh board/disk.sh board/initrd.sh board/initrd-init board/initrd-modules \
    board/modules tests/target/data $out/key.pub)
fresh $out/disk.img "$of" || {
    SSP_BUNDLE=artifacts/bundle/$rid board/slot.sh $out/root $out/kernel - 768 $out/slot.ext4
    cp "$(ls $out/kernel/boot/vmlinuz-*)" $out/vmlinuz
    debugfs -R "dump /boot/initrd.img $out/initrd.img" $out/slot.ext4 2>/dev/null
    rm -rf $out/boot
    mkdir $out/boot
    cp $out/key.pub $out/boot/authorized_keys
    SSP_DATA=tests/target/data board/disk.sh $out/slot.ext4 $out/boot $out/disk.img
    rm -rf $out/slot.ext4 $out/boot
    made $out/disk.img "$of"
}
[ "${1:-}" != --disk ] || { echo $out/disk.img; exit 0; }
SSP_ROOT=$PWD dotnet test tests/target/SspHost.Target.csproj -c Release --nologo -v q ${1:+--filter "$1"} \
    --logger "trx;LogFileName=target.trx" --logger "console;verbosity=normal" --results-directory $out/results
