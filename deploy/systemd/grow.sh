#!/bin/sh
# Lets the data partition reach the end of the disk: an image is as small as it can be, a card is as large as it is. Its file system follows when it
# is mounted (ssp-grow-data.service), where the kernel's journal makes that safe against the plug being pulled, and where one that was is made up for.
set -eu
read -r line </proc/cmdline
for word in $line; do case $word in ssp.data=*) data=${word#ssp.data=} ;; esac; done
device=$(case $data in PARTUUID=*) readlink -f "/dev/disk/by-partuuid/$(echo "${data#PARTUUID=}" | tr A-F a-f)" ;; *) readlink -f "$data" ;; esac)
partition=/sys/class/block/$(basename "$device")
disk=/dev/$(basename "$(readlink -f "$partition/..")")
read -r number <"$partition/partition"
read -r start <"$partition/start"
read -r size <"$partition/size"
read -r all <"/sys/class/block/$(basename "$disk")/size"
least=262144 # less than 128 MiB to be had: it was done before
[ $((all - start - size)) -gt $least ] || exit 0
echo ", +" | sfdisk -q --no-reread --force -N "$number" "$disk"
partx -u --nr "$number" "$disk"
# The device goes and comes back while udev looks at the new table; who mounts it must not see that.
udevadm settle --timeout=30
