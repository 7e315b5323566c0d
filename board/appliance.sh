#!/bin/sh
# Makes a Debian root directory an appliance's: read-only, without keys, passwords or an identity of its own, and without what nobody needs.
# Usage: board/appliance.sh ROOT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$1
cp -r --preserve=mode "$here/root/." "$root/"
chown -R 0:0 "$root/etc/fstab" "$root/etc/ssh" "$root/etc/systemd" "$root/usr/lib/ssphost"
chmod 755 "$root"/usr/lib/ssphost/*.sh
echo ssphost >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 ssphost\n::1 localhost\n' >"$root/etc/hosts"
# Empty: each start makes one. A file that says `uninitialized`, or none, would make each start the first.
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/default/ssh" "$root/var/lib/dbus/machine-id"
echo LANG=C.UTF-8 >"$root/etc/default/locale"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
chroot "$root" systemctl -q enable systemd-networkd.service
chroot "$root" systemctl -q disable systemd-networkd-wait-online.service remote-fs.target e2scrub_reap.service systemd-pstore.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
# Names are wanted by what uses the network, not by what plays: Debian's unit comes before everything else.
sed -e '/^Before=/d' -e '/^WantedBy=/s/=.*/=multi-user.target/' "$root/usr/lib/systemd/system/systemd-resolved.service" >"$root/etc/systemd/system/systemd-resolved.service"
rm -f "$root/etc/systemd/system/sysinit.target.wants/systemd-resolved.service"
chroot "$root" systemctl -q enable systemd-resolved.service
rm -f "$root/usr/lib/tmpfiles.d/dbus.conf" # a link to the same; D-Bus reads /etc/machine-id where there is none
# These want to write into a root that nobody can write, wait for what never comes, or serve people who sit before it and log in.
for unit in systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
    systemd-hwdb-update.service systemd-update-done.service ldconfig.service systemd-journal-catalog-update.service systemd-machine-id-commit.service \
    systemd-firstboot.service systemd-journal-flush.service systemd-random-seed.service systemd-pcrphase-sysinit.service systemd-pcrphase.service \
    systemd-repart.service systemd-logind.service systemd-ask-password-console.path systemd-ask-password-wall.path \
    getty@tty1.service getty-static.service serial-getty@.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
    sys-fs-fuse-connections.mount sys-kernel-config.mount kmod-static-nodes.service systemd-network-generator.service \
    alsa-restore.service systemd-fsckd.service systemd-fsckd.socket systemd-initctl.socket systemd-journald-audit.socket systemd-sysusers.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
rm -f "$root/etc/systemd/system/getty.target.wants/getty@tty1.service"
