// The spectrum: a sine reads its level at its place, and nothing is where there is nothing.
namespace SspHost.Modules.Tests;

public class SpectrumTests
{
    private const int Points = 241;

    [Theory]
    [InlineData(48_000)]
    [InlineData(96_000)]
    [Trait("Category", "Quality")]
    public void A_sine_reads_its_level_at_its_place(int rate)
    {
        double level = 0, place = 0, beside = double.NegativeInfinity;
        foreach (var (hertz, volts) in new[] { (82.4, 5.0), (440.0, 5.0), (997.0, 0.05), (2511.7, 5.0), (9876.5, 0.5), (17_500.0, 5.0) })
        {
            using var rig = Make(rate, (_, _, frame) => (float)(volts * Math.Sin(2.0 * Math.PI * hertz * frame / rate)));
            rig["average"] = 0f;
            rig.Run(3 * 4096 * (rate / 48_000));
            var point = (int)Math.Round(Point(hertz));
            var expected = Spectrum.Decibels(volts / 5.0);
            level = Math.Max(level, Math.Abs(rig.Telemetry(point) - expected));
            level = Math.Max(level, Math.Abs(rig.Telemetry((2 * Points) + 1) - expected));
            place = Math.Max(place, Math.Abs(rig.Telemetry(2 * Points) - hertz));

            // The lobe is six bins of 11.7 Hz to either side; a point may be half a point and half a bin wider.
            for (var p = 0; p < Points; p++)
            {
                var at = 20.0 * Math.Pow(1000.0, p / 240.0);
                if (Math.Abs(at - hertz) > (0.0145 * at) + (7.0 * 11.72)) beside = Math.Max(beside, rig.Telemetry(p) - expected);
            }
        }

        Quality.AtMost("spectrum", "level of a sine", level, 0.1, "dB");
        Quality.AtMost("spectrum", "frequency of the strongest", place, 0.5, "Hz");
        Quality.AtMost("spectrum", "what is beside a sine", beside, -110, "dB");
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void White_noise_is_as_loud_as_its_density_says_and_silence_is_the_floor()
    {
        using var rig = Make(48_000, static (_, _, frame) => (float)((Performance.Hash(frame, 3, 5) - 0.5) * 2.0));
        rig["average"] = 2f;
        rig.Run(48_000 * 4);

        // A power of 1/3 over 2048 bins of 4.2186 bins of noise; where a point has one bin, a sine's 12.5 being 0 dB.
        var expected = 10.0 * Math.Log10(1.0 / 3.0 / 12.5 / 2048.0 * 4.2186);
        var mean = Enumerable.Range(20, 30).Average(p => Math.Pow(10.0, rig.Telemetry(p) / 10.0));
        Quality.AtMost("spectrum", "density of a white noise", Math.Abs((10.0 * Math.Log10(mean)) - expected), 2.5, "dB");

        using var silent = Make(48_000, static (_, _, _) => 0f);
        silent.Run(12_288);
        Assert.All(Enumerable.Range(0, Points), p => Assert.Equal(-160f, silent.Telemetry(p)));
    }

    [Fact]
    public void Peaks_stay_until_they_are_switched_off_and_hold_keeps_everything()
    {
        using var rig = Make(48_000, static (_, _, frame) => frame < 24_000 ? (float)(5.0 * Math.Sin(2.0 * Math.PI * 1000.0 * frame / 48_000)) : 0f);
        rig["average"] = 0f;
        rig["peaks"] = 1f;
        rig.Run(48_000);
        var point = (int)Math.Round(Point(1000));
        Assert.Equal(-160f, rig.Telemetry(point));

        // A window that begins within the sound reads up to 0.2 dB more than a whole one: its negative edge is missing.
        var peak = rig.Telemetry(Points + point);
        Assert.InRange(peak, -0.01f, 0.25f);
        rig["hold"] = 1f;
        rig["peaks"] = 0f;
        rig.Run(9600);
        Assert.Equal(peak, rig.Telemetry(Points + point));
        rig["hold"] = 0f;
        rig.Run(9600);
        Assert.Equal(-160f, rig.Telemetry(Points + point));
    }

    [Fact]
    public void An_average_falls_by_its_time()
    {
        using var rig = Make(48_000, static (_, _, frame) => frame < 96_000 ? (float)(5.0 * Math.Sin(2.0 * Math.PI * 1000.0 * frame / 48_000)) : 1e-4f * (float)Performance.Hash(frame, 1, 1));
        rig["average"] = 0.3f;
        rig.Run(96_000 + 4096 + 1024);
        var point = (int)Math.Round(Point(1000));
        var before = rig.Telemetry(point);
        rig.Run(14_336); // fourteen hops: 0.2987 s
        Assert.Equal(10.0 * Math.Log10(Math.Exp(-14_336 / 14_400.0)), rig.Telemetry(point) - before, 0.05);
    }

    private static double Point(double hertz) => 240.0 * Math.Log(hertz / 20.0) / Math.Log(1000.0);

    private static Rig Make(int rate, Func<int, int, long, float> input) => new("spectrum", new RigOptions { Rate = rate, Quantum = 64 }) { Input = input };
}
