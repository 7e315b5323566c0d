# What ssp-deploy does on the target: a shell without any tool of ours, sent along with every call, so that no old copy of it can be in the way.
# Releases lie side by side; `current` and `previous` are links to two of them. A release is made of hard links to files that are there already
# and of what came over the network, is checked against its manifest, and is taken into use by renaming one link.
set -eu
umask 022
prefix=${SSP_PREFIX:-/data/deploy}
releases=$prefix/releases
unit=ssp.service
keep=3

say() { echo "$*"; }
fail() { echo "target: $*" >&2; exit 1; }
named() { [ -L "$prefix/$1" ] && basename "$(readlink "$prefix/$1")" || true; }

# The user whose host it is: his runtime directory is asked, and whether he may restart the unit decides how that is done.
runtime() {
    [ -n "${SSP_RUNTIME:-}" ] || { [ -d /run/ssphost ] && SSP_RUNTIME=/run/ssphost; } || true
    [ -z "${SSP_RUNTIME:-}" ] || export SSP_RUNTIME
}

ssp() { runtime; "$prefix/current/bin/ssp" "$@"; }
status() { ssp status --json 2>/dev/null || true; }
field() { echo "$2" | grep -o "\"$1\":[^,}]*" | head -n 1 | sed 's/^[^:]*://; s/"//g'; }
served() { command -v systemctl >/dev/null 2>&1 && systemctl cat "$unit" >/dev/null 2>&1; }

# Prints what an upload can be made of: the architecture, the releases, and the hash of every file there is.
have() {
    uname -m
    named current
    cat "$releases"/*/MANIFEST 2>/dev/null | cut -d ' ' -f 1 | sort -u
}

# Makes release $1 of the archive on standard input and of what other releases have.
unpack() {
    name=$1
    mkdir -p "$releases" || fail "$releases cannot be made: is $(id -un) the user the service runs as?"
    [ -w "$releases" ] || fail "$releases cannot be written by $(id -un)"
    part=$releases/.$name.part
    rm -rf "$part"
    mkdir "$part"
    trap 'rm -rf "$part"' EXIT
    tar -C "$part" -xzf - || fail "the upload of $name broke off"
    [ -f "$part/MANIFEST" ] || fail "the upload of $name has no manifest"
    there=$part/.there
    for release in "$releases"/*/; do
        [ -f "$release/MANIFEST" ] && sed "s|^\([0-9a-f]*\)  |\1 $release|" "$release/MANIFEST"
    done 2>/dev/null | sort -u -k 1,1 >"$there" || true
    while read -r hash path; do
        case $path in /*|*..*|'') fail "the manifest of $name names $path" ;; esac
        [ -e "$part/$path" ] && continue
        from=$(sed -n "s|^$hash ||p" "$there" | head -n 1)
        [ -n "$from" ] || fail "$path ($hash) was not sent and no release has it"
        mkdir -p "$part/$(dirname "$path")"
        ln "$from" "$part/$path"
    done <"$part/MANIFEST"
    rm -f "$there"
    (cd "$part" && sha256sum -c --quiet MANIFEST >/dev/null) || fail "a file of $name is not what its manifest says"
    rm -rf "${releases:?}/$name"
    mv "$part" "$releases/$name"
    trap - EXIT
    sync -f "$releases" 2>/dev/null || sync
}

point() {
    ln -sfn "releases/$2" "$prefix/.$1.new"
    mv -T "$prefix/.$1.new" "$prefix/$1"
}

# Takes release $1 into use.
use() {
    before=$(named current)
    [ "$before" = "$1" ] || [ -z "$before" ] || point previous "$before"
    point current "$1"
}

# Starts what `current` is now. Whoever may, asks systemd; the service's own user ends the old one, and the unit starts the new.
restart() {
    if served; then
        if [ "$(id -u)" = 0 ]; then systemctl reset-failed "$unit" 2>/dev/null || true; systemctl --no-block restart "$unit"
        elif sudo -n systemctl --no-block restart "$unit" 2>/dev/null; then :
        elif systemctl --quiet is-active "$unit"; then ssp stop >/dev/null || fail "the host that runs could not be stopped"
        else fail "$unit does not run, and $(id -un) may not start it"
        fi
    elif [ -n "${SSP_START:-}" ]; then # a bench without systemd says how
        ssp stop >/dev/null 2>&1 || true
        sh -c "$SSP_START"
    else fail "there is no $unit to restart"
    fi
}

# Waits until an engine other than process $1 plays, then for $2 seconds in which no frame is lost. 1 with a line where it does not.
clean() {
    old=$1 seconds=$2 tries=0
    while :; do
        s=$(status)
        pid=$(field enginePid "$s")
        [ "$(field state "$s")" = playing ] && [ -n "$pid" ] && [ "$pid" != "$old" ] && break
        tries=$((tries + 1))
        [ $tries -lt 60 ] || { say "it does not play after 30 s (state: $(field state "$s"))"; return 1; }
        sleep 0.5
    done
    sleep 1 # the first blocks pay for what is touched for the first time
    s=$(status) first=$(field dropouts "$s") quanta=$(field quanta "$s")
    sleep "$seconds"
    s=$(status)
    [ "$(field enginePid "$s")" = "$pid" ] || { say "its engine ended"; return 1; }
    [ "$(field quanta "$s")" != "$quanta" ] || { say "its audio stands still"; return 1; }
    [ "$(field dropouts "$s")" = "$first" ] || { say "$(($(field dropouts "$s") - first)) dropouts in $seconds s"; return 1; }
}

# Unpacks, switches, restarts, listens; goes back where it does not play. $1: release; $2: seconds to listen.
push() {
    name=$1
    [ "$(named current)" != "$name" ] || [ "${3:-}" = again ] || { cat >/dev/null; say "$name runs here already"; return 0; }
    before=$(named current)
    unpack "$name"
    pid=$(field enginePid "$(status)")
    use "$name"
    if why=$(restart 2>&1) && why=$(clean "${pid:-0}" "$2"); then
        say "$name plays"
        prune
        return 0
    fi

    say "$name: $why"
    lines >&2
    if [ -n "$before" ]; then
        pid=$(field enginePid "$(status)")
        point current "$before"
        rm -f "$prefix/previous"
        restart
        if why=$(clean "${pid:-0}" 2); then say "$before plays again"; else say "$before: $why"; fi
    fi
    return 1
}

# Goes back to the release before this one.
rollback() {
    to=$(named previous)
    [ -n "$to" ] && [ -d "$releases/$to" ] || fail "there is no release before $(named current)"
    pid=$(field enginePid "$(status)")
    use "$to"
    restart
    why=$(clean "${pid:-0}" "$1") || fail "$to: $why"
    say "$to plays"
}

# Keeps the newest releases, and those in use whatever their age.
prune() {
    kept=0
    ls -1t "$releases" | while read -r name; do
        kept=$((kept + 1))
        [ "$name" = "$(named current)" ] || [ "$name" = "$(named previous)" ] || [ $kept -le $keep ] || rm -rf "${releases:?}/$name"
    done
}

lines() { journalctl --no-pager -q -n 20 -u "$unit" 2>/dev/null || true; }

show() {
    for name in $(ls -1t "$releases" 2>/dev/null); do
        mark=""
        [ "$name" != "$(named current)" ] || mark=" (current)"
        [ "$name" != "$(named previous)" ] || mark=" (previous)"
        say "$name$mark"
    done
    ssp status
}

# Packs a report and prints its bytes.
report_to_stdout() {
    file=$(mktemp -d)/report.tar.gz
    trap 'rm -rf "$(dirname "$file")"' EXIT
    ssp report -o "$file" >&2
    cat "$file"
}
