// The cores of this machine, as /sys and the scheduler tell them.
using System.Globalization;

namespace SspHost.Engine.Threads;

/// <summary>Reads the topology. [start-up: allocates]</summary>
public static unsafe class Topology
{
    private const int MaxCores = ThreadCalls.CoreSet.Cores;
    private const int FullCapacity = 1024;

    /// <summary>
    /// The cores this process may use: online, and in its affinity mask or isolated (isolcpus leaves them out of the default mask).
    /// </summary>
    public static CoreInfo[] Read()
    {
        ThreadCalls.CoreSet mask = default;
        var known = ThreadCalls.GetAffinity(0, (nuint)sizeof(ThreadCalls.CoreSet), &mask) >= 0;
        var allowed = mask;
        return Read("/sys/devices/system/cpu", core => !known || allowed.Has(core));
    }

    /// <summary>
    /// The same from a folder laid out like /sys/devices/system/cpu. What is missing or unreadable counts as absent: without a list of
    /// online
    /// cores there is core 0 alone. Where no core states a cpu_capacity (kernels before it, x86), speed is taken from the highest clock
    /// instead, which says nothing of the core's design but is the best there is; without that, all are equal.
    /// </summary>
    public static CoreInfo[] Read(string folder, Func<int, bool> isAllowed)
    {
        var online = ParseList(ReadText(folder, "online"));
        if (online.Count == 0) online = [0];
        var isolated = ParseList(ReadText(folder, "isolated"));
        var cores = new List<CoreInfo>();
        var stated = false;
        foreach (var n in online)
        {
            var alone = isolated.Contains(n);
            if (!alone && !isAllowed(n)) continue;
            var capacity = ParsePositive(ReadText(folder, $"cpu{n}/cpu_capacity"), FullCapacity);
            stated |= capacity > 0;
            cores.Add(new CoreInfo(n, capacity > 0 ? capacity : FullCapacity, alone));
        }

        if (!stated) ScaleByClock(cores, folder);
        return cores.Count > 0 ? [.. cores] : [new CoreInfo(online.First(), FullCapacity, Isolated: false)];
    }

    /// <summary>
    /// A kernel list of cores ("0-3,5"), sorted. Anything that is not one gives the empty list: a core that is half understood is not
    /// isolated.
    /// </summary>
    public static SortedSet<int> ParseList(string text)
    {
        var cores = new SortedSet<int>();
        text = text.Trim();
        if (text.Length == 0) return cores;
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !TryCore(ends[0], out var first) || !TryCore(ends[^1], out var last) || last < first) return [];
            for (var n = first; n <= last; n++) _ = cores.Add(n);
        }

        return cores;
    }

    private static bool TryCore(string text, out int core) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out core) && core < MaxCores;

    // All of them or none: a core without a clock among others that have one would look faster or slower than it is.
    private static void ScaleByClock(List<CoreInfo> cores, string folder)
    {
        var clocks = cores.ConvertAll(c => ParsePositive(ReadText(folder, $"cpu{c.Number}/cpufreq/cpuinfo_max_freq"), int.MaxValue));
        if (clocks.Count == 0 || clocks.Contains(0)) return;
        var highest = (long)clocks.Max();
        for (var i = 0; i < cores.Count; i++) cores[i] = cores[i] with { Capacity = (int)Math.Max(1, clocks[i] * FullCapacity / highest) };
    }

    // 0: not a whole number from 1 to the most.
    private static int ParsePositive(string text, int most) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0 && value <= most ? value : 0;

    private static string ReadText(string folder, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
