#!/bin/sh
# Measures what the modules promise (pitch, aliases, responses, timing, noise) and prints it as a table: family, module, claim, measured, limit.
# Usage: tools/quality.sh [FILTER]   FILTER narrows it to modules or claims that match (a regular expression of grep -iE).
set -eu
cd "$(dirname "$0")/.."
table=$PWD/artifacts/quality.tsv
rm -f "$table"
mkdir -p artifacts
dotnet build tests/SspHost.Modules.Tests -c Release -v q --nologo -p:UseSharedCompilation=false -nodeReuse:false
status=0
SSP_QUALITY=$table dotnet test tests/SspHost.Modules.Tests -c Release --no-build --nologo -v q --filter Category=Quality \
    --logger "console;verbosity=minimal" || status=1
[ -s "$table" ] || { echo "quality: no claim was measured"; exit 1; }
# Of a claim measured several times (over pitches, levels, rates) the row nearest its limit stands for all.
sort -t"$(printf '\t')" -k1,3 "$table" | awk -F'\t' '
    { split($5, l, " "); key = $1 FS $2 FS $3; margin = (l[1] == "<=" ? l[2] - $4 : $4 - l[2])
      if (!(key in best)) { order[++n] = key; best[key] = margin; row[key] = $0 }
      else if (margin < best[key]) { best[key] = margin; row[key] = $0 }
      count[key]++ }
    END { printf "%-12s %-18s %-64s %12s %14s  %s\n", "family", "module", "claim (times measured)", "worst", "limit", "unit"
          for (i = 1; i <= n; i++) { split(row[order[i]], f, FS)
              printf "%-12s %-18s %-64s %12s %14s  %s\n", f[1], f[2], f[3] " (" count[order[i]] ")", f[4], f[5], f[6] } }' \
    | { if [ -n "${1:-}" ]; then read -r head; echo "$head"; grep -iE "$1" || true; else cat; fi; }
exit $status
