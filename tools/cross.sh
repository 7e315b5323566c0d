#!/bin/sh
# Builds a target's bundle in a container, by whichever engine is there. Usage: tools/cross.sh RID [OUT]
# $SSP_BENCHMARKS: anything, for the benchmarks as well. $SSP_CONTAINER: docker, podman or buildah.
# $SSP_BASE, $SSP_SDK: other images than those in Dockerfile.cross. $SSP_CA: certificates of a proxy.
set -eu
cd "$(dirname "$0")/.."
rid=$1
out=${2:-artifacts/bundle}
case $rid in linux-x64|linux-arm64) ;; *) echo "cross: linux-arm64 or linux-x64, not '$rid'" >&2; exit 2 ;; esac
engine=${SSP_CONTAINER:-}
if [ -z "$engine" ]; then
    if docker version >/dev/null 2>&1; then engine=docker # its client alone is of no use
    elif command -v podman >/dev/null; then engine=podman
    elif command -v buildah >/dev/null; then engine=buildah
    else echo "cross: docker (with its service running), podman or buildah is needed" >&2; exit 1
    fi
fi
commit=${SSP_COMMIT:-}
if [ -z "$commit" ]; then
    commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
    [ -z "$(git status --porcelain 2>/dev/null | head -n 1)" ] || commit=$commit-changed
fi
set -- -f Dockerfile.cross --build-arg RID="$rid" --build-arg COMMIT="$commit"
[ -z "${SSP_BASE:-}" ] || set -- "$@" --build-arg BASE="$SSP_BASE"
[ -z "${SSP_SDK:-}" ] || set -- "$@" --build-arg SDK="$SSP_SDK"
[ -z "${NUGET_CERT_REVOCATION_MODE:-}" ] || set -- "$@" --build-arg NUGET_CERT_REVOCATION_MODE="$NUGET_CERT_REVOCATION_MODE"
[ -z "${SSP_BENCHMARKS:-}" ] || set -- "$@" --build-arg BENCHMARKS=1
[ -z "${SSP_AGAIN:-}" ] || set -- "$@" --build-arg AGAIN="$SSP_AGAIN"
nuget=~/.nuget/NuGet/NuGet.Config
[ ! -s $nuget ] || set -- "$@" --secret id=nuget,src=$nuget
[ -z "${SSP_CA:-}" ] || set -- "$@" --secret id=ca,src="$SSP_CA"
mkdir -p "$out"
case $engine in
    docker) DOCKER_BUILDKIT=1 docker build "$@" --output type=local,dest="$out" . ;;
    podman) podman build "$@" --output type=local,dest="$out" . ;;
    buildah) buildah bud --layers "$@" --output type=local,dest="$out" . ;;
    *) echo "cross: docker, podman or buildah, not '$engine'" >&2; exit 2 ;;
esac
