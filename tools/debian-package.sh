#!/bin/sh
# Downloads and unpacks packages of Debian for any architecture, by this system's own sources, without installing anything.
# A name that ends in `*` means the newest package that a metapackage of that name depends on.
# Usage: tools/debian-package.sh ARCH DIR NAME...   Prints the versions; DIR gets their files.
set -eu
arch=$1 out=$2
shift 2
[ -d "$out" ] && rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
lists=${TMPDIR:-/tmp}/ssp-apt-$arch-$(id -u)
mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$lists/state"
: >"$lists/state/status"
# Two at once: the second waits, and finds the lists.
exec 8>"$lists/lock"
flock 8
apt() {
    tool=$1
    shift
    "$tool" -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$lists/state" -o Dir::State::Lists="$lists/lists" \
        -o Dir::State::status="$lists/state/status" -o Dir::Cache="$lists/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}
# Lists of the last day are good enough.
[ -n "$(find "$lists/lists" -maxdepth 1 -name '*Packages*' -mtime -1 | head -n 1)" ] || apt apt-get update >/dev/null
for name in "$@"; do
    case $name in
        *'*')
            meta=${name%'*'}
            name=$(apt apt-cache depends "$meta" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
            [ -n "$name" ] || { echo "debian-package: $meta ($arch) leads to no package" >&2; exit 1; } ;;
    esac
    (cd "$out" && apt apt-get download "$name" >/dev/null) || { echo "debian-package: $name ($arch) cannot be downloaded" >&2; exit 1; }
    for file in "$out"/*.deb; do
        echo "$(basename "$file" .deb)"
        dpkg-deb -x "$file" "$out"
        rm "$file"
    done
done
