#!/bin/sh
# Makes the root file system of a target: Debian without a kernel, the users, groups and units of the host, a read-only root with its data elsewhere.
# Any architecture; one that is not this machine's is run by qemu-user. The mirror is the one this system uses.
# Usage: board/rootfs.sh ARCH OUT-DIR [PACKAGE...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
arch=$1 out=$2
shift 2
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
sound=libasound2
[ "$suite" = bookworm ] || sound=libasound2t64
# What plays, what is drawn with, what talks to it, and what keeps it up to date.
packages="systemd-sysv systemd-resolved udev kmod dbus openssh-server iproute2 procps e2fsprogs util-linux fdisk busybox-static zstd signify-openbsd
    $sound alsa-utils libcairo2 fonts-roboto-unhinted liblilv-0-0 ca-certificates curl $*"
if [ "$arch" != "$(dpkg --print-architecture)" ] && ! [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
    [ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    if [ -x /usr/lib/systemd/systemd-binfmt ]; then /usr/lib/systemd/systemd-binfmt || true; fi
    [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || update-binfmts --enable qemu-aarch64
fi
mkdir -p "$(dirname "$out")"
rm -rf --one-file-system "$out"
mmdebstrap --quiet --variant=minbase --architectures="$arch" --include="$(echo $packages | tr ' ' ',')" --format=directory \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-include=/usr/share/locale/locale.alias' \
    --aptopt='Apt::Install-Recommends "false"' \
    --customize-hook="$here/../deploy/install-system.sh"' "$1"' --customize-hook="$here/appliance.sh"' "$1"' \
    "$suite" "$out"
du -sh "$out" | sed 's/^/rootfs: /'
