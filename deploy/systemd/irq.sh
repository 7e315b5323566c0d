#!/bin/sh
# Gives the sound card's interrupt what an audio thread needs of it: its thread a real-time priority above that thread's, and a core; and the cores full speed.
# Stock tools look for "snd" in names and miss boards, where sound comes by a DMA controller. Twice is as good as once. Says what it did.
#   SSP_IRQ       names or numbers of interrupts; without it those of all sound cards' buses, and the DMA controller of the board's I2S
#   SSP_IRQ_CPU   their core, or `any`; without it the last isolated one, and where none is, they stay where they are
#   SSP_IRQ_PRIORITY   85: above the audio thread (80), below its watchdog (90)
#   SSP_GOVERNOR  performance; empty: cores are left alone
set -eu
proc=${SSP_PROC:-/proc} sys=${SSP_SYS:-/sys}
priority=${SSP_IRQ_PRIORITY:-85} governor=${SSP_GOVERNOR-performance}
known="ff6d0000.dma-controller"

# Numbers of interrupts with a name in which $1 stands.
named() { awk -v name="$1" '$1 ~ /^[0-9]+:$/ && index($0, name) { sub(":", "", $1); print $1 }' "$proc/interrupts"; }

# Numbers of a card's interrupts: its own, or those of the controller it is plugged into.
of_card() {
    at=$(readlink -f "$1/device") || return 0
    while [ "$at" != / ] && [ "$at" != "$(readlink -f "$sys")" ]; do
        if [ -d "$at/msi_irqs" ]; then ls "$at/msi_irqs"; return 0; fi
        if [ -f "$at/irq" ] && read -r number <"$at/irq" && [ "$number" -gt 0 ]; then echo "$number"; return 0; fi
        at=$(dirname "$at")
    done
}

wanted() {
    if [ -n "${SSP_IRQ:-}" ]; then
        for one in $SSP_IRQ; do
            case $one in
                *[!0-9]*) [ -n "$(named "$one")" ] || echo "irq: no interrupt is called $one" >&2; named "$one" ;;
                *) echo "$one" ;;
            esac
        done
        return 0
    fi
    for name in $known; do named "$name"; done
    for card in "$sys"/class/sound/card*; do
        [ ! -e "$card/device" ] || of_card "$card"
    done
}

# The last core of a list as the kernel writes it: "2-3,5".
last() { read -r list <"$1" 2>/dev/null || return 0; list=${list##*,}; echo "${list##*-}"; }
cpu=${SSP_IRQ_CPU:-$(last "$sys/devices/system/cpu/isolated")}
[ "$cpu" != any ] || cpu=

any=
for irq in $(wanted | sort -nu); do
    [ -d "$proc/irq/$irq" ] || { echo "irq: there is no interrupt $irq" >&2; continue; }
    any=1
    name=$(awk -v irq="$irq:" '$1 == irq { print $NF }' "$proc/interrupts")
    said=
    if [ -n "$cpu" ]; then
        read -r now <"$proc/irq/$irq/smp_affinity_list"
        if [ "$now" = "$cpu" ]; then said=" core $cpu as before"
        elif echo "$cpu" 2>/dev/null >"$proc/irq/$irq/smp_affinity_list"; then said=" core $cpu"
        else said=" core $now (the kernel does not let it go to $cpu)"
        fi
    fi
    threads=
    for comm in "$proc"/[0-9]*/comm; do
        read -r thread <"$comm" 2>/dev/null || continue
        case $thread in "irq/$irq-"*) threads="$threads $(basename "$(dirname "$comm")")" ;; esac
    done
    for pid in $threads; do
        case $(chrt -p "$pid" 2>/dev/null | tr '\n' ' ') in
            *SCHED_FIFO*": $priority "*) said="$said, thread $pid FIFO $priority as before" ;;
            *) if chrt -f -p "$priority" "$pid" 2>/dev/null; then said="$said, thread $pid FIFO $priority"
               else said="$said, thread $pid could not be made FIFO $priority"; fi ;;
        esac
    done
    [ -n "$threads" ] || said="$said, no thread (no PREEMPT_RT kernel, nor threadirqs on its command line)"
    echo "irq: $irq ($name):${said#,}"
done
[ -n "$any" ] || echo "irq: no sound card here has an interrupt of its own"

[ -n "$governor" ] || exit 0
changed=0
for file in "$sys"/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor; do
    [ -e "$file" ] || continue
    read -r now <"$file"
    [ "$now" != "$governor" ] || continue
    if echo "$governor" 2>/dev/null >"$file"; then changed=$((changed + 1)); else echo "irq: $file stays $now" >&2; fi
done
[ $changed = 0 ] || echo "irq: $changed cores are governed by $governor now"
