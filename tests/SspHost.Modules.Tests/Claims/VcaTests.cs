// What the VCA claims: its two responses to the last decibel, and nothing added.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class VcaTests
{
    [Fact]
    public void Gains_are_exact_over_the_whole_travel()
    {
        foreach (var response in new[] { 0, 1 })
        {
            using var rig = new Rig("vca") { ["response"] = response };
            rig.Input = static (port, _, frame) => port == 0 ? 5f : 0.1f + (frame * 0.001f);
            var output = rig.Run("out", 9900);
            var worst = 0.0;
            for (var i = 0; i < 9900; i++)
            {
                double x = (0.1f + (i * 0.001f)) / 10.0;
                var expected = 5.0 * (response == 0 ? x : (Math.Pow(10, 4.0 * x) - 1) / 9999.0);
                worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(output[i] / expected)));
            }

            Quality.AtMost("vca", $"gain error, {(response == 0 ? "linear" : "exponential")}", worst, 0.001, "dB");
        }
    }

    [Fact]
    public void It_adds_no_noise()
    {
        foreach (var response in new[] { 0, 1 })
        {
            using var rig = new Rig("vca") { ["response"] = response, ["level"] = 0.9f };
            rig.Input = static (port, _, frame) => port == 0 ? Tone.Sine(341, frame) : 9.3f;
            var samples = rig.Run("out", Tone.Count);
            Quality.AtMost("vca", "noise floor", Tone.NoiseFloor(samples, 48_000, Tone.Hertz(341)), -120, "dB of 5 V");
        }
    }
}
