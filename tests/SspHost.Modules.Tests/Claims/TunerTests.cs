// The tuner: within a tenth of a cent for sines and a cent for anything with harmonics, from the lowest A of a piano up to 4 kHz.
namespace SspHost.Modules.Tests;

public class TunerTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData("sines, 27.5 Hz to 4 kHz", 1, 0.0, 0.1)]
    [InlineData("saws, 27.5 Hz to 4 kHz", 1000, 0.0, 1.0)]
    [InlineData("sines with noise 40 dB below", 1, 0.01, 1.0)]
    [InlineData("saws with noise 40 dB below", 1000, 0.01, 1.0)]
    [Trait("Category", "Quality")]
    public void It_reads_a_pitch(string claim, int harmonics, double noise, double limit)
    {
        var worst = 0.0;
        foreach (var hertz in new[] { 27.5, 41.203, 65.41, 110.3, 196.7, 329.6, 523.1, 987.7, 1760.9, 3000.3, 4000.0 })
        {
            using var rig = Play(hertz, harmonics, noise);
            var output = rig.Run(8192 + (2 * 2048) + 64);
            worst = Math.Max(worst, Math.Abs(Spectrum.Cents(rig.Telemetry(0), hertz)));
            worst = Math.Max(worst, Math.Abs((output[1][0][^1] - Math.Log2(hertz / 261.6255653)) * 1200.0));
            Assert.Equal(10f, output[2][0][^1]);
        }

        Quality.AtMost("tuner", claim, worst, limit, "cents");
    }

    [Fact]
    public void It_names_the_note_and_the_cents_by_its_reference()
    {
        using var rig = Play(440.0 * Math.Pow(2.0, 0.13 / 12.0), 1, 0);
        rig.Run(12_416);
        Assert.Equal((69f, 13f), (rig.Telemetry(1), MathF.Round(rig.Telemetry(2), 1)));
        rig["reference"] = 432f;
        rig.Run(4160);
        Assert.Equal(69f, rig.Telemetry(1));
        Assert.Equal(13.0 + (1200.0 * Math.Log2(440.0 / 432.0)), rig.Telemetry(2), 0.05);
    }

    [Fact]
    public void A_note_that_ends_closes_the_gate_and_leaves_the_pitch_and_noise_has_none()
    {
        using var rig = Play(220.0, 10, 0);
        var playing = rig.Input;
        rig.Input = (port, channel, frame) => frame < 24_000 ? playing(port, channel, frame) : 0f;
        var output = rig.Run(48_000);
        Assert.Equal((10f, 0f), (output[2][0][20_000], output[2][0][^1]));
        Assert.Equal(output[1][0][20_000], output[1][0][^1], 0.01f);
        Assert.Equal(0f, rig.Telemetry(0));

        using var noise = new Rig("tuner") { Input = static (_, _, frame) => (float)((10.0 * Performance.Hash(frame, 1, 2)) - 5.0) };
        Assert.All(noise.Run(24_000)[2][0], static v => Assert.Equal(0f, v));
    }

    [Fact]
    public void What_is_quieter_than_the_threshold_is_not_heard()
    {
        using var rig = Play(220.0, 1, 0, volts: 0.01); // -54 dB
        Assert.Equal(0f, rig.Run(24_000)[2][0][^1]);
        rig["threshold"] = -60f;
        Assert.Equal(10f, rig.Run(24_000)[2][0][^1]);
    }

    [Theory]
    [InlineData(44_100)]
    [InlineData(192_000)]
    public void It_reads_at_other_rates(int rate)
    {
        using var rig = Play(246.94, 1000, 0, rate: rate);
        rig.Run(rate / 3);
        Assert.InRange(Math.Abs(Spectrum.Cents(rig.Telemetry(0), 246.94)), 0, 1);
    }

    [Theory]
    [InlineData(0.3, true)]
    [InlineData(0.75, false)]
    public void A_note_is_heard_until_noise_is_more_than_a_fifth_of_it(double noise, bool heard)
    {
        // Likeness a period later is the note's part of the power: 1 / (1 + noise^2), 0.92 and 0.64.
        using var rig = Play(220.0, 1, noise);
        var gate = rig.Run(24_000)[2][0];
        Assert.Equal(heard ? 10f : 0f, gate[^1]);
        Assert.Equal(1.0 / (1.0 + (noise * noise)), rig.Telemetry(3), 0.06);
    }

    // Harmonics of a saw below half the rate, summed from phases of double precision, over an offset of 0.7 V.
    private static Rig Play(double hertz, int harmonics, double noise, double volts = 5.0, int rate = Rate)
    {
        var most = Math.Min(harmonics, (int)(0.45 * rate / hertz));
        return new("tuner", new RigOptions { Rate = rate, Quantum = 64 })
        {
            Input = (_, _, frame) =>
            {
                var turns = (frame * hertz / rate) + 0.123;
                turns -= Math.Floor(turns);
                var (sin, cos) = Math.SinCos(2.0 * Math.PI * turns);
                double before = 0.0, now = sin, sum = 0.0;
                for (var k = 1; k <= most; k++)
                {
                    sum += now / k;
                    (before, now) = (now, (2.0 * cos * now) - before);
                }

                var level = most == 1 ? volts : volts * 2.0 / Math.PI;
                return (float)(0.7 + (level * sum) + (noise * volts * Math.Sqrt(1.5) * ((2.0 * Performance.Hash(frame, 7, 9)) - 1.0)));
            },
        };
    }
}
