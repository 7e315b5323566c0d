#!/bin/sh
# Writes the slot that does not run, confirms the one that does, goes back to the one before: what `ssp update` needs root for.
# The host's user asks by a file with one word in it (ssp-update.path starts this), and reads the answer in a file that only root writes.
#   install    takes incoming.update beside the request, and lets it be tried at the next start
#   confirm    the slot that runs is what starts from now on
#   rollback   lets the slot before be tried at the next start
#   restart    starts the machine again
#   expire     (asked by ssp-trial.timer) starts it again where a trial has not been confirmed
# What the user asks for is read with his rights and no more than so many bytes of it: a link, a pipe or a device in its place leads nowhere that he
# could not go himself. Of an update file nothing is looked into before its signature is verified, and nothing is unpacked before its hash is.
set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=$(cd "$(dirname "$0")" && pwd)
. "$here/slots.sh"
# A directory in place of the disk, with files 2 and 3 as slots, and other places for the rest: for a bench.
data=${SSP_UPDATE_DATA:-/data} etc=${SSP_UPDATE_ETC:-/etc/ssphost} kernel=${SSP_UPDATE_CMDLINE:-/proc/cmdline} disk=${SSP_UPDATE_DISK:-}
player=${SSP_UPDATE_USER:-ssp}
inbox=$data/deploy/update own=$data/update
mib=1048576 header=1024 word=17 signature=101

work=$(mktemp -d)
boot= said=
finish() {
    code=$?
    trap - EXIT
    [ $code = 0 ] || [ -n "$said" ] || state failed 0 "it was interrupted" || true
    leave_boot || true
    rm -rf "$work"
    exit $code
}
trap finish EXIT
trap 'exit 1' TERM INT

# With the rights of user $1, who is no more here than he is elsewhere.
as() {
    user=$1
    shift
    if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --no-new-privs -- "$@"; else "$@"; fi
}
player() { as "$player" "$@"; }

# The answer: what is going on, or what became of it; a line each. Whole at any moment.
state() {
    mkdir -p "$own"
    boot_id=$(cat /proc/sys/kernel/random/boot_id)
    printf 'state=%s\npercent=%s\nname=%s\nversion=%s\nboot=%s\nreason=%s\n' "$1" "${2:-0}" "${name:-}" "${version:-}" "$boot_id" "${3:-}" >"$own/status.new"
    mv "$own/status.new" "$own/status"
}
fail() {
    echo "update: $*" >&2
    said=yes
    state failed 0 "$*"
    exit 1
}

# Which slot runs, and where the four partitions are: on the disk that the boot loader names, whatever other disks there are.
locate() {
    slot= named=
    read -r line <"$kernel" || true
    for item in $line; do
        case $item in ssp.slot=*) slot=${item#ssp.slot=} ;; ssp.data=*) named=${item#ssp.data=} ;; esac
    done
    case $slot in a) number=3 ;; b) number=2 ;; *) fail "this system was not started from a slot" ;; esac
    if [ -n "$disk" ]; then
        boot_part=$disk/1 other=$disk/$number
        return
    fi
    case $named in PARTUUID=*) named=/dev/disk/by-partuuid/$(echo "${named#PARTUUID=}" | tr A-F a-f) ;; esac
    whole=$(dirname "$(readlink -f "/sys/class/block/$(basename "$(readlink -f "$named")")")")
    boot_part= other=
    for partition in "$whole"/*/partition; do
        read -r n <"$partition"
        device=/dev/$(basename "$(dirname "$partition")")
        [ "$n" != 1 ] || boot_part=$device
        [ "$n" != "$number" ] || other=$device
    done
    [ -b "$boot_part" ] && [ -b "$other" ] || fail "the disk this system was started from has not the partitions of one"
}

# The boot partition is there for as long as marks are looked at or made, and no longer.
enter_boot() {
    if [ -d "$boot_part" ]; then boot=$boot_part; return; fi
    mkdir -p "$work/boot"
    tries=0
    until mount -t vfat -o sync,dirsync,nosuid,nodev,noexec,shortname=winnt "$boot_part" "$work/boot" 2>"$work/why"; do
        tries=$((tries + 1))
        [ $tries -lt 20 ] || fail "the boot partition cannot be mounted: $(head -n 1 "$work/why")"
        sleep 0.5
    done
    boot=$work/boot
}
leave_boot() {
    [ "$boot" != "$work/boot" ] || umount "$boot"
    boot=
}

value() { sed -n "s/^$1=//p" "$2" 2>/dev/null | head -n 1; }
is_number() { case $1 in ''|*[!0-9]*|????????????????*) false ;; esac; }
is_name() { case $1 in ''|*[!A-Za-z0-9._+-]*) false ;; *) [ ${#1} -le 96 ] ;; esac; }
architecture() { uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/'; }
length() { if [ -b "$1" ]; then blockdev --getsize64 "$1"; else stat -c %s "$1"; fi; }
# Reads from the medium itself where there is one: what was written, not what is remembered.
back() { if [ -b "$1" ]; then dd if="$1" bs=$mib skip="$2" count="$3" iflag=direct status=none; else dd if="$1" bs=$mib skip="$2" count="$3" status=none; fi; }

# The packed image, as the user may read it, and not a byte more than the manifest says and one.
packed() { player tail -c +$((header + 1)) -- "$file" | head -c $((packed + 1)); }

# Looks at the file: the signature first, then what it is, whom it is for, and whether all of it is there.
check() {
    file=$inbox/incoming.update
    player timeout 30 head -c $header -- "$file" >"$work/header" 2>/dev/null || fail "there is no update file to install"
    [ "$(stat -c %s "$work/header")" = $header ] || fail "this is no update file: it is too short"
    printf 'ssphost-update 1\n' >"$work/word"
    head -c $word "$work/header" | cmp -s - "$work/word" || fail "this is no update file"
    { echo "untrusted comment: update"; tail -c +$((word + 1)) "$work/header" | head -c $signature; } >"$work/signature"
    tail -c +$((word + signature + 1)) "$work/header" >"$work/manifest"
    [ -f "$etc/update.pub" ] || fail "this system has no key ($etc/update.pub) to check updates with"
    signify-openbsd -V -q -p "$etc/update.pub" -x "$work/signature" -m "$work/manifest" 2>/dev/null || fail "the signature is not that of this system's makers, or the file was changed"

    name=$(value name "$work/manifest") version=$(value version "$work/manifest") serial=$(value serial "$work/manifest")
    size=$(value size "$work/manifest") packed=$(value packed "$work/manifest")
    sha256=$(value sha256 "$work/manifest") packed_sha256=$(value packed-sha256 "$work/manifest")
    is_name "$name" && is_name "$version" && is_number "$serial" && is_number "$size" && is_number "$packed" || fail "its manifest is not one"
    for_arch=$(value arch "$work/manifest") for_board=$(value board "$work/manifest") board=$(value board "$etc/system")
    [ "$for_arch" = "$(architecture)" ] || fail "$name is for $for_arch, this is $(architecture)"
    [ "$for_board" = "$board" ] || fail "$name is for board '$for_board', this is '$board'"
    own_serial=$(value serial "$etc/system")
    is_number "$own_serial" || own_serial=0
    [ "$serial" -ge "$own_serial" ] || fail "$name is older than what runs; ssp update --rollback goes back to the version before"
    room=$(length "$other")
    [ $((size % mib)) = 0 ] && [ "$size" -ge $mib ] && [ "$size" -le "$room" ] ||
        fail "not enough space: $name has an image of $((size / mib)) MiB, a slot here has $((room / mib)) MiB"

    state checking
    there=$(player stat -L -c %s -- "$file") || fail "there is no update file to install"
    [ "$there" -ge $((header + packed)) ] || fail "the update file is cut off: $there of $((header + packed)) bytes"
    [ "$there" = $((header + packed)) ] || fail "the update file is longer than it says"
    [ "$(packed | sha256sum | cut -c 1-64)" = "$packed_sha256" ] || fail "the update file was changed or is damaged"
}

# Standard input onto the slot, from its second MiB on; the first is kept beside.
pour() {
    dd of="$work/first" bs=$mib count=1 iflag=fullblock status=none
    at=1 step=16
    while [ $at -lt $count ]; do
        [ $((count - at)) -ge $step ] || step=$((count - at))
        dd of="$other" bs=$mib seek=$at count=$step iflag=fullblock conv=notrunc status=none
        at=$((at + step))
        state writing $((at * 90 / count))
    done
}

# A file system without its first MiB is none: a slot is complete from the moment on that this is written, which is the last moment.
write() {
    count=$((size / mib))
    rm -f "$own/played-$(other_of "$slot")"
    sync "$own"
    state writing
    dd if=/dev/zero of="$other" bs=$mib count=1 conv=notrunc,fsync status=none
    # Unpacked by nobody: a fault in that reaches nothing.
    packed | as nobody zstd -dcq 2>/dev/null | head -c "$size" | pour || fail "the slot cannot be written"
    sync "$other"
    state verifying 90
    [ "$({ cat "$work/first"; back "$other" 1 $((count - 1)); } | sha256sum | cut -c 1-64)" = "$sha256" ] || fail "what was written to the slot is not what reads back: is the card worn out?"
    dd if="$work/first" of="$other" bs=$mib count=1 conv=notrunc,fsync status=none
    back "$other" 0 1 | cmp -s - "$work/first" || fail "what was written to the slot is not what reads back: is the card worn out?"
}

install() {
    enter_boot
    if on_trial "$slot"; then fail "this version is on trial itself: it is confirmed once it has played for some seconds"; fi
    leave_boot
    check
    enter_boot
    settle "$slot" || fail "the boot partition cannot be written"
    leave_boot
    # It runs: it can be gone back to.
    keep "$slot"
    write
    enter_boot
    arm || fail "the boot partition cannot be written"
    leave_boot
    player rm -rf -- "$file"
    state installed 100
    echo "update: $name is in the other slot and is tried at the next start"
}

# Notes that slot $1, which runs, is one to go back to.
keep() {
    mkdir -p "$own"
    if [ -f "$etc/system" ]; then cp "$etc/system" "$own/played.new"; else : >"$own/played.new"; fi
    sync "$own/played.new"
    mv "$own/played.new" "$own/played-$1"
    sync "$own"
}

confirm() {
    name=$(value name "$etc/system") version=$(value version "$etc/system")
    enter_boot
    on_trial "$slot" || return 0
    keep "$slot"
    # A release deployed onto the version before is not what was tried, and does not go before what was; it can be gone back to.
    [ ! -L "$data/deploy/current" ] || player mv -T -- "$data/deploy/current" "$data/deploy/previous" || true
    settle "$slot" || fail "the boot partition cannot be written"
    leave_boot
    state confirmed 100
    echo "update: slot $slot is confirmed"
}

rollback() {
    before=$own/played-$(other_of "$slot")
    enter_boot
    if on_trial "$slot"; then
        # It was not kept yet: the next start is the version before without any more ado.
        settle "$(confirmed)" || fail "the boot partition cannot be written"
    else
        [ -f "$before" ] || fail "there is no version before this one"
        settle "$slot" && keep "$slot" && arm || fail "the boot partition cannot be written"
    fi
    leave_boot
    name=$(value name "$before") version=$(value version "$before")
    state installed 100
}

expire() {
    enter_boot
    if on_trial "$slot"; then ask_restart "slot $slot has not played within its time"; fi
}

ask_restart() {
    leave_boot
    echo "update: $1: restart"
    sync
    ${SSP_UPDATE_RESTART:-systemctl --no-block reboot}
}

case ${1:-} in
    expire) asked=expire ;;
    '')
        asked=$(player timeout 10 head -c 32 -- "$inbox/request" 2>/dev/null | tr -cd 'a-z') || true
        player rm -rf -- "$inbox/request" || true ;;
    *) echo "update: expected nothing, or expire, not '$1'" >&2; exit 2 ;;
esac
case $asked in
    install|confirm|rollback|expire) locate; $asked ;;
    restart) ask_restart "asked for" ;;
    *) echo "update: there is no request '$asked'" >&2; exit 1 ;;
esac
