// What binutils makes of a function: another decoder's view of its calls.
using System.Text.RegularExpressions;

namespace SspHost.Proof.Tests;

/// <summary>Reads `objdump -dr`.</summary>
internal static partial class Objdump
{
    /// <summary>Names that calls and jumps out of a function lead to, and how many calls and jumps name none (switches apart).</summary>
    public static (SortedSet<string> Names, int Indirect) Calls(string listing, string symbol)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        var indirect = 0;
        var lines = listing.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = Branch().Match(lines[i]);
            if (!line.Success) continue;
            if (i + 1 < lines.Length && Relocation().Match(lines[i + 1]) is { Success: true } relocation)
            {
                _ = names.Add(relocation.Groups[1].Value);
                continue;
            }

            var target = Target().Match(line.Groups[2].Value);
            if (!target.Success)
            {
                // A jump whose register was just added to is a switch; nothing else in these functions looks like that.
                var isSwitch = line.Groups[1].Value == "jmp" && lines[i - 1].Contains("\tadd ", StringComparison.Ordinal);
                if (!isSwitch) indirect++;
            }
            else if (target.Groups[1].Value != symbol)
            {
                _ = names.Add(target.Groups[1].Value);
            }
        }

        return (names, indirect);
    }

    [GeneratedRegex(@"^ +[0-9a-f]+:\t(call|j[a-z]+) +(.*)$")]
    private static partial Regex Branch();

    [GeneratedRegex(@"R_X86_64_PLT32\t(.*)-0x4$")]
    private static partial Regex Relocation();

    [GeneratedRegex(@"^[0-9a-f]+ <(.*?)(?:\+0x[0-9a-f]+)?>$")]
    private static partial Regex Target();
}
