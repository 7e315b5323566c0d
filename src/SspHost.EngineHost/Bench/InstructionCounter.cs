// Instructions of the calling thread as the processor counts them, where the kernel lets us ask (perf_event_open).
using System.Runtime.InteropServices;

namespace SspHost.EngineHost.Bench;

/// <summary>PERF_COUNT_HW_INSTRUCTIONS of this thread in user mode. A virtual machine often has no such counter; a kernel may forbid it.</summary>
internal sealed unsafe partial class InstructionCounter : IDisposable
{
    private const int PerfAttrBytes = 128, HardwareType = 0, Instructions = 1;
    private const ulong ExcludeKernel = 1 << 5, ExcludeHypervisor = 1 << 6, Pinned = 1 << 2;

    private readonly int _file;

    private InstructionCounter(int file) => _file = file;

    /// <summary>Opens it; null, with why not in <paramref name="why"/>.</summary>
    public static InstructionCounter? Open(out string why)
    {
        var attr = stackalloc byte[PerfAttrBytes];
        new Span<byte>(attr, PerfAttrBytes).Clear();
        *(uint*)attr = HardwareType;
        *(uint*)(attr + 4) = PerfAttrBytes;
        *(ulong*)(attr + 8) = Instructions;
        *(ulong*)(attr + 40) = ExcludeKernel | ExcludeHypervisor | Pinned;
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 241 : 298;
        var file = (int)PerfEventOpen(number, attr, 0, -1, -1, 0);
        var errno = Marshal.GetLastSystemError();
        why = file >= 0 ? "" : errno switch
        {
            2 or 19 or 95 => $"this machine has no counter of instructions (errno {errno})",
            1 or 13 => $"the kernel forbids it (errno {errno}; kernel.perf_event_paranoid)",
            _ => $"perf_event_open: errno {errno}",
        };
        if (file < 0) return null;
        var counter = new InstructionCounter(file);
        var from = counter.Now();
        if (counter.Now() > from) return counter;
        why = "the counter of instructions stands still";
        counter.Dispose();
        return null;
    }

    /// <summary>Instructions so far; the call itself takes some, the same each time.</summary>
    public long Now()
    {
        long value = 0;
        return Read(_file, &value, sizeof(long)) == sizeof(long) ? value : -1;
    }

    public void Dispose() => _ = Close(_file);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = false)]
    private static partial nint PerfEventOpen(nint number, void* attr, nint pid, nint cpu, nint group, nint flags);

    [LibraryImport("libc", EntryPoint = "read")]
    [SuppressGCTransition]
    private static partial nint Read(int file, void* to, nint bytes);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
