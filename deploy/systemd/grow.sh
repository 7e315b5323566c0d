#!/bin/sh
# Lets the data partition, and then its file system, reach the end of the disk: an image is as small as it can be, a card is as large as it is.
#   grow.sh partition   before it is mounted; of the two copies of the table one is whole at any moment
#   grow.sh files       once it is mounted: the kernel does it, by its journal. It is asked at every start, because the power may have gone in between
set -eu
read -r line </proc/cmdline
for word in $line; do case $word in ssp.data=*) data=${word#ssp.data=} ;; esac; done
device=$(case $data in PARTUUID=*) readlink -f "/dev/disk/by-partuuid/$(echo "${data#PARTUUID=}" | tr A-F a-f)" ;; *) readlink -f "$data" ;; esac)
case $1 in
    partition)
        partition=/sys/class/block/$(basename "$device")
        disk=/dev/$(basename "$(readlink -f "$partition/..")")
        read -r number <"$partition/partition"
        read -r start <"$partition/start"
        read -r size <"$partition/size"
        read -r all <"/sys/class/block/$(basename "$disk")/size"
        least=262144 # less than 128 MiB to be had: it was done before
        [ $((all - start - size)) -gt $least ] || exit 0
        echo ", +" | sfdisk -q --no-reread --no-tell-kernel --force -N "$number" "$disk"
        partx -u --nr "$number" "$disk"
        # Its names in /dev/disk are made anew; a mount ends where one goes away.
        udevadm settle ;;
    files) resize2fs "$device" 2>&1 | sed '/^resize2fs /d; /Nothing to do/d; /^$/d' ;;
esac
