#!/bin/sh
# Takes back what may be the cause of the falls, the likeliest first: a deployed release; then the patch that plays (kept beside, nothing is lost).
# Usage: failsafe.sh needed     waits until nobody deploys, and says by its exit code whether the host is still down
#        failsafe.sh            takes back
set -eu
deploy=/data/deploy state=/data/ssphost/state
fell=$(cat /data/ssphost/started 2>/dev/null || true)
if [ "${1:-}" = needed ]; then
    # Who deploys what falls takes it back himself. Once that is done (`current` is another one), and where nobody deploys, it is up to us.
    if [ "$fell" = "$(readlink -f $deploy/current)" ] && [ -e $deploy/.lock ]; then flock $deploy/.lock true; fi
    case $(systemctl show -P ActiveState ssp.service) in active | activating | reloading) exit 1 ;; esac
    exit 0
fi
if [ -L $deploy/current ] && [ "$fell" = "$(readlink -f $deploy/current)" ]; then
    mv -T $deploy/current $deploy/failed
    echo "ssp: the deployed release $(readlink $deploy/failed) does not run; the system's own is started"
elif [ "$fell" != /opt/ssphost ] && [ -e "$fell" ]; then
    echo "ssp: $fell does not run and is not in use any more"
elif grep -q ' ssp.trial=1' /proc/cmdline; then
    echo "ssp: the system on trial does not play; its trial ends by itself"
elif [ -e $state/journal ]; then
    aside=$state/journal-$(date +%s)
    mv $state/journal "$aside"
    echo "ssp: it does not run with the patch as it was left; that is kept as $aside"
fi
