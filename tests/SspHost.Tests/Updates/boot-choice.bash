# board/boot.cmd as it is, run by bash over a directory in place of the boot partition: U-Boot's shell speaks nearly the same language.
# Usage: bash boot-choice.bash BOOT.CMD BOOT-DIR GOOD      (GOOD: the slots whose files load, ab, a, b or -)      Prints `SLOT`, `SLOT trial` or `none`
fat=$2 good=$3
setenv() { local name=$1; shift; printf -v "$name" %s "$*"; }
test() { if [ "$1" = -e ]; then [ -e "$fat$4" ]; else [ "$@" ]; fi; }
mw.b() { :; }
fatwrite() { : >"$fat$4"; }
part() { :; }
env() { :; }
load() {
    case $4 in */board.dtb) return 1 ;; esac
    case $2 in *:2) [[ $good = *a* ]] ;; *:3) [[ $good = *b* ]] ;; *) return 1 ;; esac
}
booti() {
    case $bootargs in *ssp.slot=$s*) ;; *) exec >&2; exit 1 ;; esac
    case $bootargs in *ssp.trial=1*) printf '%s trial\n' "$s" >&3 ;; *) printf '%s\n' "$s" >&3 ;; esac
    exit 0
}
reset() { echo none >&3; exit 0; }
exec 3>&1 >/dev/null
devtype=virtio devnum=0 kernel_addr_r=1 ramdisk_addr_r=2 fdt_addr_r=3 fdt_addr=4
source "$1"
