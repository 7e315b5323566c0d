#!/bin/sh
# Makes this system's SSH key once, and takes over who may come in: the file authorized_keys on the boot partition, which any computer can write on
# the card. It is taken at each start, whole: a key that is not in it any more is not let in, an empty file lets nobody in. Without one all stays as it was.
set -eu
own=/data/system/ssh boot=/run/ssphost-boot
mkdir -p "$own"
chmod 755 /data/system "$own"
[ -s "$own/ssh_host_ed25519_key" ] || { rm -f "$own"/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -C '' -f "$own/ssh_host_ed25519_key"; }
data=$(findmnt -n -o SOURCE /data)
disk=/sys/class/block/$(basename "$(readlink -f "/sys/class/block/$(basename "$data")/..")")
for partition in "$disk"/*/partition; do
    read -r number <"$partition"
    [ "$number" = 1 ] || continue
    name=$(basename "$(dirname "$partition")")
    mkdir -p "$boot"
    mount -t vfat -o ro,nosuid,nodev,noexec "/dev/$name" "$boot"
    if [ -e "$boot/authorized_keys" ]; then
        tr -d '\r' <"$boot/authorized_keys" >"$own/authorized_keys.new"
        mv "$own/authorized_keys.new" "$own/authorized_keys"
    fi
    umount "$boot"
done
