// What the supersaw claims: seven frequencies, their levels, stereo, and no aliases.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class SupersawTests
{
    private const double C4 = 261.6255653005986;
    private const int Rate = 48_000;
    private static readonly double[] Offsets = [-0.11002313, -0.06288439, -0.01952356, 0, 0.01991221, 0.06216538, 0.10745242];

    [Fact]
    public void Full_detune_puts_seven_saws_where_they_were_measured()
    {
        using var rig = Saw(440.0, detune: 1f, mix: 1f, spread: 0f);
        var left = rig.Run("left", 4096 + 65_536)[4096..];
        var amount = Curve(1.0);
        Assert.InRange(amount, 0.99, 1.01);
        foreach (var offset in Offsets)
        {
            var expected = 440.0 * (1.0 + (offset * amount));
            Quality.AtMost("supersaw", "pitch error of each saw",
                Math.Abs(Spectrum.Cents(Spectrum.Frequency(left, expected / Rate) * Rate, expected)), 0.1, "cent");
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.5f)]
    [InlineData(1f)]
    public void Mix_sets_middle_and_sides_as_they_were_measured_at_the_same_power(float mix)
    {
        using var rig = Saw(440.0, detune: 1f, mix, spread: 0f);
        var left = rig.Run("left", 4096 + 65_536)[4096..];
        var (middle, side) = ((-0.55366 * mix) + 0.99785, (-0.73764 * mix * mix) + (1.2841 * mix) + 0.044372);
        var scale = 1.0 / Math.Sqrt((middle * middle) + (6 * side * side));
        for (var saw = 0; saw < 7; saw++)
        {
            var level = Spectrum.Level(left, 440.0 * (1.0 + (Offsets[saw] * Curve(1.0))) / Rate);
            Assert.Equal((saw == 3 ? middle : side) * scale * 5.0 * 2.0 / Math.PI, level, 2e-3);
        }
    }

    [Theory]
    [InlineData(443.2)]
    [InlineData(4003.7)]
    [InlineData(5003.7)]
    public void Aliases_below_20_kHz_are_80_dB_down(double hertz)
    {
        using var rig = Saw(hertz, detune: 1f, mix: 1f, spread: 1f);
        var left = rig.Run("left", 2048 + 65_536)[2048..];
        var f = C4 * Math.Pow(2, (float)Math.Log2(hertz / C4));
        var wanted = Offsets.SelectMany(o => Enumerable.Range(1, 60).Select(k => k * f * (1.0 + (o * Curve(1.0)))))
            .Where(static w => w < Rate / 2.0);
        Quality.AtMost("supersaw", "aliases below 20 kHz", Spectrum.WorstOther(left, Rate, 20_000, wanted), -80, "dB");
    }

    [Fact]
    public void Without_spread_both_sides_are_the_same_and_with_it_they_differ_at_the_same_power()
    {
        using var mono = Saw(220.0, 0.5f, 1f, 0f);
        var a = mono.Run(96_000);
        Assert.Equal(a[0][0], a[1][0]);
        using var wide = Saw(220.0, 0.5f, 1f, 1f);
        var b = wide.Run(96_000);
        double same = 0, left = 0, right = 0;
        for (var i = 4800; i < 96_000; i++)
        {
            same += b[0][0][i] * (double)b[1][0][i];
            left += b[0][0][i] * (double)b[0][0][i];
            right += b[1][0][i] * (double)b[1][0][i];
        }

        Assert.InRange(same / Math.Sqrt(left * right), -0.2, 0.8);
        Assert.InRange(Spectrum.Decibels(left / right) / 2, -1.5, 1.5);
    }

    [Fact]
    public void Detune_CV_of_10_V_is_the_whole_travel()
    {
        using var knob = Saw(220.0, 1f, 0.7f, 1f);
        using var cv = Saw(220.0, 0f, 0.7f, 1f);
        var pitch = cv.Input;
        cv.Input = (port, c, f) => port == 1 ? 10f : pitch(port, c, f);
        Assert.Equal(knob.Run("left", 4800), cv.Run("left", 4800));
    }

    // Szabo's polynomial for the detune knob.
    private static double Curve(double x) => (10028.7312891634 * Math.Pow(x, 11)) - (50818.8652045924 * Math.Pow(x, 10))
        + (111363.4808729368 * Math.Pow(x, 9)) - (138150.6761080548 * Math.Pow(x, 8)) + (106649.6679158292 * Math.Pow(x, 7))
        - (53046.9642751875 * Math.Pow(x, 6)) + (17019.9518580080 * Math.Pow(x, 5)) - (3425.0836591318 * Math.Pow(x, 4))
        + (404.2703938388 * Math.Pow(x, 3)) - (24.1878824391 * Math.Pow(x, 2)) + (0.6717417634 * x) + 0.0030115596;

    private static Rig Saw(double hertz, float detune, float mix, float spread)
    {
        var volts = (float)Math.Log2(hertz / C4);
        return new Rig("supersaw", new RigOptions { Quantum = 64 })
        {
            Input = (port, _, _) => port == 0 ? volts : 0f,
            ["detune"] = detune,
            ["mix"] = mix,
            ["spread"] = spread,
        };
    }
}
