#!/bin/sh
# Takes back what may be the cause, the likeliest first: a deployed release; then the patch that plays (kept beside, nothing is lost).
set -eu
deploy=/data/deploy state=/data/ssphost/state
if [ -L "$deploy/current" ]; then
    mv -T "$deploy/current" "$deploy/failed"
    echo "ssp: the deployed release $(readlink "$deploy/failed") does not run; the system's own is started"
elif [ -e "$state/journal" ]; then
    aside=$state/journal-$(date +%s)
    mv "$state/journal" "$aside"
    echo "ssp: it does not run with the patch as it was left; that is kept as $aside"
fi
