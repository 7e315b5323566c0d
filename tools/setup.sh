#!/bin/sh
# Installs what a build, a run or the tests need and this system lacks; says what it does. Usage: tools/setup.sh [run|test|gate|target|cross|bench]
set -eu
what=${1:-run}

# What each purpose needs, as Debian and Ubuntu call it.
# NativeAOT links with clang; cc builds SspHost.Native; cairo and Roboto draw the panel.
packages="clang zlib1g-dev libcairo2 fonts-roboto-unhinted"
case $what in
    test)  packages="$packages chromium sox espeak-ng python3-jsonschema sndfile-programs libasound2 libasound2-dev libmimalloc2.0 libjemalloc2 protobuf-compiler qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross liblilv-0-0 lilv-utils lv2-dev mda-lv2 swh-lv2 x42-plugins valgrind" ;;
    gate)  packages="$packages valgrind" ;;
    # A system is made of Debian's packages, started in a virtual machine, deployed to and updated.
    target) packages="$packages mmdebstrap qemu-user-static cpio kmod xz-utils zstd fdisk dosfstools mtools e2fsprogs device-tree-compiler dt-schema edid-decode
            u-boot-tools u-boot-qemu qemu-system-x86 qemu-system-arm qemu-utils openssh-client openssh-server signify-openbsd stress-ng" ;;
    cross) packages="$packages buildah mmdebstrap gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;;
    bench) packages="$packages libmimalloc2.0 libjemalloc2 g++ faust supercollider-server supercollider-dev rt-tests" ;;
    peers) packages="$packages libmimalloc2.0 libjemalloc2 gcc libc6-dev g++ faust supercollider-server supercollider-supernova supercollider-dev csound puredata-core puredata-extra
            jackd2 libjack-jackd2-dev rt-tests lttng-tools liblttng-ust-dev" ;;
esac

command -v dotnet >/dev/null 2>&1 || {
    echo "setup: the .NET SDK 10 is missing. Install it (https://dotnet.microsoft.com/download) and try again." >&2
    exit 1
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    missing=""
    for tool in clang; do command -v $tool >/dev/null 2>&1 || missing="$missing $tool"; done
    [ -z "$missing" ] || { echo "setup: this is not Debian or Ubuntu; install$missing and the zlib headers by hand, then try again." >&2; exit 1; }
    exit 0
fi

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }

missing=""
for p in $packages; do
    # Newer releases renamed some libraries (libasound2t64, libmimalloc3): either will do.
    case $p in
        libasound2)    installed libasound2 || installed libasound2t64 || missing="$missing $p" ;;
        libmimalloc2.0) installed libmimalloc2.0 || installed libmimalloc3 || missing="$missing $p" ;;
        *) installed "$p" || missing="$missing $p" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then sudo=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo="sudo"
else
    echo "setup: please install:$missing   (sudo apt-get install$missing)" >&2
    exit 1
fi

echo "setup: installing$missing"
# Some tests start a server of their own; the one that Debian would start with its package is nobody's wish here.
case "$missing " in *" openssh-server "*)
    ! command -v systemctl >/dev/null 2>&1 || { $sudo systemctl mask ssh.service ssh.socket >/dev/null 2>&1 || true; }
    trap 'if command -v systemctl >/dev/null 2>&1; then
        $sudo systemctl unmask ssh.service ssh.socket >/dev/null 2>&1 || true
        $sudo systemctl disable ssh.service >/dev/null 2>&1 || true
    fi' EXIT ;;
esac
install() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; }
$sudo apt-get update -qq >/dev/null
# All at once where all are there; one by one where a release calls one otherwise or has it not.
if install $missing; then exit 0; fi
for p in $missing; do
    install "$p" ||
        case $p in
            libasound2)     install libasound2t64 ;;
            libmimalloc2.0) install libmimalloc3 ||
                            echo "setup: no mimalloc here; its benchmark column will be missing" ;;
            faust|supercollider-*|csound|puredata-*|jackd2|libjack-jackd2-dev|rt-tests|lttng-tools|liblttng-ust-dev)
                            echo "setup: no $p here; what is measured beside it will be missing" ;;
            *) echo "setup: could not install $p" >&2; exit 1 ;;
        esac
done
