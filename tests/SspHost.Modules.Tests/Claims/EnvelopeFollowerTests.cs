// What the envelope follower claims: exponential approach by its times, peak and RMS of known waves, a gate with hysteresis.
namespace SspHost.Modules.Tests;

public class EnvelopeFollowerTests
{
    [Theory]
    [InlineData(48_000, 0.005f, 0.15f)]
    [InlineData(44_100, 0.5f, 5f)]
    [InlineData(192_000, 0.0001f, 0.01f)]
    [Trait("Category", "Quality")]
    public void A_step_is_followed_by_the_time_constants(int rate, float attack, float release)
    {
        using var rig = new Rig("follower", new RigOptions { Rate = rate, Quantum = 256 }) { ["gain"] = 0f };
        rig["attack"] = attack;
        rig["release"] = release;
        var up = (int)(attack * rate * 6);
        rig.Input = (_, _, frame) => frame < up ? -4f : 0f;
        var output = rig.Run("env", up + (int)Math.Min(release * rate * 3, 400_000));
        var worst = 0.0;
        for (var i = 0; i < output.Length; i++)
        {
            var top = 4.0 * (1.0 - Math.Exp(-up / ((double)attack * rate)));
            var expected = i < up ? 4.0 * (1.0 - Math.Exp(-(i + 1) / ((double)attack * rate)))
                : top * Math.Exp(-(i - up + 1) / ((double)release * rate));
            worst = Math.Max(worst, Math.Abs(expected - output[i]));
        }

        Quality.AtMost("follower", "off its exponential by", worst * 1e6, 20, "uV");
    }

    [Fact]
    public void RMS_of_a_sine_is_its_amplitude_by_root_two_and_of_a_square_its_amplitude()
    {
        using var rig = new Rig("follower") { ["gain"] = 0f, ["detector"] = 1f, ["attack"] = 0.2f, ["release"] = 0.2f };
        rig.Input = static (_, _, frame) => 5f * (float)Math.Sin(frame * 0.2);
        var sine = rig.Run("env", 96_000)[90_000..].Average();
        Assert.InRange(Spectrum.Decibels(sine / (5.0 / Math.Sqrt(2))), -0.02, 0.02);
        rig.Input = static (_, _, frame) => frame / 50 % 2 == 0 ? 3f : -3f;
        Assert.Equal(3f, rig.Run("env", 192_000)[^1], 1e-3);
    }

    [Fact]
    public void The_peak_of_a_slowly_released_sine_is_its_amplitude_and_10_V_is_the_most()
    {
        using var rig = new Rig("follower") { ["attack"] = 0.0001f, ["release"] = 5f };
        rig.Input = static (_, _, frame) => 2.5f * (float)Math.Sin(frame * 0.05);
        var env = rig.Run("env", 96_000);
        Assert.InRange(env[^1], 5.0 * 0.9953 * 0.98, 5.0 * 0.99527 * 1.003); // 6 dB = 1.9953
        Assert.Equal(env[^1], rig.Telemetry(0), 0.01f);
        rig["gain"] = 36f;
        Assert.Equal(10f, rig.Run("env", 960)[^1]);
        Assert.Equal(-10f, rig.Run("inverse", 960)[^1]);
    }

    [Fact]
    public void The_gate_opens_at_the_threshold_and_closes_3_dB_below()
    {
        using var rig = new Rig("follower") { ["gain"] = 0f, ["threshold"] = 2f, ["attack"] = 0.0001f, ["release"] = 0.001f };
        rig.Input = static (_, _, frame) => 4f * (1f - Math.Abs((frame / 24_000f) - 1f));
        var output = rig.Run(48_000);
        var opens = Array.FindIndex(output[2][0], static v => v > 0f);
        var closes = Array.FindIndex(output[2][0], opens, static v => v == 0f);
        Assert.InRange(output[0][0][opens], 2f, 2.001f);
        Assert.InRange(output[0][0][closes], 2.0 * 0.7079 - 0.001, 2.0 * 0.7080);
    }
}
