// What switch, matrix mixer and crossfade claim: ways at their frame, sums to the last bit, levels and loudness that stay.
namespace SspHost.Modules.Tests;

public class RoutingTests
{
    [Fact]
    public void A_switch_without_fade_is_there_in_the_frame_of_its_step()
    {
        using var rig = Switch(0f);
        rig["steps"] = 3f;
        rig["place"] = 1f;
        rig.Input = static (port, _, frame) => port switch { < 4 => port + 1f, 4 => 7f, 5 => frame % 100 < 10 && frame >= 100 ? 10f : 0f, _ => 0f };
        var output = rig.Run(2000);
        for (var i = 0; i < 2000; i++)
        {
            var way = ((i / 100) + 1) % 3;
            Assert.Equal(way + 1f, output[4][0][i]);
            for (var o = 0; o < 4; o++) Assert.Equal(o == way ? 7f : 0f, output[o][0][i]);
        }
    }

    [Fact]
    public void A_faded_switch_crosses_on_a_straight_line_in_its_time()
    {
        using var rig = Switch(0.01f);
        rig.Input = static (port, _, frame) => port switch { 0 => 2f, 1 => -3f, 5 => frame is >= 1000 and < 1010 ? 10f : 0f, _ => 0f };
        var output = rig.Run("out", 2000);
        for (var i = 0; i < 2000; i++)
        {
            var part = Math.Clamp((i - 999) / 480.0, 0.0, 1.0);
            Assert.Equal((2.0 * (1.0 - part)) - (3.0 * part), output[i], 1e-4);
        }
    }

    [Theory]
    [InlineData(0, "12341234")]
    [InlineData(1, "14321432")]
    [InlineData(2, "12343212")]
    public void A_switch_takes_turns_in_its_direction(int direction, string ways)
    {
        using var rig = Switch(0f);
        rig["direction"] = direction;
        rig.Input = static (port, _, frame) => port < 4 ? port + 1f : port == 5 && frame % 50 < 10 && frame >= 50 ? 10f : 0f;
        var output = rig.Run("out", 400);
        Assert.Equal(ways, string.Concat(Enumerable.Range(0, 8).Select(k => (int)output[(k * 50) + 20])));
    }

    [Fact]
    public void By_chance_it_never_stays_and_takes_every_other_way_as_often()
    {
        using var rig = Switch(0f);
        rig["direction"] = 3f;
        rig.Input = static (port, _, frame) => port < 4 ? port + 1f : port == 5 && frame % 16 < 8 ? 10f : 0f;
        var output = rig.Run("out", 3000 * 16);
        var ways = Enumerable.Range(0, 3000).Select(k => (int)output[(k * 16) + 9]).ToArray();
        var moves = ways.Zip(ways.Skip(1)).Select(static p => (p.Second - p.First + 4) % 4).ToArray();
        Assert.DoesNotContain(0, moves);
        Assert.InRange(Enumerable.Range(1, 3).Sum(m => Math.Pow(moves.Count(x => x == m) - 999.67, 2) / 999.67), 0, 13.8); // 99.9 %
    }

    [Fact]
    public void An_address_chooses_its_way_at_its_exact_voltage_and_does_not_chatter()
    {
        using var rig = Switch(0f);
        rig.Input = static (port, _, frame) => port < 4 ? port + 1f : port == 7 ? 2.5f * (frame / 100 % 4) : 0f;
        var output = rig.Run("out", 1600);
        for (var i = 0; i < 1600; i++) Assert.Equal((i / 100 % 4) + 1f, output[i]);

        using var noisy = Switch(0f);
        var random = new Random(2);
        noisy.Input = (port, _, _) => port < 4 ? port + 1f : port == 7 ? 5f + (0.08f * random.NextSingle()) - 0.04f : 0f;
        Assert.Single(noisy.Run("out", 4800)[16..].Distinct());
    }

    [Fact]
    public void An_address_is_left_only_well_below_the_voltage_at_which_it_is_entered()
    {
        // Way 3 from 4.95 V on, and back to way 2 below 4.825 V.
        float[] volts = [4.94f, 5f, 4.93f, 4.84f, 4.81f, 4.94f];
        using var rig = Switch(0f);
        rig.Input = (port, _, frame) => port < 4 ? port + 1f : port == 7 ? volts[frame / 32] : 0f;
        var output = rig.Run("out", 192);
        Assert.Equal([2f, 3f, 3f, 3f, 2f, 2f], Enumerable.Range(0, 6).Select(k => output[(k * 32) + 20]));
    }

    [Fact]
    public void A_level_of_the_matrix_that_leaves_zero_is_heard_from_its_first_frame_on()
    {
        using var rig = new Rig("matrix-mixer", new RigOptions { Quantum = 256 });
        var level = rig.IndexOf("level1_2");
        rig.Parameter = (i, grid) => i == level ? Math.Clamp((grid - 16) / 16f, 0f, 1f) : 0f;
        rig.Input = static (port, _, _) => port == 0 ? 4f : 0f;
        var output = rig.Run("out2", 768);
        for (var i = 0; i < 768; i++) Assert.Equal(4.0 * Math.Clamp((i - 256) / 256.0, 0, 1), output[i], 1e-5);
    }

    [Fact]
    public void Other_is_the_crossfade_with_the_two_exchanged()
    {
        foreach (var law in new[] { 0f, 1f })
        {
            using var rig = new Rig("crossfade") { ["fade"] = 0.3f, ["law"] = law };
            rig.Input = static (port, _, _) => port switch { 0 => 3f, 1 => -2f, _ => 0f };
            using var exchanged = new Rig("crossfade") { ["fade"] = 0.3f, ["law"] = law };
            exchanged.Input = static (port, _, _) => port switch { 0 => -2f, 1 => 3f, _ => 0f };
            Assert.Equal(exchanged.Run("out", 64), rig.Run("other", 64));
        }
    }

    [Fact]
    public void A_matrix_sums_each_row_into_each_column()
    {
        using var rig = new Rig("matrix-mixer", new RigOptions { Cables = [2, 1, 0, 1] });
        float[,] levels = { { 0.5f, -1f, 0f, 0.25f }, { 1f, 0f, 0.5f, -0.5f }, { 1f, 1f, 1f, 1f }, { 0f, 0.25f, 0f, 1f } };
        for (var row = 0; row < 4; row++)
        {
            for (var column = 0; column < 4; column++) rig[$"level{row + 1}_{column + 1}"] = levels[row, column];
        }

        float In(int port, int channel, long frame) => (port + 1) * (channel + 1) * ((frame % 64) - 32);
        rig.Input = In;
        var output = rig.Run(640);
        for (var column = 0; column < 4; column++)
        {
            for (var voice = 0; voice < 2; voice++)
            {
                for (var i = 0; i < 640; i++)
                    Assert.Equal((levels[0, column] * In(0, voice, i)) + (levels[1, column] * In(1, 0, i)) + (levels[3, column] * In(3, 0, i)),
                        output[column][voice][i]);
            }
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void A_crossfade_keeps_the_sum_of_levels_or_the_power()
    {
        foreach (var law in new[] { 0, 1 })
        {
            using var rig = new Rig("crossfade") { ["fade"] = 0f, ["law"] = law };
            rig.Input = static (port, _, frame) => port switch { 0 => 4f, 1 => 0f, _ => (frame / 1000f) - 1f };
            var output = rig.Run(12_800);
            var worst = 0.0;
            for (var i = 0; i < 12_800; i++)
            {
                var p = Math.Clamp(((i / 1000.0) - 1.0) / 10.0, 0, 1);
                var (a, b) = law == 0 ? (1 - p, p) : (Math.Cos(p * Math.PI / 2), Math.Sin(p * Math.PI / 2));
                worst = Math.Max(worst, Math.Max(Math.Abs((4 * a) - output[0][0][i]), Math.Abs((4 * b) - output[1][0][i])));
            }

            Quality.AtMost("crossfade", law == 0 ? "linear, level off by" : "equal power, level off by", worst * 1e6, 5, "uV");
            Assert.Equal(4f, output[0][0][0], 1e-5);
            Assert.Equal(4f, output[1][0][^1], 1e-5);
        }
    }

    private static Rig Switch(float fade) => new("switch") { ["fade"] = fade };
}
