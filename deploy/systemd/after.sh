#!/bin/sh
# After the host ended. The engine plays on by itself until the host is there again; but one that does not play although it should, be it stopped or
# stuck, would be found again and again by every host that comes. So where the watchdog ended the host, the engine has to show that it counts quanta.
set -eu
[ "${SERVICE_RESULT:-}" = watchdog ] || exit 0
for release in /data/deploy/current /opt/ssphost; do
    [ -x "$release/bin/ssp" ] && break
done
look() { timeout 2 "$release/bin/ssp" status --json 2>/dev/null | tr -d ' \n'; }
frames() { echo "$1" | sed -n 's/.*"frames":\([0-9]*\).*/\1/p'; }
before=$(look)
case $before in *'"state":"playing"'*) ;; '') ;; *) exit 0 ;; esac
sleep 0.3
[ "$(frames "$before")" = "$(frames "$(look)")" ] || exit 0
engine=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$SSP_RUNTIME/engine.json")
[ -n "$engine" ] && kill -KILL "$engine" && echo "ssp: the engine ($engine) did not play on and was ended"
