// The cheapest clock there is, for what lasts 50 ns: the cycle counter, with its rate measured once.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Engine.Probes;

/// <summary>
/// Cycle counter ticks and what they are in ns. A tick is below 1 ns on x86-64 and 18..42 ns on arm64 boards (54 or 24 MHz): there,
/// the time of one module in one quantum is 0 or a whole tick, and only sums mean something. Without a constant counter, it is
/// CLOCK_MONOTONIC.
/// </summary>
public static class CycleClock
{
    // Plain statics without initialisers: nothing to run before the first use on an RT thread.
    private static ulong s_nanosecondsPerTick; // unsigned 32.32
    private static bool s_monotonic;
    private static ulong s_measuredOver; // ns

    /// <summary>Ticks per second; 0 before <see cref="Calibrate"/>.</summary>
    public static double Frequency { get; private set; }

    /// <summary>Length of a tick in ns: the resolution of every figure made with this clock.</summary>
    public static double Resolution => Frequency > 0 ? 1e9 / Frequency : 0;

    /// <summary>
    /// Measures the counter over <paramref name="nanoseconds"/> (it sleeps; 5 ms give 10 ppm on a quiet machine) unless the architecture
    /// states its rate. Again is harmless: what was measured over as long or longer stays, so that two readings of one difference agree.
    /// [start-up, one thread]
    /// </summary>
    public static void Calibrate(ulong nanoseconds = 5_000_000)
    {
        if (nanoseconds <= s_measuredOver) return;
        double frequency = NativeCalls.StatedFrequency();
        if (frequency <= 0 && NativeCalls.CyclesConstant() != 0) frequency = NativeCalls.MeasureFrequency(nanoseconds);
        s_monotonic = frequency <= 0;
        Frequency = s_monotonic ? 1e9 : frequency;
        s_nanosecondsPerTick = (ulong)(1e9 / Frequency * 4294967296.0);
        s_measuredOver = nanoseconds;
    }

    /// <summary>The counter. Differences mean something, on one core or between cores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Now() => s_monotonic ? Linux.Now() : NativeCalls.Cycles();

    /// <summary>The counter and CLOCK_MONOTONIC at one moment: of a few pairs the one that was read fastest, so that no preemption lies in it.</summary>
    public static ClockAnchor Anchor()
    {
        const int Tries = 4;
        var anchor = new ClockAnchor { Frequency = Frequency };
        var least = ulong.MaxValue;
        for (var i = 0; i < Tries; i++)
        {
            var before = Now();
            var time = Linux.Now();
            var took = Now() - before;
            if (took >= least) continue;
            least = took;
            (anchor.Ticks, anchor.Nanoseconds) = (before + (took / 2), time);
        }

        return anchor;
    }

    /// <summary>Ns in ticks, rounded down.</summary>
    public static ulong ToTicks(ulong ns) => (ulong)(ns * (Frequency / 1e9));

    /// <summary>A difference of two <see cref="Now"/> in ns, rounded down; 0 before <see cref="Calibrate"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ToNanoseconds(ulong ticks)
    {
        var high = Math.BigMul(ticks, s_nanosecondsPerTick, out var low);
        return (high << 32) | (low >> 32);
    }
}
