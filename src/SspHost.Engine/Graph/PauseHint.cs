// Waiting awake, for a time and not for a number of turns: a turn costs 1 ns on one core and 100 on another.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Graph;

internal static class PauseHint
{
    /// <summary>One turn of a spin loop: a pause on x86 (20-70 ns), a yield on arm64 (1-2 ns).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Once()
    {
        if (X86Base.IsSupported) X86Base.Pause();
        else if (ArmBase.IsSupported) ArmBase.Yield();
    }

    /// <summary>Ticks of the cycle clock in so many microseconds; a guess of 1 GHz where it was not calibrated.</summary>
    public static ulong Ticks(int microseconds) =>
        (ulong)(microseconds * (CycleClock.Frequency > 0 ? CycleClock.Frequency / 1e6 : 1000));
}

/// <summary>Patience of a thread that waits awake: at SCHED_FIFO it must end, whatever the others do.</summary>
internal ref struct Patience(ulong ticks)
{
    // The clock costs 10-25 ns: it is not asked at every turn.
    private const int TurnsPerLook = 8;

    private readonly ulong _ticks = ticks;
    private ulong _since;
    private int _turns;

    /// <summary>One turn; true once the time is over (and starts anew).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsOver()
    {
        PauseHint.Once();
        return (++_turns & (TurnsPerLook - 1)) == 0 && Look();
    }

    /// <summary>Something happened: the wait begins anew.</summary>
    public void Renew()
    {
        _turns = 0;
        _since = 0;
    }

    private bool Look()
    {
        var now = CycleClock.Now();
        if (_since == 0)
        {
            _since = now;
            return false;
        }

        if (now - _since < _ticks) return false;
        Renew();
        return true;
    }
}
