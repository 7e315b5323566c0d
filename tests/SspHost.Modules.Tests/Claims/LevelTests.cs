// What VCA, mixer and the audio jacks claim: gains and sums, to the last bit where there is nothing to round.
namespace SspHost.Modules.Tests;

public class LevelTests
{
    [Fact]
    public void A_linear_VCA_multiplies_by_a_tenth_of_its_CV()
    {
        using var rig = new Rig("vca") { ["level"] = 0.5f };
        rig.Input = static (port, _, frame) => port == 0 ? 3f : (frame * 0.01f) - 2f;
        var output = rig.Run("out", 2000);
        for (var i = 0; i < output.Length; i++) Assert.Equal(3.0 * 0.5 * Math.Clamp(((i * 0.01) - 2.0) / 10.0, 0, 1), output[i], 1e-5);
    }

    [Fact]
    public void An_exponential_VCA_has_80_dB_of_travel_and_exact_ends()
    {
        using var rig = new Rig("vca") { ["response"] = 1f };
        rig.Input = static (port, _, frame) => port == 0 ? 4f : Math.Min(frame * 0.01f, 10f);
        var output = rig.Run("out", 1200);
        Assert.Equal(0f, output[0]);
        Assert.Equal(4f, output[^1], 1e-5);
        for (var i = 0; i < 1000; i++) Assert.Equal(4.0 * (Math.Pow(10, 4.0 * i / 1000.0) - 1) / 9999.0, output[i], 1e-4 * 4);
        Assert.InRange(Spectrum.Decibels(output[500] / 4.0), -40.1, -39.9);
    }

    [Fact]
    public void A_VCA_without_CV_is_open()
    {
        using var rig = new Rig("vca", new RigOptions { Cables = [1, 0] });
        rig.Input = static (_, _, frame) => (float)Math.Sin(frame * 0.1);
        var output = rig.Run("out", 960);
        for (var i = 0; i < output.Length; i++) Assert.Equal((float)Math.Sin(i * 0.1), output[i]);
    }

    [Fact]
    public void A_mixer_sums_its_inputs_by_their_levels()
    {
        using var rig = new Rig("mixer", new RigOptions { Cables = [1, 1, 0, 1] }) { ["level1"] = 0.5f, ["level2"] = 1f,
            ["level4"] = 0.25f, ["master"] = 2f };
        rig.Input = static (port, _, frame) => (port + 1) * ((frame % 64) - 32);
        var output = rig.Run("out", 960);
        for (var i = 0; i < output.Length; i++) Assert.Equal(2f * (0.5f + 2f + 1f) * ((i % 64) - 32), output[i]);
    }

    [Fact]
    public void Audio_in_and_out_pass_each_jack_unchanged_at_level_1()
    {
        foreach (var id in new[] { "audio-in", "audio-out" })
        {
            using var rig = new Rig(id);
            Func<int, int, long, float> signal = static (port, _, frame) => port == 3
                ? 0f : (float)Math.Sin((port + 1) * frame * 0.01) * (port + 1);
            rig.Input = signal;
            var output = rig.Run(1920);
            for (var jack = 0; jack < 8; jack++)
            {
                for (var i = 0; i < 1920; i++) Assert.Equal(signal(jack, 0, i), output[jack][0][i]);
            }
        }
    }

    [Fact]
    public void Audio_out_meters_the_peak_of_the_last_quantum()
    {
        using var rig = new Rig("audio-out") { ["level"] = 0.5f };
        rig.Input = static (port, _, frame) => port == 2 ? (frame == 40 ? -7f : 1f) : 0f;
        rig.Run(32);
        Assert.Equal(0.5f, rig.Telemetry(2));
        rig.Run(32);
        Assert.Equal(3.5f, rig.Telemetry(2));
        Assert.Equal(0f, rig.Telemetry(0));
    }
}
