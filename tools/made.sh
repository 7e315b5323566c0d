# What is made once and made again when what it is made of has changed. Sourced by scripts; beside each thing lies THING.of with the hash of that.

# Prints one hash of files, directories and words.
hash_of() {
    for item in "$@"; do
        if [ -e "$item" ]; then find "$item" -type f -o -type l | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum; else echo "$item"; fi
    done | sha256sum | cut -c 1-24
}

# Whether $1 was made of what hashes to $2; if not, it is taken away.
fresh() { if [ -e "$1" ] && [ "$(cat "$1.of" 2>/dev/null)" = "$2" ]; then return 0; fi; rm -rf --one-file-system "$1" "$1.of"; return 1; }
made() { echo "$2" >"$1.of"; }
