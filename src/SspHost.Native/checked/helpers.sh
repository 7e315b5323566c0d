#!/bin/sh
# Which of the runtime's helpers an image of ILC's refers to must be wrapped: linker arguments, one a line, into a file.
# Usage: helpers.sh OBJECT LIBRARY RESPONSE_FILE. Fails where an allocation helper has no wrapper in the library.
set -eu
object=$1
library=$2
out=$3

# Names that look like an allocation and are none.
counters="RhGetAllocatedBytesForCurrentThread RhGetTotalAllocatedBytes RhGetTotalAllocatedBytesPrecise RhGetGcCollectionCount"

wrappers=" $(nm --defined-only "$library" 2>/dev/null | sed -n 's/.* T __wrap_\(.*\)/\1/p' | tr '\n' ' ')"
referred=$(nm --undefined-only "$object" | sed -n 's/^ *U \(Rh[A-Za-z0-9_]*\)$/\1/p' | grep -E 'New|Alloc|Collect|Throw|Rethrow' || true)
[ -n "$referred" ] || { echo "error: $object refers to no allocation helper at all: the runtime names them in a way this script does not know" >&2; exit 1; }
work=$out.$$
trap 'rm -f "$work"' EXIT
: >"$work"
status=0
for helper in $referred; do # the wrappers' references are weak ones, which take nothing out of a library: that is what --undefined is for
    case " $counters " in *" $helper "*) continue ;; esac
    case "$wrappers" in
        *" $helper "*) echo "-Wl,--wrap=$helper,--undefined=$helper" >>"$work" ;;
        *) echo "error: the runtime helper $helper has no wrapper in src/SspHost.Native/checked/wraps.S: add one, or name it in helpers.sh with those that do not allocate" >&2
           status=1 ;;
    esac
done
[ $status = 0 ] || exit 1
mv "$work" "$out"
