#!/bin/sh
# Packs what a target needs into one directory and one archive: programs, patches, presets, units, rules, and a manifest with the hash of each.
# The same sources give the same bytes. Usage: tools/bundle.sh RID   (after tools/build.sh RID)
set -eu
cd "$(dirname "$0")/.."
rid=$1
host=linux-$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')
bin=artifacts/bin
[ "$rid" = "$host" ] || bin=artifacts/$rid/bin
for file in ssp ssp-engine ssp-engine.sym; do
    [ -f "$bin/$file" ] || { echo "bundle: $bin/$file is missing; tools/build.sh $rid builds it" >&2; exit 1; }
done
version=$(sed -n 's/.*<Version>\(.*\)<\/Version>.*/\1/p' Directory.Build.props src/Directory.Build.props | head -n 1)
commit=${SSP_COMMIT:-} # a container has no checkout, and is told
if [ -z "$commit" ]; then
    commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
    [ -z "$(git status --porcelain 2>/dev/null | head -n 1)" ] || commit=$commit-changed
fi
name=ssphost-$version-$commit-$rid
out=artifacts/bundle/$rid
rm -rf "$out"
mkdir -p "$out/bin" "$out/share"
cp "$bin"/ssp "$bin"/ssp-engine "$bin"/ssp-engine.sym "$bin"/*.so "$out/bin/"
cp -r patches presets "$out/"
cp -r deploy/systemd deploy/udev deploy/sysusers.conf deploy/tmpfiles.conf deploy/modules-load.conf deploy/ssp.json "$out/share/"
cp LICENSE "$out/"
find "$out" -type d -exec chmod 755 {} +
find "$out" -type f -exec chmod 644 {} +
chmod 755 "$out/bin/ssp" "$out/bin/ssp-engine" "$out"/share/systemd/ssp-*.sh 2>/dev/null || chmod 755 "$out/bin/ssp" "$out/bin/ssp-engine"
printf 'name=%s\nversion=%s\ncommit=%s\nrid=%s\n' "$name" "$version" "$commit" "$rid" >"$out/VERSION"
# As sha256sum reads it, so that a target needs nothing of ours to check it. Paths have no spaces except those of presets, which it keeps.
(cd "$out" && find . -type f ! -name MANIFEST -printf '%P\n' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum) >"$out/MANIFEST"
tar -C artifacts/bundle --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --transform "s|^$rid|$name|" -cf - "$rid" | gzip -9n >"artifacts/bundle/$name.tar.gz"
echo "bundle: artifacts/bundle/$name.tar.gz ($(wc -l <"$out/MANIFEST") files, $(($(wc -c <"artifacts/bundle/$name.tar.gz") >> 10)) KiB), unpacked in $out"
