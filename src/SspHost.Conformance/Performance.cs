// Performances for the conformance suite: signals and knob movements as functions of absolute time, repeatable from a seed.
using SspHost.Abi;

namespace SspHost.Conformance;

/// <summary>Pure functions of (seed, time): the same at every quantum and in every run.</summary>
public static class Performance
{
    /// <summary>A number in [0, 1) from whole numbers.</summary>
    public static double Hash(long a, long b, long c)
    {
        var x = (ulong)((a * 0x2545F4914F6CDD1DL) ^ (b * 0x632BE59BD9B4E019L) ^ (c * 0x1B873593CC9E2D51L)) + 0x9E3779B97F4A7C15UL;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return ((x ^ (x >> 31)) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>White noise, steps, gates and sines up to <paramref name="volts"/>, a different mixture at each port and channel.</summary>
    public static Func<int, int, long, float> Wild(int seed, float volts) => (port, channel, frame) =>
    {
        var lane = (port * 16) + channel + 1000L;
        return (float)(volts * ((int)(Hash(seed, lane, 1) * 4) switch
        {
            0 => (2.0 * Hash(seed, lane, frame + 5)) - 1.0,
            1 => Hash(seed, lane, 7 + (frame / 61)) > 0.5 ? 1.0 : 0.0,
            2 => Math.Sin(frame * (0.001 + (0.5 * Hash(seed, lane, 2)))),
            _ => (2.0 * Hash(seed, lane, 9 + (frame / 97))) - 1.0,
        }));
    };

    /// <summary>Musical signals: sines of 50..2000 Hz of 5 V, gates, and silence, a different one at each port and channel.</summary>
    public static Func<int, int, long, float> Musical(int seed) => (port, channel, frame) =>
    {
        var lane = (port * 16) + channel + 1L;
        return (int)(Hash(seed, lane, 1) * 3) switch
        {
            0 => frame / 701 % 2 == 0 ? 10f : 0f,
            1 => 2f * (float)Math.Sin(frame * (0.0005 + (0.01 * Hash(seed, lane, 2)))),
            _ => 5f * (float)Math.Sin(frame * (0.007 + (0.25 * Hash(seed, lane, 2)))),
        };
    };

    /// <summary>Each parameter goes to a new random place every eight grid points: smooth ones along a line, stepped ones at
    /// once.</summary>
    public static Func<int, long, float> Knobs(ModuleDescriptor module, int seed) => (index, grid) =>
    {
        var p = module.Parameters[index];
        var leg = grid / 8;
        var from = At(p, Hash(seed, index, leg));
        if (p.Curve == ParameterCurve.Stepped) return MathF.Round(from);
        var to = At(p, Hash(seed, index, leg + 1));
        return from + ((to - from) * (grid % 8 / 8f));
    };

    /// <summary>The value at part <paramref name="travel"/> 0..1 of a parameter's travel.</summary>
    public static float At(ParameterDescriptor p, double travel) => p.Curve switch
    {
        ParameterCurve.Exponential => Math.Clamp((float)(p.Min * Math.Pow(p.Max / p.Min, travel)), p.Min, p.Max),
        _ => Math.Clamp((float)(p.Min + ((p.Max - p.Min) * travel)), p.Min, p.Max),
    };

    /// <summary>Random events for this instance and for everybody.</summary>
    public static IEnumerable<ModuleEvent> Events(int seed, long frames)
    {
        EventKind[] kinds = [EventKind.NoteOn, EventKind.NoteOff, EventKind.Clock, EventKind.Start, EventKind.Stop, EventKind.Continue,
            EventKind.Custom, EventKind.Controller, EventKind.None];
        long at = 0;
        for (var n = 0; at < frames; n++)
        {
            yield return new ModuleEvent
            {
                Frame = (ulong)at,
                Target = Hash(seed, n, 1) > 0.3 ? 77u : 0u,
                Kind = kinds[(int)(Hash(seed, n, 2) * kinds.Length)],
                Index = (int)(Hash(seed, n, 3) * 140) - 6,
                Value = (float)((Hash(seed, n, 4) * 3.0) - 1.0),
            };
            at += (long)(Hash(seed, n, 5) * 150);
        }
    }

    /// <summary>A stereo recording of two partials for modules that play one, one second long.</summary>
    public static float[][] Recording(int frames = 48_000)
    {
        var (left, right) = (new float[frames], new float[frames]);
        for (var i = 0; i < frames; i++)
        {
            left[i] = 0.25f * (float)Math.Sin(2.0 * Math.PI * 200.0 * i / 48_000);
            right[i] = 0.2f * (float)Math.Cos(2.0 * Math.PI * 300.0 * i / 48_000);
        }

        return [left, right];
    }
}
