#!/bin/sh
# What a Debian becomes a target by: users, units, rules, a read-only root. Run on a root directory by the image, or as root on a board that runs.
# Usage: deploy/install-system.sh ROOT   (ROOT: a directory, or / )
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=${1%/}
in_root() { if [ -z "$root" ]; then "$@"; else chroot "$root" "$@"; fi; }
put() { install -D -m "$1" "$2" "$root$3"; }
put 644 "$here/sysusers.conf" /usr/lib/sysusers.d/ssp.conf
put 644 "$here/tmpfiles.conf" /usr/lib/tmpfiles.d/ssp.conf
put 644 "$here/modules-load.conf" /usr/lib/modules-load.d/ssp.conf
put 644 "$here/ssp.json" /etc/ssphost/ssp.json
for unit in "$here"/systemd/*.service "$here"/systemd/*.path "$here"/systemd/*.timer "$here"/systemd/*.mount; do
    [ ! -f "$unit" ] || put 644 "$unit" "/etc/systemd/system/$(basename "$unit")"
done
for script in "$here"/systemd/*.sh; do
    [ ! -f "$script" ] || put 755 "$script" "/usr/lib/ssphost/$(basename "$script")"
done
put 755 "$here/systemd/ssp-data-generator" /usr/lib/systemd/system-generators/ssp-data-generator
for rules in "$here"/udev/*.rules; do put 644 "$rules" "/etc/udev/rules.d/$(basename "$rules")"; done
in_root systemd-sysusers
mkdir -p "$root/data" "$root/opt/ssphost"
in_root systemctl enable ssp.service ssp-update.path ssp-trial.timer
