// Whether memory stays where it is: locked, not swapped, not moved about by the kernel.
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

internal static class MemoryChecks
{
    private const int CapIpcLock = 14;
    private const string Limit = "add 'USER - memlock unlimited' to /etc/security/limits.d/ssphost.conf and log in again; in a service: LimitMEMLOCK=infinity";

    public static Finding LockLimit(DoctorFacts f)
    {
        const string id = "memlock";
        if (f.Files.Capability(f.Process, CapIpcLock) == true) return Finding.Fine(id, "memory may be locked (CAP_IPC_LOCK)");
        var limit = f.Files.Limit(f.Process, "Max locked memory");
        var needed = f.RegionBytes + (64L << 20);
        if (limit is -1 || limit >= needed) return Finding.Fine(id, limit is -1 ? "any amount of memory may be locked" : $"{EngineWords.Bytes(limit!.Value)} may be locked");
        return Finding.Of(id, HasSwap(f) ? Severity.Error : Severity.Warning, limit is { } l ? $"only {EngineWords.Bytes(l)} may be locked" : "nobody says how much memory may be locked", $"{EngineWords.Bytes(needed)} or unlimited", "memory that is not locked may be taken away: the next quantum that touches it waits for a disk", Limit);
    }

    public static Finding RegionLocked(DoctorFacts f)
    {
        const string id = "region-locked";
        if (f.Engine is not { LockWanted: > 0 } e) return Finding.Fine(id, f.Engine == null ? "no engine runs" : "nobody says what is locked");
        var missing = Math.Max(0, e.LockWanted - Math.Max(0, e.Locked)) + (e.ImageWanted > 0 ? Math.Max(0, e.ImageWanted - Math.Max(0, e.ImageLocked)) : 0);
        var found = $"{EngineWords.Bytes(Math.Max(0, e.Locked))} of {EngineWords.Bytes(e.LockWanted)} of the region{(e.ImageWanted > 0 ? $" and {EngineWords.Bytes(Math.Max(0, e.ImageLocked))} of {EngineWords.Bytes(e.ImageWanted)} of the program" : "")} are locked";
        return missing == 0
            ? Finding.Fine(id, found)
            : Finding.Of(id, HasSwap(f) ? Severity.Error : Severity.Warning, found, "all of it", "under memory pressure the kernel takes these pages, and the audio thread waits for each of them", Limit + "; then ssp stop, ssp run");
    }

    public static Finding StacksLocked(DoctorFacts f)
    {
        const string id = "stacks-locked";
        var loose = f.Engine?.Threads.Where(t => !t.StackLocked).Select(t => t.Name).ToArray() ?? [];
        return loose.Length == 0
            ? Finding.Fine(id, f.Engine == null ? "no engine runs" : "the stacks of the real-time threads are locked")
            : Finding.Of(id, Severity.Warning, $"the stacks of {string.Join(", ", loose)} are not locked", "locked", "a stack that was swapped out stops its thread at the next call", Limit + "; then ssp stop, ssp run");
    }

    public static Finding Swap(DoctorFacts f)
    {
        const string id = "swap";
        if (!HasSwap(f)) return Finding.Fine(id, "no swap");
        var locked = f.Engine is { LockWanted: > 0 } e && e.Locked >= e.LockWanted;
        return locked
            ? Finding.Of(id, Severity.Note, "there is swap; the engine's memory is locked against it", "no swap on a stage", "the host, not the engine, may wait for a disk", "swapoff -a")
            : Finding.Of(id, f.Engine is { LockWanted: > 0 } ? Severity.Error : Severity.Note, "there is swap, and the engine's memory is not known to be locked", "locked memory, or no swap", "a page that comes back from a disk costs 0.1 to 10 ms, a zram page 10 us", "swapoff -a, or " + Limit);
    }

    public static Finding Compaction(DoctorFacts f)
    {
        const string id = "compaction";
        const string remedy = "echo 'vm.compact_unevictable_allowed=0' > /etc/sysctl.d/92-ssphost.conf && sysctl --system";
        return f.Files.Number("proc/sys/vm/compact_unevictable_allowed") switch
        {
            0 => Finding.Fine(id, "locked pages are not moved"),
            null => Finding.Fine(id, "the kernel does not move pages (no compaction)"),
            _ => Finding.Of(id, Severity.Warning, "the kernel may move locked pages (vm.compact_unevictable_allowed = 1)", "0", "a thread that touches a page while it is moved takes a fault although the page is locked", remedy),
        };
    }

    public static Finding HugePages(DoctorFacts f)
    {
        const string id = "huge-pages";
        return f.Files.Chosen("sys/kernel/mm/transparent_hugepage/enabled") == "always"
            ? Finding.Of(id, Severity.Warning, "transparent huge pages are made for every program", "madvise", "khugepaged moves memory about in the background, and any allocation may wait for a compaction", "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled; transparent_hugepage=madvise on the kernel's command line keeps it")
            : Finding.Fine(id, "huge pages are made only where they are asked for");
    }

    public static Finding SamePages(DoctorFacts f)
    {
        const string id = "ksm";
        return f.Files.Number("sys/kernel/mm/ksm/run") == 1
            ? Finding.Of(id, Severity.Warning, "the kernel merges equal pages (KSM)", "off", "a page that was merged is copied at the next write: a fault", "echo 2 > /sys/kernel/mm/ksm/run")
            : Finding.Fine(id, "equal pages are not merged");
    }

    public static Finding Available(DoctorFacts f)
    {
        const string id = "memory";
        var text = System.Text.Encoding.UTF8.GetBytes(f.Files.Text("proc/meminfo") ?? "");
        if (!ProcText.TryField(text, "MemAvailable:"u8, out var kb)) return Finding.Fine(id, "nobody says how much memory is free");
        var free = (long)Math.Min(kb, 1UL << 50) * 1024;
        var needed = f.Engine == null ? f.RegionBytes + (128L << 20) : 64L << 20;
        return free >= needed
            ? Finding.Fine(id, $"{EngineWords.Bytes(free)} of memory are free")
            : Finding.Of(id, Severity.Warning, $"{EngineWords.Bytes(free)} of memory are free", $"{EngineWords.Bytes(needed)} or more", "the kernel looks for pages to take, from everybody", "end other programs, or a smaller --region-mib");
    }

    private static bool HasSwap(DoctorFacts f) => (f.Files.Text("proc/swaps") ?? "").Split('\n').Length > 1;
}
