// What a process really holds in memory, the shared region left out: from the kernel's own account of its mappings.
namespace SspHost.Diagnostics;

/// <summary>Resident bytes by <c>/proc/PID/smaps</c>.</summary>
/// <param name="Region">In memfd mappings: the region.</param>
/// <param name="Outside">In all others.</param>
public readonly record struct ProcessMemory(long Region, long Outside)
{
    /// <summary>Asks the kernel about a process. Throws <see cref="IOException"/> if it is gone or another user's.</summary>
    public static ProcessMemory Of(int pid) => Sum(Mapping.Of(pid));

    /// <summary>Adds up mappings.</summary>
    public static ProcessMemory Sum(IEnumerable<Mapping> mappings)
    {
        long region = 0, outside = 0;
        foreach (var m in mappings)
        {
            if (m.Path.StartsWith("/memfd:", StringComparison.Ordinal) && !m.Path.Contains("doublemapper", StringComparison.Ordinal)) region += m.Resident;
            else outside += m.Resident;
        }

        return new ProcessMemory(region, outside);
    }
}
