// What the panner claims: equal power at every place, -3 dB in the middle, voices side by side.
namespace SspHost.Modules.Tests;

public class PannerTests
{
    [Fact]
    [Trait("Category", "Quality")]
    public void Power_is_the_same_at_every_place_and_the_middle_is_3_dB_down()
    {
        using var rig = new Rig("panner");
        rig.Input = static (port, _, frame) => port == 0 ? 4f : (frame / 1000f) - 6f;
        var output = rig.Run(12_000);
        var worst = 0.0;
        for (var i = 0; i < 12_000; i++)
        {
            var p = Math.Clamp(((i / 1000.0) - 6.0) / 5.0, -1, 1);
            worst = Math.Max(worst, Math.Abs((4.0 * Math.Cos((p + 1) * Math.PI / 4)) - output[0][0][i]));
            worst = Math.Max(worst, Math.Abs((4.0 * Math.Sin((p + 1) * Math.PI / 4)) - output[1][0][i]));
        }

        Quality.AtMost("panner", "level off by", worst * 1e6, 5, "uV");

        Assert.Equal(-3.0103, Spectrum.Decibels(output[0][0][6000] / 4.0), 1e-4);
        Assert.Equal(0f, output[1][0][0]);
        Assert.Equal(4f, output[1][0][^1], 1e-5);
    }

    [Fact]
    public void Voices_are_spread_evenly_and_summed()
    {
        using var rig = new Rig("panner", new RigOptions { Cables = [5, 0] }) { ["spread"] = 0.6f, ["pan"] = 0.1f, ["level"] = 0.5f };
        rig.Input = static (_, channel, frame) => (float)Math.Sin(frame * 0.01 * (channel + 1));
        var output = rig.Run(4800);
        for (var i = 0; i < 4800; i++)
        {
            double left = 0, right = 0;
            for (var voice = 0; voice < 5; voice++)
            {
                var angle = (0.1 + (0.6 * ((voice / 2.0) - 1.0)) + 1.0) * Math.PI / 4;
                left += 0.5 * Math.Sin(i * 0.01 * (voice + 1)) * Math.Cos(angle);
                right += 0.5 * Math.Sin(i * 0.01 * (voice + 1)) * Math.Sin(angle);
            }

            Assert.Equal(left, output[0][0][i], 1e-5);
            Assert.Equal(right, output[1][0][i], 1e-5);
        }
    }
}
