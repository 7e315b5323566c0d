#!/bin/sh
# Makes artifacts/target/arm64/root and kernel, the packages of all arm64 machines; made again when what they are made by has changed.
# Units and scripts change more often than packages: whoever starts a machine puts those into a copy.
set -eu
cd "$(dirname "$0")/../.."
out=artifacts/target/arm64
mkdir -p $out
exec 9>$out/lock # two kinds of machines may be made at once
flock 9
. tools/made.sh
of=$(hash_of board/rootfs.sh)
fresh $out/root "$of" || { board/rootfs.sh arm64 $out/root; made $out/root "$of"; }
of=$(hash_of tools/debian-package.sh)
fresh $out/kernel "$of" || { tools/debian-package.sh arm64 $out/kernel 'linux-image-rt-arm64*'; made $out/kernel "$of"; }
