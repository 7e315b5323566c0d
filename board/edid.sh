#!/bin/sh
# Writes the EDID of a 1600x480 bar display: at 65 MHz (2080 x 520 = 60.1 Hz), which the RK3399's HDMI of a 6.1 kernel takes; it refuses most others.
# The kernel reads it in place of the display's own: drm.edid_firmware=HDMI-A-1:edid/ssp-1600x480.bin. Usage: board/edid.sh OUT.bin
set -eu
out=$1
# VESA E-EDID 1.3, block by block.
bytes="
00 ff ff ff ff ff ff 00
4e 70 01 00 00 00 00 00 00 24 01 03
80 00 00 78 0e
ee 91 a3 54 4c 99 26 0f 50 54
00 00 00
01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01
64 19 40 e0 61 e0 28 10 50 a0 a6 00 00 00 00 00 00 1e
00 00 00 fc 00 53 53 50 20 31 36 30 30 78 34 38 30 0a
00 00 00 fd 00 38 40 1e 23 07 00 0a 20 20 20 20 20 20
00 00 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00
00"
printf "$(echo "$bytes" | tr -s ' \n' '\n\n' | awk '
    function value(hex) { return index("123456789abcdef", substr(hex, 1, 1)) * 16 + index("123456789abcdef", substr(hex, 2, 1)) }
    NF { v = value($1); sum += v; printf "\\%03o", v }
    END { printf "\\%03o", (256 - sum % 256) % 256 }')" >"$out"
[ "$(wc -c <"$out")" = 128 ] || { echo "edid: $(wc -c <"$out") bytes, expected 128" >&2; exit 1; }
