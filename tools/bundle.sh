#!/bin/sh
# Packs what a target needs into one directory and one archive: programs, patches, presets, units, rules, and a manifest with the hash of each.
# The same sources give the same bytes. With `benchmarks` a second one beside it, that brings its own runtime and times the kernels on the target.
# Usage: tools/bundle.sh RID [benchmarks]   (after tools/build.sh RID)
set -eu
cd "$(dirname "$0")/.."
rid=$1
benchmarks=${2:-}
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

# Writes what is in directory $1 as release $2, with a manifest and as an archive.
pack() {
    printf 'name=%s\nversion=%s\ncommit=%s\nrid=%s\n' "$2" "$version" "$commit" "$rid" >"$1/VERSION"
    # As sha256sum reads it, so that a target needs nothing of ours to check it. Paths have no spaces except those of presets, which it keeps.
    (cd "$1" && find . -type f ! -name MANIFEST -printf '%P\n' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum) >"$1/MANIFEST"
    archive=artifacts/bundle/$2.tar.gz folder=$(basename "$1")
    tar -C artifacts/bundle --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --transform "s|^$folder|$2|" -cf - "$folder" | gzip -9n >"$archive"
    echo "bundle: $archive ($(wc -l <"$1/MANIFEST") files, $(($(wc -c <"$archive") >> 10)) KiB), unpacked in $1"
}

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
pack "$out" "$name"

# Compiled as it runs, by a runtime that is packed with it: a target has neither SDK nor .NET. Not in the bundle itself: four times its size, and no player needs it.
[ "$benchmarks" = benchmarks ] || exit 0
framework=$(tools/native-framework.sh "$rid")
publish=artifacts/publish/$framework-$rid-SspHost.Benchmarks
dotnet publish tests/SspHost.Benchmarks -c Release -r "$rid" -p:SspFramework="$framework" -p:SspVariant="$rid" --self-contained -o "$publish" -v q --nologo
out=artifacts/bundle/$rid-benchmarks
rm -rf "$out"
mkdir -p "$out"
cp -r "$publish"/* LICENSE "artifacts/native/$rid/libssphost_native.so" "$out/" # the last is linked into the executables, and so no part of a publish
find "$out" \( -name '*.pdb' -o -name '*.xml' -o -name createdump -o -name 'libmscor*' -o -name libcapstone.so \) -delete # what only a debugger or a disassembler needs
find "$out" -type d -exec chmod 755 {} +
find "$out" -type f -exec chmod 644 {} +
chmod 755 "$out/SspHost.Benchmarks"
pack "$out" "${name%-$rid}-benchmarks-$rid"
