# Every state of the three marks, every thing that is done to them, cut after every step: what would start next.
# Usage: bash marks.bash REPOSITORY       Prints a line each: RUNS CONFIRMED TRY TRIED ACTION STEP GOOD -> FIRST, SECOND     (two starts in a row)
here=$(dirname "$0") repo=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$repo/deploy/systemd/slots.sh"
one() { : >"$boot/$1"; record; }
none() { rm "$boot/$1"; record; }
mark() { one "$1"; }
unmark() { none "$1"; }
record() { cp -r "$boot" "$work/step$((steps += 1))"; }
for runs in a b; do for c in a b; do for t in - t; do for d in - d; do for action in settle arm; do
    rm -rf "$work"/*
    boot=$work/boot steps=-1
    mkdir "$boot"
    [ $c = a ] || : >"$boot/slot-b"
    [ $t = - ] || : >"$boot/try"
    [ $d = - ] || : >"$boot/tried"
    if [ $action = arm ]; then steps=-100; settle $runs; rm -rf "$work"/step*; steps=-1; fi
    record
    if [ $action = arm ]; then arm; else settle $runs; fi
    other=$(other_of $runs)
    for step in $(seq 0 $steps); do for good in ab $runs; do
        cp -r "$work/step$step" "$work/now"
        first=$(bash "$here/boot-choice.bash" "$repo/board/boot.cmd" "$work/now" $good)
        second=$(bash "$here/boot-choice.bash" "$repo/board/boot.cmd" "$work/now" $good)
        rm -r "$work/now"
        echo "$runs,$c,$t,$d,$action,$step,$steps,$good,$first,$second"
    done; done
done; done; done; done; done
