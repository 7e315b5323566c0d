#!/bin/sh
# Makes artifacts/target/arm64/root and kernel, the packages of all arm64 machines; made again when what they are made by has changed.
# Units and scripts change more often than packages: whoever starts a machine puts those into a copy.
set -eu
cd "$(dirname "$0")/../.."
out=artifacts/target/arm64
mkdir -p $out
fresh() { if [ -e "$1" ] && [ "$(cat "$1.of" 2>/dev/null)" = "$2" ]; then return 0; fi; rm -rf --one-file-system "$1" "$1.of"; return 1; }
of=$(sha256sum <board/rootfs.sh | cut -c 1-24)
fresh $out/root "$of" || { board/rootfs.sh arm64 $out/root; echo "$of" >$out/root.of; }
of=$(sha256sum <tools/debian-package.sh | cut -c 1-24)
fresh $out/kernel "$of" || { tools/debian-package.sh arm64 $out/kernel 'linux-image-rt-arm64*'; echo "$of" >$out/kernel.of; }
