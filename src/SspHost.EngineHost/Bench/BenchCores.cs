// The cores that a benchmark's threads are pinned to: those that were asked for, or those that this process may use.
using System.Globalization;

namespace SspHost.EngineHost.Bench;

internal static class BenchCores
{
    private static readonly int[] Allowed = ReadAllowed();
    private static int[] s_cores = Allowed;

    /// <summary>How many there are: threads that may be real-time without sharing one.</summary>
    public static int Count => s_cores.Length;

    /// <summary>The last one: farthest from what usually keeps house.</summary>
    public static int Last => s_cores[^1];

    /// <summary>Core of thread <paramref name="number"/>, from 0.</summary>
    public static int At(int number) => s_cores[number % s_cores.Length];

    /// <summary>As an argument for a child.</summary>
    public static string List => string.Join(',', s_cores.Select(c => c.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Takes a list such as "2,3"; null, or what is wrong with it.</summary>
    public static string? Use(string list)
    {
        var cores = new List<int>();
        foreach (var word in list.Split(','))
        {
            if (!Benches.Number(word, 0, 1023, out var core) || cores.Contains(core)) return $"expected different core numbers such as 2,3, not '{list}'";
            if (!Allowed.Contains(core)) return FormattableString.Invariant($"core {core}: not one this process may use; expected {string.Join(", ", Allowed)}");
            cores.Add(core);
        }

        s_cores = [.. cores];
        return null;
    }

    private static int[] ReadAllowed()
    {
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)) ?? ":0";
        var cores = new List<int>();
        foreach (var part in line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim().Split(','))
        {
            var ends = part.Split('-');
            if (!Benches.Number(ends[0], 0, 1023, out var first) || !Benches.Number(ends[^1], first, 1023, out var last)) continue;
            for (var c = first; c <= last; c++) cores.Add(c);
        }

        return cores.Count > 0 ? [.. cores] : [0];
    }
}
