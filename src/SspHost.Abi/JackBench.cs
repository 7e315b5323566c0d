// The workbench of the jacks: what is put on an output, heard at an input and said of their lines while audio plays.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// In the region. The control process writes what it wishes, the audio thread looks once a quantum, and neither waits. What an output holds, and
/// that inputs are heard, is wished for <see cref="LeaseNs"/> at a time: a process that dies lets go.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct JackBench
{
    /// <summary>ns that a wish is to stand before it is said again.</summary>
    public const ulong LeaseNs = 2_000_000_000;

    /// <summary>CLOCK_MONOTONIC in ns until when outputs hold, and until when inputs are heard. [control]</summary>
    public ulong HeldUntil, HeardUntil;

    /// <summary>Outputs that hold (bit = jack) in place of what the patch plays there. [control]</summary>
    public uint Held;

    /// <summary>Changes with each change of the lines below; written after them. [control; the steward at a start, by the configuration]</summary>
    public uint Lines;

    /// <summary>What each holds: a sample of -1 to 1, not volts. [control]</summary>
    public fixed float Samples[Limits.MaxJacks];

    /// <summary>Volts between the sample values 0 and 1 of each jack, as in <see cref="AudioConfig"/>; 0 = not calibrated.</summary>
    public fixed float InputFullScale[Limits.MaxJacks];

    /// <inheritdoc cref="InputFullScale"/>
    public fixed float OutputFullScale[Limits.MaxJacks];

    /// <summary>Volts at sample value 0.</summary>
    public fixed float InputZero[Limits.MaxJacks];

    /// <inheritdoc cref="InputZero"/>
    public fixed float OutputZero[Limits.MaxJacks];

    /// <summary>Windows of a tenth of a second that were heard without a break; 0: none yet. [audio-thread]</summary>
    public ulong Windows;

    /// <summary>Mean sample of each input over the last window. [audio-thread]</summary>
    public fixed float Means[Limits.MaxJacks];

    /// <summary>An output holds a sample from the next quantum on, for the time of a lease. [control]</summary>
    public void Hold(int output, float sample, ulong now)
    {
        Samples[output] = sample;
        Volatile.Write(ref HeldUntil, now + LeaseNs);
        Volatile.Write(ref Held, Held | (1u << output));
    }

    /// <summary>It plays what the patch plays there. [control]</summary>
    public void Release(int output) => Volatile.Write(ref Held, Held & ~(1u << output));

    /// <summary>Mean sample of an input, which is heard from now on for the time of a lease; NaN: not yet. [control]</summary>
    public float Hear(int input, ulong now)
    {
        Volatile.Write(ref HeardUntil, now + LeaseNs);
        return Volatile.Read(ref Windows) == 0 ? float.NaN : Volatile.Read(ref Means[input]);
    }

    /// <summary>Sets an output's or an input's line, which counts from the next quantum on. [control]</summary>
    public void SetLine(bool output, int jack, float fullScale, float zero)
    {
        if (output) (OutputFullScale[jack], OutputZero[jack]) = (fullScale, zero);
        else (InputFullScale[jack], InputZero[jack]) = (fullScale, zero);
        LinesChanged();
    }

    /// <summary>Takes the lines of a configuration. [steward, while nothing plays]</summary>
    public void Adopt(in AudioConfig config)
    {
        for (var j = 0; j < Limits.MaxJacks; j++)
        {
            (InputFullScale[j], InputZero[j]) = (config.InputFullScale[j], config.InputZero[j]);
            (OutputFullScale[j], OutputZero[j]) = (config.OutputFullScale[j], config.OutputZero[j]);
        }

        Windows = 0;
        LinesChanged();
    }

    /// <summary>Nothing is held or heard. [steward, for another control process]</summary>
    public void Clear()
    {
        Volatile.Write(ref Held, 0);
        Volatile.Write(ref HeardUntil, 0);
    }

    // 0 is what a loop begins with: it takes the first lines there are.
    private void LinesChanged() => Volatile.Write(ref Lines, Lines == uint.MaxValue ? 1 : Lines + 1);
}
