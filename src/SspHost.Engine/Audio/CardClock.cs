// The time a simulated card lives in: the kernel's, or a test's.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>A clock a card can follow and sleep by.</summary>
public interface ICardClock
{
    /// <summary>Time in ns.</summary>
    ulong Now();

    /// <summary>Returns at <paramref name="time"/> or later.</summary>
    void SleepUntil(ulong time);
}

/// <summary>CLOCK_MONOTONIC; sleeps to absolute times, so that lateness never adds up.</summary>
public readonly unsafe partial struct MonotonicClock : ICardClock
{
    private const int Absolute = 1, Interrupted = 4;

    /// <inheritdoc/>
    public ulong Now() => Linux.Now();

    /// <inheritdoc/>
    public void SleepUntil(ulong time)
    {
        var until = Linux.TimeSpec.FromNanoseconds(time);
        while (ClockNanosleep(Linux.ClockMonotonic, Absolute, &until, null) == Interrupted)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int ClockNanosleep(int clock, int flags, Linux.TimeSpec* until, Linux.TimeSpec* left);
}

/// <summary>State of a virtual clock: one owner moves it.</summary>
public struct VirtualTime
{
    /// <summary>ns since the clock began.</summary>
    public ulong Now;

    /// <summary>ns by which the next sleep ends too late; taken by that sleep.</summary>
    public ulong Oversleep;

    /// <summary>Sleeps so far.</summary>
    public ulong Sleeps;
}

/// <summary>Time that passes only when somebody sleeps or a test says so: the same run gives the same faults, frame by frame.</summary>
public readonly unsafe struct VirtualClock(VirtualTime* time) : ICardClock
{
    private readonly VirtualTime* _time = time;

    /// <inheritdoc/>
    public ulong Now() => _time->Now;

    /// <inheritdoc/>
    public void SleepUntil(ulong time)
    {
        _time->Sleeps++;
        if (time > _time->Now) _time->Now = time;
        _time->Now += _time->Oversleep;
        _time->Oversleep = 0;
    }
}
