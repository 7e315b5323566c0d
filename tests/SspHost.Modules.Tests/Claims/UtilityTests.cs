// What attenuverter, comparator and logic claim: arithmetic and truth tables, to the last bit and frame.
namespace SspHost.Modules.Tests;

public class UtilityTests
{
    [Fact]
    public void An_attenuverter_multiplies_and_adds_voice_by_voice()
    {
        using var rig = new Rig("attenuverter", new RigOptions { Cables = [3, 1, 0, 1] })
        {
            ["amount1"] = -0.5f, ["offset1"] = 2f, ["amount2"] = 2f, ["offset3"] = -7f,
        };
        rig.Input = static (port, channel, frame) => (port + 1) * (channel + 1) * ((frame % 64) - 32);
        var output = rig.Run(640);
        for (var i = 0; i < 640; i++)
        {
            var x = (i % 64) - 32;
            for (var voice = 0; voice < 3; voice++)
            {
                Assert.Equal((-0.5f * (voice + 1) * x) + 2f, output[0][voice][i]);
                Assert.Equal(2f * 2 * x, output[1][voice][i]);
                Assert.Equal(-7f, output[2][voice][i]);
                Assert.Equal(4f * x, output[3][voice][i]);
            }
        }
    }

    [Fact]
    public void A_comparator_opens_above_and_closes_below_by_its_hysteresis()
    {
        using var rig = new Rig("comparator") { ["threshold"] = 1f, ["hysteresis"] = 0.5f };

        // A triangle of +-4 V against 0.5 V: up through 1.75 V, down through 1.25 V.
        static float A(long frame) => Math.Abs((frame % 1600) - 800) / 100f - 4f;
        rig.Input = static (port, _, frame) => port == 0 ? A(frame) : 0.5f;
        var output = rig.Run(16_000);
        var (high, left) = (false, 0);
        for (var i = 0; i < 16_000; i++)
        {
            var a = A(i);
            var was = high;
            high = high ? a - 0.5f - 1f > -0.25f : a - 0.5f - 1f >= 0.25f;
            if (high != was && i > 0) left = 48;
            Assert.Equal(high ? 10f : 0f, output[0][0][i]);
            Assert.Equal(high ? 0f : 10f, output[1][0][i]);
            Assert.Equal(left > 0 ? 10f : 0f, output[2][0][i]);
            left--;
            if (a >= 1.751f) Assert.True(high);
            if (a <= 1.249f) Assert.False(high);
        }
    }

    [Fact]
    public void A_comparator_ignores_noise_within_its_hysteresis()
    {
        using var rig = new Rig("comparator", new RigOptions { Cables = [1, 0] }) { ["hysteresis"] = 0.2f };
        var random = new Random(1);
        rig.Input = (_, _, frame) => frame == 0 ? 1f : (0.18f * random.NextSingle()) - 0.09f;
        Assert.All(rig.Run("above", 9600), static v => Assert.Equal(10f, v));
    }

    [Fact]
    public void Logic_is_its_truth_table_with_the_hysteresis_of_gates()
    {
        using var rig = new Rig("logic");

        // 0.5 V is neither: it keeps what was.
        float[] levels = [0f, 10f, 0.5f, 0f, 0.5f, 1f];
        bool[] states = [false, true, true, false, false, true];
        rig.Input = (port, _, frame) => port == 0 ? levels[frame / 10 % 6] : levels[frame / 60 % 6];
        var output = rig.Run(3600);
        var flip = false;
        for (var i = 0; i < 3600; i++)
        {
            var (a, b) = (states[i / 10 % 6], states[i / 60 % 6]);
            if (a && i % 10 == 0 && i > 0 && !states[(i - 1) / 10 % 6]) flip = !flip;
            if (b && i % 60 == 0 && i > 0 && !states[(i - 1) / 60 % 6]) flip = false;
            bool[] expected = [a && b, a || b, a != b, !(a && b), !(a || b), !a, flip];
            for (var o = 0; o < expected.Length; o++) Assert.Equal(expected[o] ? 10f : 0f, output[o][0][i]);
        }
    }
}
