# What ssp-deploy does on the target: a shell without any tool of ours, sent along with every call, so that no old copy of it can be in the way.
# Releases lie side by side; `current` and `previous` are links to two of them. A release is made of hard links to files that are there already
# and of what came over the network, is checked against its manifest, and is taken into use by renaming one link.
set -eu
umask 022
prefix=${SSP_PREFIX:-/data/deploy}
slot=${SSP_SLOT:-/opt/ssphost} # the system's own release, which plays where none was deployed
releases=$prefix/releases
unit=ssp.service
keep=3

say() { echo "$*"; }
fail() { echo "target: $*" >&2; exit 1; }
named() { [ ! -L "$prefix/$1" ] || basename "$(readlink "$prefix/$1")"; }

# The user whose host it is has his own runtime directory; the service's is known.
[ -n "${SSP_RUNTIME:-}" ] || [ ! -d /run/ssphost ] || SSP_RUNTIME=/run/ssphost
[ -z "${SSP_RUNTIME:-}" ] || export SSP_RUNTIME

# The release that is in use, and its tool.
used() { if [ -x "$prefix/current/bin/ssp" ]; then readlink -f "$prefix/current"; else echo "$slot"; fi; }
ssp() { "$(used)/bin/ssp" "$@"; }
status() { ssp status --json 2>/dev/null || true; }
field() { echo "$2" | sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1; }
served() { command -v systemctl >/dev/null 2>&1 && systemctl cat "$unit" >/dev/null 2>&1; }

# Every file of every release with its hash, computed: what has rotten on a card is sent again. What releases share is read once.
hashes() {
    find "$releases" "$slot/" -path "$releases/.*" -prune -o -type f ! -name MANIFEST -printf '%D:%i %p\n' 2>/dev/null | sort -u -k 1,1 |
        cut -d ' ' -f 2- | tr '\n' '\0' | xargs -0r sha256sum 2>/dev/null || true
}

# Prints what an upload can be made of: the architecture, and the hash of every file there is.
have() {
    uname -m
    hashes | cut -d ' ' -f 1 | sort -u
}

# Nobody else may change releases meanwhile. The lock ends with this shell; one whose connection was cut is given a moment for that.
alone() {
    mkdir -p "$releases" 2>/dev/null || fail "$releases cannot be made by $(id -un); is that the user the service runs as?"
    [ -w "$releases" ] || fail "$releases cannot be written by $(id -un); is that the user the service runs as?"
    [ -e "$prefix/.lock" ] || : >"$prefix/.lock"
    exec 9<"$prefix/.lock" # whoever made it, anybody can read it
    ! command -v flock >/dev/null 2>&1 || flock -w 5 9 || fail "somebody else deploys at this moment"
}

# Makes release $1 of the archive on standard input and of what other releases have.
unpack() {
    name=$1
    rm -rf "$releases"/.*.part "$releases"/.*.there # of uploads that broke off
    part=$releases/.$name.part
    mkdir "$part"
    trap 'rm -rf "$part" "$part.there"' EXIT
    trap 'exit 1' HUP INT TERM
    tar -C "$part" -xzf - 2>/dev/null || fail "the upload of $name broke off, or came over damaged"
    [ -f "$part/MANIFEST" ] || fail "the upload of $name has no manifest"
    hashes >"$part.there"
    while read -r hash path; do
        case $path in /*|*..*|'') fail "the manifest of $name names '$path'" ;; esac
        [ ! -e "$part/$path" ] || continue
        from=$(sed -n "s|^$hash  ||p" "$part.there" | head -n 1)
        [ -n "$from" ] || fail "$path ($hash) was not sent and no release has it"
        mkdir -p "$part/$(dirname "$path")"
        ln "$from" "$part/$path" 2>/dev/null || cp -p "$from" "$part/$path" # the system's own lie in another file system
    done <"$part/MANIFEST"
    (cd "$part" && sha256sum -c --quiet MANIFEST >/dev/null 2>&1) || fail "a file of $name is not what its manifest says"
    [ "$(id -u)" != 0 ] || chown -hR --reference="$releases" "$part"
    touch "$part"
    rm -rf "${releases:?}/$name"
    mv "$part" "$releases/$name"
    rm -f "$part.there"
    trap - EXIT
    sync -f "$releases" 2>/dev/null || sync
}

# Lets link $1 lead to release $2; to nothing where that is empty.
point() {
    if [ -z "$2" ]; then rm -f "$prefix/$1"; return; fi
    ln -sfn "releases/$2" "$prefix/.$1.new"
    mv -T "$prefix/.$1.new" "$prefix/$1"
}

# Starts what `current` is now; $1 is the release that plays until then, whose own tool ends it. Whoever may, asks systemd; the service's own user
# ends his process, and the unit starts the new one.
restart() {
    if served; then
        if [ "$(id -u)" = 0 ]; then systemctl reset-failed "$unit" 2>/dev/null || true; systemctl --no-block restart "$unit"
        elif sudo -n systemctl --no-block restart "$unit" 2>/dev/null; then :
        elif systemctl --quiet is-active "$unit"; then "$1/bin/ssp" stop >/dev/null 2>&1 || end
        elif [ "$(systemctl show -P ActiveState "$unit")" = activating ]; then : # it tries again by itself
        elif [ "$(systemctl show -P ActiveState ssp-failsafe.service)" = activating ]; then : # it waits for the lock, which we have let go
        else fail "$unit does not run, and $(id -un) may not start it"
        fi
    elif [ -n "${SSP_START:-}" ]; then # a bench without systemd says how
        "$1/bin/ssp" stop >/dev/null 2>&1 || true
        sh -c "$SSP_START" 9>&-
    else fail "there is no $unit to restart"
    fi
}

# A release whose tool does not work is ended by its process.
end() { kill "$(systemctl show -P MainPID "$unit")" 2>/dev/null || fail "the host that runs could not be ended"; }

# Waits until an engine other than process $1 plays, then for $2 seconds in which no frame is lost. 1 with a line where it does not.
clean() {
    old=$1 seconds=$2 tries=$((${SSP_PATIENCE:-30} * 2))
    while :; do
        s=$(status)
        pid=$(field enginePid "$s")
        [ "$(field state "$s")" = playing ] && [ -n "$pid" ] && [ "$pid" != "$old" ] && break
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { s=$(field state "$s"); say "it does not play after ${SSP_PATIENCE:-30} s (state: ${s:-none})"; return 1; }
        sleep 0.5
    done
    sleep 1 # the first blocks pay for what is touched for the first time
    answer; first=$(field dropouts "$s") quanta=$(field quanta "$s")
    sleep "$seconds"
    answer; last=$(field dropouts "$s")
    tries=10 # a report is up to a second old
    while [ "$(field quanta "$s")" = "$quanta" ] && [ $tries -gt 0 ]; do sleep 0.5; answer; tries=$((tries - 1)); done
    [ -n "$first" ] && [ -n "$last" ] || { say "it does not answer"; return 1; }
    [ "$(field enginePid "$s")" = "$pid" ] || { say "its engine ended"; return 1; }
    [ "$(field quanta "$s")" != "$quanta" ] || { say "its audio stands still"; return 1; }
    [ "$last" = "$first" ] || { say "$((last - first)) dropouts in $seconds s"; return 1; }
}

# Asks for $s until something is answered: a machine that has a lot to do may be slow to.
answer() {
    asked=0
    while s=$(status) && [ -z "$(field dropouts "$s")" ] && [ $asked -lt 10 ]; do sleep 0.5; asked=$((asked + 1)); done
}

# Takes release $1 into use, restarts, listens for $2 seconds; goes back to what was where it does not play well.
use() {
    before=$(named current) earlier=$(named previous) old=$(used)
    pid=$(field enginePid "$(status)")
    [ "$before" = "$1" ] || [ -z "$before" ] || point previous "$before"
    point current "$1"
    if why=$(restart "$old" 2>&1) && why=$(clean "${pid:-0}" "$2"); then
        say "$1 plays"
        return 0
    fi

    say "$1: $why"
    lines >&2
    old=$(used)
    pid=$(field enginePid "$(status)")
    point current "$before"
    point previous "$earlier"
    [ -n "$before" ] || [ -x "$slot/bin/ssp" ] || { say "there is no release before it"; return 1; }
    [ -n "$before" ] || before="the system's own release"
    SSP_PATIENCE=30 # whatever the new one was given
    [ "$(id -u)" = 0 ] || exec 9<&- # where the failsafe has to start the host for us, it waits until nobody deploys
    if why=$(restart "$old" 2>&1) && why=$(clean "${pid:-0}" 2); then say "$before plays again"; else say "$before: $why"; fi
    return 1
}

push() {
    [ "$(named current)" != "$1" ] || { cat >/dev/null; say "$1 runs here already"; return 0; }
    alone
    unpack "$1"
    use "$1" "$2" || return 1
    prune
}

# Goes back to the release before this one.
rollback() {
    to=$(named previous)
    [ -n "$to" ] && [ -d "$releases/$to" ] || fail "there is no release before this one"
    alone
    use "$to" "$1"
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

logs() {
    served || fail "there is no $unit, and so no journal of it"
    journalctl --no-pager -u "$unit" -n 200 "$@"
}

show() {
    for name in $(ls -1t "$releases" 2>/dev/null); do
        mark=""
        [ "$name" != "$(named current)" ] || mark=" (current)"
        [ "$name" != "$(named previous)" ] || mark=" (previous)"
        say "$name$mark"
    done
    [ -n "$(named current)" ] || say "the system's own release (current)"
    ssp status
}

have_kernels() { [ -f "$prefix/benchmarks/$1/MANIFEST" ]; }

# Makes benchmarks $1 of the archive on standard input; those before go.
take_kernels() {
    alone
    rm -rf "$prefix/benchmarks"
    part=$prefix/benchmarks/.part
    mkdir -p "$part"
    tar -C "$part" -xzf - 2>/dev/null && (cd "$part" && sha256sum -c --quiet MANIFEST >/dev/null 2>&1) ||
        { rm -rf "$part"; fail "the upload of $1 broke off, or came over damaged"; }
    mv "$part" "$prefix/benchmarks/$1"
}

# Runs benchmarks $1 with the other arguments; tables on standard error, the file of results on standard output.
kernels() {
    program=$prefix/benchmarks/$1/SspHost.Benchmarks
    shift
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    code=0
    (cd "$folder" && "$program" "$@" --out "$folder/kernels.json" >&2) || code=$?
    [ ! -f "$folder/kernels.json" ] || cat "$folder/kernels.json"
    return $code
}

# Packs a report and prints its bytes.
report() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    ssp report -o "$folder/report.tar.gz" >&2
    cat "$folder/report.tar.gz"
}
