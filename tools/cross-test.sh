#!/bin/sh
# Tries Dockerfile.cross without an image from anywhere: on a base made of this system's own package sources and its .NET SDK, in a chroot.
# The bundle of this machine must unpack, be what its manifest says, start, and come out the same again; the other architecture's must be built
# too, or the packs be named that the feed lacks. Usage: tools/cross-test.sh
set -eu
cd "$(dirname "$0")/.."
export SSP_CONTAINER=buildah BUILDAH_ISOLATION=chroot
work=$PWD/artifacts/cross
case $(uname -m) in
    x86_64) here=linux-x64 there=linux-arm64 ;;
    aarch64) here=linux-arm64 there=linux-x64 ;;
    *) echo "cross-test: this machine is neither x86-64 nor arm64" >&2; exit 1 ;;
esac
mkdir -p "$work"
# Images of its own: the builder's are left alone.
export CONTAINERS_STORAGE_CONF=$work/storage.conf
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$work/storage" "$work/run" >"$CONTAINERS_STORAGE_CONF"
[ ! -s /etc/ssl/certs/ca-certificates.crt ] || export SSP_CA=/etc/ssl/certs/ca-certificates.crt
# What it leaves mounted could not be deleted with the checkout.
end() {
    buildah rm -a >/dev/null 2>&1 || true
    ! mountpoint -q "$work/storage/overlay" || umount "$work/storage/overlay" || true
}
trap end EXIT
trap 'exit 1' HUP INT TERM
# All builds are of the sources as they are now, whatever is written to them meanwhile.
rm -rf "$work/source"
mkdir "$work/source"
git ls-files -coz --exclude-standard | tar -cf - --null -T - | tar -C "$work/source" -xf -
SSP_COMMIT=$(git rev-parse --short=12 HEAD)$([ -z "$(git status --porcelain | head -n 1)" ] || echo -changed)
export SSP_COMMIT
say() { echo "cross-test: $*"; }
fail() { echo "cross-test: $*" >&2; exit 1; }

# An image of one folder, or one tar file, of this machine.
image() {
    container=$(buildah from scratch)
    buildah add -q "$container" "$2" "$3" >/dev/null
    buildah commit -q "$container" "$1" >/dev/null
    buildah rm "$container" >/dev/null
}

export SSP_BASE=localhost/ssp-base SSP_SDK=localhost/ssp-sdk
if ! buildah inspect --type image $SSP_BASE >/dev/null 2>&1; then
    # The mirror is the one this system uses.
    mmdebstrap --variant=apt --quiet "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work/base.tar"
    image $SSP_BASE "$work/base.tar" /
    rm "$work/base.tar"
fi
buildah inspect --type image $SSP_SDK >/dev/null 2>&1 || image $SSP_SDK "$(dirname "$(readlink -f "$(command -v dotnet)")")" /usr/share/dotnet

# Builds runtime identifier $1 into folder $2; its log is $2.log.
build() {
    rm -rf "$2"
    "$work/source/tools/cross.sh" "$1" "$2" >"$2.log" 2>&1
}

# A bundle of $1 in $2 unpacks from its archive, and every file is what the manifest says, and no file is missing there.
check() {
    archive=$(echo "$2"/*.tar.gz)
    rm -rf "$2.unpacked"
    mkdir "$2.unpacked"
    tar -C "$2.unpacked" -xzf "$archive" --strip-components=1
    (cd "$2.unpacked" && sha256sum -c --quiet MANIFEST) || fail "$archive is not what its manifest says"
    (cd "$2.unpacked" && find . -type f ! -name MANIFEST -printf '%P\n' | LC_ALL=C sort) >"$2.files"
    sed 's/^[0-9a-f]*  //' "$2.unpacked/MANIFEST" | cmp -s - "$2.files" || fail "$archive has files that its manifest does not name"
    grep -qxF "rid=$1" "$2.unpacked/VERSION" || fail "$archive is not for $1"
    say "$(basename "$archive"): $(wc -l <"$2.files") files, $(wc -c <"$archive") bytes"
}

build $here "$work/$here" || { tail -n 40 "$work/$here.log" >&2; fail "$here was not built"; }
check $here "$work/$here"
grep '^cross: ' "$work/$here.log" || true
say "$("$work/$here.unpacked/bin/ssp" --version) starts"
ldd "$work/$here.unpacked/bin/ssp-engine" >/dev/null || fail "ssp-engine lacks libraries"

# The same sources once more, in another container.
SSP_AGAIN=$(date +%s) build $here "$work/again" || { tail -n 40 "$work/again.log" >&2; fail "$here was not built a second time"; }
check $here "$work/again"
if cmp -s "$work/$here"/*.tar.gz "$work/again"/*.tar.gz; then say "the second build has the same bytes"
else
    diff "$work/$here.unpacked/MANIFEST" "$work/again.unpacked/MANIFEST" >&2 || true
    fail "the second build differs in the files above"
fi

if build $there "$work/$there"; then
    check $there "$work/$there"
elif grep -q '^  Unable to find package' "$work/$there.log"; then
    say "the package feed has no NativeAOT packs for $there:"
    grep '^  Unable to find package' "$work/$there.log" | sort -u
    [ $there != linux-arm64 ] || grep '^cross: no bundle' "$work/$there.log" || fail "and its objects were not compiled: $work/$there.log"
else
    tail -n 40 "$work/$there.log" >&2
    fail "$there was not built"
fi
