# What stands on the boot partition about slots, and the order in which it is changed. Sourced by update.sh, and by the tests that cut it anywhere.
#
# Three empty files; board/boot.cmd reads them and writes the third:
#   /slot-b   slot b is the confirmed one; without it slot a is
#   /try      the other slot is to be tried once
#   /tried    that trial was begun. With /try it means: start the confirmed slot
#
# Why a cut at any point is harmless. Each step makes or removes one empty file, which is one directory entry in one sector: it happens or it does
# not. With C the confirmed slot, t /try and d /tried, a start leads to the other slot in the state C,t,- only, and to C in all others.
#   settle X  (X runs and shall be what starts):
#     1. C,t,- -> C,t,d   where a trial waits it is called off first: after step 2 "the other slot" would be another one. Starts C
#     2. C,?,? -> X,?,?   by now C,t,- is impossible, so this starts C before and X after; both are complete: X runs, C was confirmed
#     3. X,t,d -> X,-,d   starts X. This before step 4: X,t,- would start the other slot
#     4. X,-,d -> X,-,-   starts X
#   arm  (the other slot is complete, and X,-,- was settled):
#     1. X,-,- -> X,t,-   starts X before; after it the other slot once, and X again where that is not confirmed
# A slot is written only between settle and arm: while it is not complete every start leads to X.

marked() { [ -e "$boot/$1" ]; }
mark() { : >"$boot/$1" && sync "$boot/$1"; }
unmark() { rm "$boot/$1" && sync "$boot"; }

confirmed() { if marked slot-b; then echo b; else echo a; fi; }
other_of() { if [ "$1" = a ]; then echo b; else echo a; fi; }

# Whether slot $1, which runs, was started for trial and has not been confirmed.
on_trial() { marked try && marked tried && [ "$(confirmed)" != "$1" ]; }

settle() {
    if marked try && ! marked tried; then mark tried || return; fi
    if [ "$1" != "$(confirmed)" ]; then
        if [ "$1" = b ]; then mark slot-b || return; else unmark slot-b || return; fi
    fi
    if marked try; then unmark try || return; fi
    if marked tried; then unmark tried || return; fi
}

arm() { mark try; }
