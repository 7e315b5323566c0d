#!/bin/sh
# Builds the algorithms of tests/Peers, which our modules are measured beside, into artifacts/peers; names on standard output what it built.
# With --all also the programs that tests/SspHost.Peers runs (they are not named).
# A system without Faust, SuperCollider's headers and the like gets what it can; what is missing is said on standard error.
set -eu
cd "$(dirname "$0")/.."
out=artifacts/peers
here=tests/Peers
mkdir -p "$out"
if [ "$(uname -m)" = x86_64 ]; then ours=x86-64-v3; else ours=native; fi
compiler=${CXX:-g++}
flags="-std=c++17 -O3 -ffast-math -fPIC -shared -fvisibility=hidden -w"
command -v "$compiler" >/dev/null 2>&1 || { echo "peers: no $compiler: nothing to measure beside our modules" >&2; exit 0; }

# Nothing is built again that is newer than its sources.
fresh() { [ -e "$1" ] && [ -z "$(find "$here" "$0" -newer "$1" -type f | head -n 1)" ]; }

# Class NAME of so many voices of an algorithm; what has no input gets a pitch of its own in each voice.
translate() {
    if [ "$3" = 1 ]; then cp "$here/$2.dsp" "$out/voices.dsp"
    else echo "process = par(i, $3, component(\"$2.dsp\"));" >"$out/voices.dsp"; fi
    faust -lang cpp -I "$here" -cn "$1$3" "$out/voices.dsp" >>"$out/generated.h"
}

oscillate() {
    echo "process = par(i, $3, component(\"saw.dsp\").$2(i, 0));" >"$out/voices.dsp"
    faust -lang cpp -I "$here" -cn "$1$3" "$out/voices.dsp" >>"$out/generated.h"
}

faust_peer() {
    "$compiler" $flags -march="$1" -I "$out" -I "$here" -DPEER_MAKER="\"Faust, $1\"" "$here/peers.cpp" -o "$2"
}

if command -v faust >/dev/null 2>&1; then
    if ! fresh "$out/faust.so" || ! fresh "$out/faust-native.so"; then
        : >"$out/generated.h"
        for voices in 1 4; do
            translate Svf svf $voices
            translate SvfMoving svf-moving $voices
            translate Ladder ladder $voices
            translate LadderMoving ladder-moving $voices
            translate SawMoving saw-moving $voices
            translate SawCleanMoving saw-clean-moving $voices
            oscillate Saw plain $voices
            oscillate SawClean clean $voices
            translate Delay delay $voices
            translate Compressor compressor $voices
        done
        translate Fdn fdn 1
        faust_peer "$ours" "$out/faust.so"
        faust_peer native "$out/faust-native.so"
    fi
    echo "$out/faust.so"
    echo "$out/faust-native.so"
else
    echo "peers: no faust (Debian: faust): nothing of it is measured" >&2
fi

# Debian's plugins as they are; only the host around them is ours.
headers=/usr/include/SuperCollider
plugins=$(find /usr/lib -maxdepth 3 -path '*SuperCollider/plugins' -type d 2>/dev/null | head -n 1)
if [ -d "$headers/plugin_interface" ] && [ -n "$plugins" ]; then
    fresh "$out/supercollider.so" || "$compiler" -std=c++17 -O3 -fPIC -shared -fvisibility=hidden -w -I "$headers/plugin_interface" -I "$headers/common" -I "$here" \
        -DSC_PLUGINS="\"$plugins\"" "$here/sc-host.cpp" -ldl -o "$out/supercollider.so"
    echo "$out/supercollider.so"
else
    echo "peers: no SuperCollider (Debian: supercollider-server supercollider-dev): nothing of it is measured" >&2
fi

[ "${1:-}" = --all ] || exit 0

# A program in C, of what is behind it: sources and libraries.
program() {
    name=$1
    shift
    fresh "$out/$name" || "${CC:-gcc}" -std=gnu11 -O2 -Wall -Werror -I "$here" -o "$out/$name" "$@"
}

header() { echo "#include <$1>" | "${CC:-gcc}" -E -x c - >/dev/null 2>&1; }

program timed "$here/timed.c"
mkdir -p "$out/modules"
fresh "$out/modules/peers.so" || "${CC:-gcc}" -std=c11 -O3 -Wall -Werror -fPIC -shared -I dsp-modules/sdk "$here/modules.c" -o "$out/modules/peers.so"
if header jack/jack.h; then program jack-peer "$here/jack-peer.c" -ljack
else echo "peers: no headers of JACK (Debian: libjack-jackd2-dev): nothing of it is measured" >&2; fi
if header lttng/tracepoint.h; then program ust-event "$here/ust-event.c" -llttng-ust -ldl
else echo "peers: no headers of LTTng-UST (Debian: liblttng-ust-dev): nothing of it is measured" >&2; fi
