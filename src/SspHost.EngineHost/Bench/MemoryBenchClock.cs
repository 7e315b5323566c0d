// The clock of this benchmark: the processor's own counter, read by a few bytes of machine code, calibrated against CLOCK_MONOTONIC.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.EngineHost.Bench;

/// <summary>Reads the cycle counter; falls back to CLOCK_MONOTONIC where no executable page is to be had. Only for benchmarks.</summary>
internal readonly unsafe struct MemoryBenchClock
{
    private readonly delegate* unmanaged[SuppressGCTransition]<ulong> _read;

    public MemoryBenchClock()
    {
        // x86-64: rdtscp; lfence; shl rdx,32; or rax,rdx; ret. arm64: isb; mrs x0,cntvct_el0; ret.
        ReadOnlySpan<byte> code = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => [0x0F, 0x01, 0xF9, 0x0F, 0xAE, 0xE8, 0x48, 0xC1, 0xE2, 0x20, 0x48, 0x09, 0xD0, 0xC3],
            Architecture.Arm64 => [0xDF, 0x3F, 0x03, 0xD5, 0x40, 0xE0, 0x3B, 0xD5, 0xC0, 0x03, 0x5F, 0xD6],
            _ => [],
        };
        Name = "CLOCK_MONOTONIC";
        var page = MemoryBenchPosix.ExecutablePage(code);
        if (page != null)
        {
            _read = (delegate* unmanaged[SuppressGCTransition]<ulong>)page;
            Name = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "rdtscp" : "cntvct_el0";
        }

        var (ns, ticks) = (Linux.Now(), Read());
        while (Linux.Now() - ns < 50_000_000) { }
        var (ns2, ticks2) = (Linux.Now(), Read());
        TickNs = (double)(ns2 - ns) / (ticks2 - ticks);

        // What an empty measurement costs, and the smallest step between two different readings.
        var floor = ulong.MaxValue;
        var step = ulong.MaxValue;
        for (var i = 0; i < 100_000; i++)
        {
            var a = Read();
            var b = Read();
            floor = Math.Min(floor, b - a);
            var c = Read();
            var (d1, d2) = (b - a, c - b);
            if (d1 != d2) step = Math.Min(step, d1 > d2 ? d1 - d2 : d2 - d1);
        }

        FloorTicks = floor;
        ResolutionNs = (step == ulong.MaxValue ? 1 : step) * TickNs;
    }

    public string Name { get; }

    public double TickNs { get; }

    public ulong FloorTicks { get; }

    public double ResolutionNs { get; }

    public ulong Read() => _read != null ? _read() : Linux.Now();
}
