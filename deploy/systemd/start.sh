#!/bin/sh
# Starts the host: the release that was deployed last, else the one that came with the system. What was deployed lies on the data partition, because
# the root is read-only; a system update or the failsafe takes `current` away, and the system's own plays again.
# The settings come with the system; the panel's Settings page changes the player's copy.
[ -e "$SSP_CONFIG" ] || cp /etc/ssphost/ssp.json "$SSP_CONFIG"
releases="/data/deploy/current /opt/ssphost"
# A slot on trial is tried with what came with it.
! grep -q ' ssp.trial=1' /proc/cmdline || releases=/opt/ssphost
for release in $releases; do
    [ -x "$release/bin/ssp" ] || continue
    # Where it falls again and again, the failsafe has to know which one that was; `current` may be another one by then.
    at=$(readlink -f "$release") note=/data/ssphost/started
    [ "$(cat $note 2>/dev/null)" = "$at" ] || { echo "$at" >$note.new && mv $note.new $note; } || true
    exec "$release/bin/ssp" run "$@"
done
echo "ssp: there is no release, neither in /data/deploy/current nor in /opt/ssphost" >&2
exit 1
