#!/bin/sh
# Merges the front panel into the device tree of Debian's kernel for the ROCKPro64: its U-Boot and its kernels apply no overlays.
# Usage: board/dtb.sh BOARD.dtb OUT.dtb   (BOARD.dtb: usr/lib/linux-image-*/rockchip/rk3399-rockpro64.dtb of a linux-image-*-arm64 package)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dtc -@ -q -I dts -O dtb -o "$work/panel.dtbo" "$here/panel-rockpro64.dts"
"$here/add-symbols.sh" "$1" "$work/board.dtb" \
    gpio1=/pinctrl/gpio@ff730000 gpio4=/pinctrl/gpio@ff790000 pinctrl=/pinctrl \
    i2c8=/i2c@ff3e0000 i2s0=/i2s@ff880000 pcfg_pull_up=/pinctrl/pcfg-pull-up pcfg_pull_none=/pinctrl/pcfg-pull-none
fdtoverlay -i "$work/board.dtb" -o "$2" "$work/panel.dtbo"
echo "dtb: $2 ($(wc -c <"$2") bytes)"
