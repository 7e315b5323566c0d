// What the guest played, as QEMU wrote it down: channels of numbers, and what is measured of them without any code of ours.
using System.Buffers.Binary;

namespace SspHost.Target.Kit;

/// <summary>A tone found in a channel.</summary>
/// <param name="Hz">Frequency, by the middle half of its periods.</param>
/// <param name="Level">Amplitude of that frequency, of full scale.</param>
/// <param name="Seconds">How long it lasts.</param>
/// <param name="Breaks">Where it does not go on as a sine does, in seconds from the start of the recording.</param>
internal sealed record Tone(double Hz, double Level, double Seconds, IReadOnlyList<double> Breaks)
{
    public override string ToString() => FormattableString.Invariant(
        $"{Hz:0.000} Hz at {Level:0.0000} for {Seconds:0.000} s, {Breaks.Count} breaks{(Breaks.Count > 0 ? " first at " + Breaks[0].ToString("0.0000") + " s" : "")}");
}

/// <summary>A recording of 16-bit samples.</summary>
internal sealed class Wav
{
    private readonly short[][] _channels;

    private Wav(int rate, short[][] channels) => (Rate, _channels) = (rate, channels);

    public int Rate { get; }

    public int Frames => _channels[0].Length;

    public ReadOnlySpan<short> Channel(int channel) => _channels[channel];

    /// <summary>Reads a file whose header may still say that it is empty: QEMU fills in the sizes when it ends.</summary>
    public static Wav Read(string path) => Parse(File.ReadAllBytes(path), path);

    /// <inheritdoc cref="Read"/>
    public static Wav Parse(byte[] bytes, string path)
    {
        var (at, rate, channels) = (12, 0, 0);
        while (at + 8 <= bytes.Length)
        {
            var size = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            var id = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));
            at += 8;
            if (id == 0x666D7420) // fmt
                (channels, rate) = (BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(at + 2)), BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4)));
            if (id == 0x64617461) // data
            {
                var frames = (bytes.Length - at) / (2 * channels);
                var samples = new short[channels][];
                for (var c = 0; c < channels; c++)
                {
                    samples[c] = new short[frames];
                    for (var f = 0; f < frames; f++) samples[c][f] = BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(at + (2 * ((f * channels) + c))));
                }

                return new Wav(rate, samples);
            }

            at += size + (size & 1);
        }

        throw new InvalidDataException($"{path}: no recording of samples ({bytes.Length} bytes)");
    }

    /// <summary>Stereo samples of two sines, half of full scale, as the card has them.</summary>
    public static byte[] Sines(double left, double right, double seconds, int rate = 48000)
    {
        var bytes = new byte[4 * (int)(seconds * rate)];
        for (var f = 0; f < bytes.Length / 4; f++)
        {
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(4 * f), (short)Math.Round(16384 * Math.Sin(2 * Math.PI * left * f / rate)));
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan((4 * f) + 2), (short)Math.Round(16384 * Math.Sin(2 * Math.PI * right * f / rate)));
        }

        return bytes;
    }

    /// <summary>Part of it, in seconds.</summary>
    public Wav Part(double from, double to)
    {
        var (first, last) = (Math.Clamp((int)(from * Rate), 0, Frames), Math.Clamp((int)(to * Rate), 0, Frames));
        return new Wav(Rate, [.. _channels.Select(c => c[first..Math.Max(first, last)])]);
    }

    /// <summary>Effective value of a channel, of full scale.</summary>
    public double Rms(int channel) => Frames == 0 ? 0 : Math.Sqrt(_channels[channel].Average(v => (double)v * v)) / 32768;

    /// <summary>Runs of nothing but zeros in all channels, longer than <paramref name="least"/> seconds, between sounds: where they start and how long they are.</summary>
    public IReadOnlyList<(double At, double Seconds)> Gaps(double least)
    {
        var gaps = new List<(double, double)>();
        var (start, sounded) = (-1, false);
        for (var f = 0; f < Frames; f++)
        {
            var silent = true;
            foreach (var c in _channels) silent &= c[f] == 0;
            if (silent)
            {
                if (start < 0) start = f;
                continue;
            }

            if (sounded && start >= 0 && f - start > least * Rate) gaps.Add((start / (double)Rate, (f - start) / (double)Rate));
            (start, sounded) = (-1, true);
        }

        return gaps;
    }

    /// <summary>
    /// The sine in a channel. Two samples of a sine and its frequency give the next: x[n] = 2 cos(w) x[n-1] - x[n-2]. A sample that is
    /// lost, repeated or wrong by more than rounding breaks that, wherever it is.
    /// </summary>
    /// <param name="channel">From 0.</param>
    /// <param name="hz">The frequency it ought to have; 0: the one that is found.</param>
    public Tone? Tone(int channel, double hz = 0)
    {
        const int Floor = 327; // 1 % of full scale: softer is no tone
        var all = _channels[channel];
        var (first, last) = (Array.FindIndex(all, v => Math.Abs((int)v) > Floor), Array.FindLastIndex(all, v => Math.Abs((int)v) > Floor));
        if (first < 0 || last - first < Rate / 100) return null;
        var x = all.AsSpan(first, last - first + 1);
        var crossings = new List<double>();
        var peak = 0;
        for (var n = 1; n < x.Length; n++)
        {
            peak = Math.Max(peak, Math.Abs((int)x[n]));
            if (x[n - 1] < 0 && x[n] >= 0) crossings.Add(n - 1 + (-x[n - 1] / (double)(x[n] - x[n - 1])));
        }

        if (crossings.Count < 4) return null;
        var periods = crossings.Zip(crossings.Skip(1), (a, b) => b - a).Order().ToArray();
        var found = Rate / periods[(periods.Length / 4)..((3 * periods.Length / 4) + 1)].Average();
        var k = 2 * Math.Cos(2 * Math.PI * (hz > 0 ? hz : found) / Rate);
        var tolerance = Math.Max(6, peak * 0.002);
        var breaks = new List<double>();
        for (var n = 2; n < x.Length; n++)
        {
            if (Math.Abs(x[n] - (k * x[n - 1]) + x[n - 2]) <= tolerance) continue;
            breaks.Add((first + n) / (double)Rate);
            n += Rate / 2000; // one event
        }

        var (re, im) = (0.0, 0.0);
        for (var n = 0; n < x.Length; n++)
        {
            var (sin, cos) = Math.SinCos(2 * Math.PI * found * n / Rate);
            (re, im) = (re + (x[n] * cos), im + (x[n] * sin));
        }

        return new Tone(found, Math.Sqrt((re * re) + (im * im)) * 2 / x.Length / 32768, x.Length / (double)Rate, breaks);
    }
}
