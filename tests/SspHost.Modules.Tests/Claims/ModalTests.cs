// What the modal body claims: where its modes lie, how long each rings, where it is struck.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class ModalTests
{
    private const int Rate = 48_000;
    private const double C4 = 261.6255653005986;

    // Hum, prime, tierce, quint, nominal and those above, of a church bell (Fletcher and Rossing, The Physics of Musical
    // Instruments, table 21.1), to its prime.
    private static readonly double[] Bell = [0.5, 1.0, 1.183, 1.506, 2.0, 2.514, 2.662, 3.011, 4.166, 5.433, 6.796, 8.215];

    [Theory]
    [InlineData(0f)]
    [InlineData(0.5f)]
    [InlineData(1f)]
    public void Modes_lie_where_the_structure_says_within_a_cent(float structure)
    {
        using var rig = Struck(structure, -1f);
        rig["decay"] = 12f;
        rig["damping"] = 0f;
        rig["position"] = 0.03f;
        rig["hardness"] = 16_000f;
        var samples = rig.Run("out", 140_000).AsSpan(2048, 131_072);
        foreach (var k in new[] { 0, 1, 2, 3, 5, 8, 11 })
        {
            var expected = C4 / 2 * Ratio(structure, k);
            if (expected > 12_000) continue;
            Quality.AtMost("modal", "pitch of a mode", Math.Abs(Spectrum.Cents(Spectrum.Frequency(samples, expected / Rate) * Rate, expected)), 1, "cent");
        }
    }

    [Theory]
    [InlineData(48_000, 0.5f, 0f)]
    [InlineData(48_000, 8f, 1f)]
    [InlineData(48_000, 3f, 0.6f)]
    [InlineData(192_000, 8f, 0.3f)]
    public void Each_mode_falls_by_60_dB_in_its_time(int rate, float seconds, float damping)
    {
        using var rig = Struck(0f, 0f, rate);
        rig["decay"] = seconds;
        rig["damping"] = damping;
        rig["position"] = 0.03f;
        rig["hardness"] = 16_000f;
        var samples = rig.Run("out", (long)(rate * Math.Min(seconds, 1.5f)) + 64);
        foreach (var k in new[] { 0, 1, 3, 7 })
        {
            var expected = seconds * Math.Pow(k + 1, -damping);
            var frames = (int)(rate * Math.Min(expected, 1.5));
            var measured = Tail.T60Of(samples, C4 * (k + 1) / rate, rate, rate / 50, frames, Math.Max(rate / 20, frames / 10));
            Quality.AtMost("modal", "T60 of a mode", 100 * Math.Abs((measured / expected) - 1), 5, "%");
        }
    }

    [Fact]
    public void Struck_in_the_middle_it_has_no_even_modes()
    {
        using var rig = Struck(0f, 0f);
        rig["position"] = 0.5f;
        var samples = rig.Run("out", 70_000).AsSpan(2048, 65_536);
        Quality.AtMost("modal", "second mode, struck in the middle",
            Spectrum.Decibels(Spectrum.Level(samples, 2 * C4 / Rate) / Spectrum.Level(samples, C4 / Rate)), -60, "dB");
    }

    [Fact]
    public void A_strike_is_heard_in_its_very_frame_and_sleep_follows_the_tail()
    {
        using var rig = new Rig("modal") { ["decay"] = 0.3f };
        rig.Input = static (port, _, frame) => port <= 1 && frame is >= 333 and < 400 ? 10f : 0f;
        var samples = rig.Run("out", 2 * Rate);
        Assert.Equal(333, Array.FindIndex(samples, static v => v != 0f));
        Assert.InRange(samples.Max(Math.Abs), 1f, 10f);
        Assert.Equal(ProcessResult.Sleep, rig.LastResult);
        Assert.All(samples[^1000..], static v => Assert.Equal(0f, v));
    }

    [Fact]
    public void Modes_above_hearing_do_not_fold_back()
    {
        using var rig = Struck(1f, 3f);
        rig["damping"] = 0f;
        rig["decay"] = 12f;
        rig["hardness"] = 16_000f;
        var samples = rig.Run("out", 70_000).AsSpan(2048, 65_536);
        var wanted = Enumerable.Range(0, 32).Select(static k => C4 * 8 * Ratio(1f, k)).Where(static f => f < 24_000);
        Quality.AtMost("modal", "aliases", Spectrum.WorstOther(samples, Rate, 20_000, wanted), -80, "dB");
    }

    // Roots of cos x cosh x = 1 by bisection; the bell's from the book.
    private static double Ratio(float structure, int k) => structure switch
    {
        0f => k + 1,
        1f => Math.Pow(Root(k) / Root(0), 2),
        _ => Bell[k],
    };

    private static double Root(int k)
    {
        var (a, b) = ((k + 1.4) * Math.PI, (k + 1.6) * Math.PI);
        var sign = Math.Sign(Math.Cos(a) - (1 / Math.Cosh(a)));
        for (var i = 0; i < 60; i++)
        {
            var m = 0.5 * (a + b);
            if (Math.Sign(Math.Cos(m) - (1 / Math.Cosh(m))) == sign) a = m;
            else b = m;
        }

        return a;
    }

    private static Rig Struck(float structure, float volts, int rate = Rate) => new("modal", new RigOptions { Rate = rate, Quantum = 64 })
    {
        ["structure"] = structure,
        Input = (port, _, frame) => port == 0 && frame is > 0 and < 48 ? 10f : port == 1 ? 10f : port == 2 ? volts : 0f,
    };
}
