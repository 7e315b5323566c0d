// A control group with a memory limit of its own: a short day for an experiment, and for nobody else on the machine.
using System.Globalization;

namespace SspHost.Diagnostics;

/// <summary>
/// Made below the group of this process, by the memory controller of cgroup v1 or v2. What is started between <see cref="Enter"/> and
/// <see cref="Leave"/> lives in it. Removed when disposed; its processes must have ended.
/// </summary>
public sealed class PressureGroup : IDisposable
{
    private const string Root = "/sys/fs/cgroup";

    private readonly string _group, _before;
    private readonly bool _unified;

    private PressureGroup(string group, string before, bool unified)
    {
        _group = group;
        _before = before;
        _unified = unified;
    }

    /// <summary>Makes one; null and the reason where that is not possible (no controller, no right).</summary>
    public static PressureGroup? TryCreate(long limitBytes, out string reason)
    {
        try
        {
            foreach (var line in File.ReadLines("/proc/self/cgroup"))
            {
                // "4:memory:/path" of version 1, "0::/path" of version 2
                var fields = line.Split(':', 3);
                if (fields.Length != 3) continue;
                var unified = fields[0] == "0";
                if (!unified && !fields[1].Split(',').Contains("memory", StringComparer.Ordinal)) continue;
                var mount = unified ? Root : Path.Combine(Root, "memory");
                if (unified && !File.Exists(Path.Combine(mount, "cgroup.controllers"))) continue; // the memory controller is version 1's
                var before = mount + (fields[2] == "/" ? "" : fields[2]);
                // In version 2 a group that holds processes cannot give its children a limit: beside it, then.
                var parent = unified ? Path.GetDirectoryName(before) is { Length: > 0 } p && p.StartsWith(Root, StringComparison.Ordinal) ? p : mount : before;
                var group = Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"ssp-experiment-{Environment.ProcessId}"));
                Directory.CreateDirectory(group);
                try
                {
                    File.WriteAllText(Path.Combine(group, unified ? "memory.max" : "memory.limit_in_bytes"), limitBytes.ToString(CultureInfo.InvariantCulture));
                }
                catch
                {
                    Directory.Delete(group);
                    throw;
                }

                reason = "";
                return new PressureGroup(group, before, unified);
            }

            reason = "the kernel offers no memory controller here";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = e.Message;
        }

        return null;
    }

    /// <summary>Bytes its processes hold.</summary>
    public long Used =>
        long.TryParse(File.ReadAllText(Path.Combine(_group, _unified ? "memory.current" : "memory.usage_in_bytes")), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;

    /// <summary>What this process starts from now on lives in it.</summary>
    public void Enter() => Move(_group);

    /// <summary>This process goes back to where it was.</summary>
    public void Leave() => Move(_before);

    public void Dispose()
    {
        for (var i = 0; i < 100; i++)
        {
            try
            {
                Directory.Delete(_group);
                return;
            }
            catch (IOException)
            {
                Thread.Sleep(10); // the kernel is still letting its last process go
            }
        }
    }

    private static void Move(string group) =>
        File.WriteAllText(Path.Combine(group, "cgroup.procs"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
}
