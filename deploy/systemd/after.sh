#!/bin/sh
# After the host ended. Its engine plays on by itself until the host is there again. Not so an engine that nobody can find any more (it would keep the
# card), and one that does not play although it should, be it stopped or stuck: where the watchdog ended the host, it has to show that it goes on.
set -eu
[ "${SERVICE_RESULT:-success}" != success ] || exit 0
for release in /data/deploy/current /opt/ssphost; do
    [ -x "$release/bin/ssp" ] && break
done
look() { timeout 2 "$release/bin/ssp" status --json 2>/dev/null | tr -d ' \n'; }
frames() { echo "$1" | sed -n 's/.*"frames":\([0-9]*\).*/\1/p'; }
keep=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$SSP_RUNTIME/engine.json" 2>/dev/null || true)
if [ "$SERVICE_RESULT" = watchdog ] && [ -n "$keep" ]; then
    before=$(look) || true
    sleep 0.3
    case $before in
        *'"state":"playing"'* | '') [ "$(frames "$before")" != "$(frames "$(look)")" ] || keep= ;;
    esac
fi
read -r group </proc/self/cgroup
for pid in $(cat "/sys/fs/cgroup${group#0::}/cgroup.procs"); do
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = ssp-engine ] || continue
    [ "$pid" != "$keep" ] || continue
    kill -KILL "$pid" && echo "ssp: engine $pid did not play on and was ended"
done
