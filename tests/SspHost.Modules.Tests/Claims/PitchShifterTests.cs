// What the pitch shifter claims: ratios to the cent, the level of what came in, its latency, and no aliases to speak of.
namespace SspHost.Modules.Tests;

public class PitchShifterTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(220.0, 12f)]
    [InlineData(220.0, -12f)]
    [InlineData(330.0, 7f)]
    [InlineData(1000.0, -5f)]
    [InlineData(110.0, 24f)]
    [InlineData(700.0, -24f)]
    [InlineData(440.0, 0.3f)]
    [Trait("Category", "Quality")]
    public void A_tone_is_shifted_by_the_ratio_at_its_level(double hertz, float semitones)
    {
        using var rig = new Rig("pitch-shifter", new RigOptions { Quantum = 64 });
        rig["mix"] = 1f;
        rig["shift"] = semitones;
        rig.Input = (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2 * Math.PI * hertz * frame / Rate) : 0f;
        var output = rig.Run("out", 8192 + 65_536).AsSpan(8192);
        var expected = hertz * Math.Pow(2, semitones / 12);
        var measured = Spectrum.Frequency(output, expected / Rate) * Rate;
        Quality.AtMost("pitch-shifter", "error of the ratio", Math.Abs(Spectrum.Cents(measured, expected)), 1, "cent");
        Quality.AtMost("pitch-shifter", "error of the level",
            Math.Abs(Spectrum.Decibels(Spectrum.Level(output, measured / Rate) / 5)), 0.5, "dB");
        Quality.AtMost("pitch-shifter", "purity of a sine", Spectrum.WorstOther(output, Rate, 20_000, [expected]), -40, "dB");
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void The_pitch_input_is_a_volt_an_octave()
    {
        using var rig = new Rig("pitch-shifter", new RigOptions { Quantum = 64 });
        rig["mix"] = 1f;
        rig["shift"] = 0f;
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2 * Math.PI * 300 * frame / Rate) : 0.5f;
        var output = rig.Run("out", 8192 + 65_536).AsSpan(8192);
        var expected = 300 * Math.Sqrt(2);
        Quality.AtMost("pitch-shifter", "error of the ratio",
            Math.Abs(Spectrum.Cents(Spectrum.Frequency(output, expected / Rate) * Rate, expected)), 1, "cent");
    }

    [Theory]
    [InlineData(44_100, 0)]
    [InlineData(48_000, 1)]
    [InlineData(192_000, 0)]
    public void Unshifted_it_is_a_delay_of_the_declared_latency(int rate, int quality)
    {
        using var rig = new Rig("pitch-shifter", new RigOptions { Rate = rate, Settings = new() { ["quality"] = quality } });
        rig["mix"] = 1f;
        rig["shift"] = 0f;
        rig.Input = static (port, _, frame) => port == 0 && frame == 100 ? 5f : 0f;
        var output = rig.Run("out", 20_000);
        for (var i = 0; i < output.Length; i++) Assert.Equal(i == 100 + rig.Timing.LatencyFrames ? 5f : 0f, output[i], 1e-6f);
    }

    [Theory]
    [InlineData(7f)]
    [InlineData(-7f)]
    [Trait("Category", "Quality")]
    public void Noise_keeps_its_level(float semitones)
    {
        var random = new Random(1);
        var noise = Enumerable.Range(0, 1 << 17).Select(_ => (2f * random.NextSingle()) - 1f).ToArray();

        // Below 5 kHz, so that nothing is lost above hearing.
        for (var pass = 0; pass < 3; pass++)
        {
            for (var i = 1; i < noise.Length; i++) noise[i] = noise[i - 1] + (0.4f * (noise[i] - noise[i - 1]));
        }

        using var rig = new Rig("pitch-shifter", new RigOptions { Quantum = 256 });
        rig["mix"] = 1f;
        rig["shift"] = semitones;
        rig.Input = (port, _, frame) => port == 0 ? noise[frame] : 0f;
        var output = rig.Run("out", noise.Length).AsSpan(8192).ToArray();
        var level = Math.Sqrt(output.Average(static v => (double)v * v) / noise.Average(static v => (double)v * v));
        Quality.AtMost("pitch-shifter", "error of the level of noise", Math.Abs(Spectrum.Decibels(level)), 0.5, "dB");
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void What_would_fold_back_is_gone_before()
    {
        using var rig = new Rig("pitch-shifter", new RigOptions { Quantum = 256 });
        rig["mix"] = 1f;
        rig["shift"] = 12f;
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2 * Math.PI * 16_000 * frame / Rate) : 0f;
        var output = rig.Run("out", 32_768).AsSpan(16_384);
        Quality.AtMost("pitch-shifter", "16 kHz an octave up", Spectrum.Decibels(Spectrum.Magnitudes(output).Max() / 5), -60, "dB");
    }
}
