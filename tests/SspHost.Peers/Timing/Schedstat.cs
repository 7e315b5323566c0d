// What the kernel says a process ran: the measure from outside, the same for everybody.
using System.Globalization;

namespace SspHost.Peers.Timing;

internal static class Schedstat
{
    /// <summary>
    /// ns that all threads of a process have been on a core, by /proc/PID/task/TID/schedstat. Threads that ended since are not in it, so what is
    /// subtracted from it must come of threads that live through the measurement. Throws <see cref="PeerException"/> where the process is gone.
    /// </summary>
    public static long OnCpu(int pid, string proc = "/proc")
    {
        var tasks = Path.Combine(proc, pid.ToString(CultureInfo.InvariantCulture), "task");
        if (!Directory.Exists(tasks)) throw new PeerException($"process {pid} is gone");
        long sum = 0;
        foreach (var task in Directory.GetDirectories(tasks))
        {
            try
            {
                sum += Parse(File.ReadAllText(Path.Combine(task, "schedstat")));
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException || (e is IOException && !Directory.Exists(task)))
            {
                // A thread that ended between the listing and the reading.
            }
        }

        return sum;
    }

    /// <summary>Names of a process's threads; none where it is gone.</summary>
    public static IReadOnlyList<string> Threads(int pid)
    {
        try
        {
            return [.. Directory.GetDirectories($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/task").Select(t => File.ReadAllText(Path.Combine(t, "comm")).Trim())];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>The first of three numbers: ns on a core. Throws <see cref="PeerException"/> for anything else, as of a kernel without schedstats.</summary>
    public static long Parse(string text)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 3 && words.All(w => long.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out _))) return long.Parse(words[0], CultureInfo.InvariantCulture);
        throw new PeerException($"schedstat: expected three numbers, not '{Tool.Short(text)}'");
    }
}
