// What the clock divider claims: every tick at the frame arithmetic says, for hours; swing; reset; clocks that waver.
using SspHost.Dsp;

namespace SspHost.Modules.Tests;

public class ClockDividerTests
{
    [Fact]
    [Trait("Category", "Quality")]
    public void Every_ratio_ticks_at_the_first_frame_not_before_its_time()
    {
        const int Period = 2401;
        var names = ClockRatios.Names;
        for (var first = 0; first < names.Length; first += 4)
        {
            using var rig = new Rig("clock-divider", new RigOptions { Quantum = 256, Cables = [1, 0] }) { ["width"] = 0f };
            for (var o = 0; o < 4; o++) rig[$"ratio{o + 1}"] = Math.Min(first + o, names.Length - 1);
            rig.Input = static (_, _, frame) => frame >= 7 && (frame - 7) % Period < 48 ? 10f : 0f;
            var output = rig.Run(40 * Period);
            for (var o = 0; o < 4 && first + o < names.Length; o++)
            {
                var (m, d) = Parse(names[first + o]);

                // The tempo is known from the second rise on.
                var expected = Enumerable.Range(0, 100_000).Select(j => (((long)j * Period * d) + m - 1) / m).Select(f => (int)f + 7)
                    .TakeWhile(static f => f < 40 * Period).Where(f => f > 7 + Period || (f - 7) % Period == 0);
                var ticks = EdgeList.Rises(output[o][0]).Where(static f => f < 40 * Period && (f > 7 + Period || (f - 7) % Period == 0)).ToArray();
                Assert.Equal(expected, ticks);
                Quality.AtMost("clock-divider", "ticks not at their frame", expected.Except(ticks).Count(), 0, "ticks");
            }
        }
    }

    // A night of ticks without the frames between them: a fast clock, a hundred thousand rises, the block that counts.
    [Fact]
    [Trait("Category", "Quality")]
    public void After_a_hundred_thousand_rises_a_tick_is_where_arithmetic_says()
    {
        const long Period = 37;
        const int Rises = 100_000;
        foreach (var (m, d) in new[] { (7, 1), (3, 2), (1, 7) })
        {
            var clock = default(ClockFollower);
            var ratio = default(ClockRatio);
            long worst = 0, ticks = 0;
            for (long frame = 0; frame < Rises * Period; frame++)
            {
                var rises = frame % Period == 0;
                clock.Next(rises);
                if (!ratio.Next(in clock, rises, m, d, 0.5)) continue;
                var j = frame * m / (Period * d);
                worst = Math.Max(worst, Math.Abs(frame - (((j * Period * d) + m - 1) / m)));
                ticks++;
            }

            Quality.AtMost("clock-divider", "tick off after 100000 rises by", worst, 0, "frames");
            Assert.InRange(ticks, (Rises * m / d) - m, (Rises * m / d) + 1); // those of the first period came unheard
        }
    }

    [Fact]
    public void Swing_delays_every_second_tick_of_its_output()
    {
        using var rig = new Rig("clock-divider", new RigOptions { Cables = [1, 0] });
        rig["ratio1"] = Array.IndexOf(ClockRatios.Names, "x4");
        rig["ratio2"] = Array.IndexOf(ClockRatios.Names, "/2");
        rig["swing1"] = 60f;
        rig["swing2"] = 75f;
        rig.Input = static (_, _, frame) => frame % 12_000 < 48 ? 10f : 0f;
        var output = rig.Run(12 * 12_000);
        var x4 = EdgeList.Rises(output[0][0]).Where(static f => f >= 12_000);
        Assert.Equal(Enumerable.Range(4, 44).Select(static k => (k / 2 * 6000) + (k % 2 * 3600)), x4);

        // Pairs of 48000 frames, the second at three quarters.
        Assert.Equal([48_000, 84_000, 96_000, 132_000], EdgeList.Rises(output[1][0]).Where(static f => f > 40_000));
    }

    [Fact]
    public void Width_is_a_part_of_the_tick_and_reset_lines_all_up()
    {
        using var rig = new Rig("clock-divider", new RigOptions { Cables = [1, 1] }) { ["width"] = 0.25f };
        rig["ratio1"] = Array.IndexOf(ClockRatios.Names, "/4");
        rig["ratio2"] = Array.IndexOf(ClockRatios.Names, "x2");
        rig.Input = static (port, _, frame) => port == 0 ? frame % 1000 < 48 ? 10f : 0f : frame is >= 6500 and < 6510 ? 10f : 0f;
        var output = rig.Run(20_000);
        Assert.Equal([0, 4000, 7000, 11_000, 15_000, 19_000], EdgeList.Rises(output[0][0]));
        for (var i = 8000; i < 20_000; i++)
        {
            Assert.Equal((i - 7000) % 4000 < 1000 ? 10f : 0f, output[0][0][i]);
            Assert.Equal(i % 500 < 125 ? 10f : 0f, output[1][0][i]);
        }
    }

    [Fact]
    public void A_clock_that_wavers_keeps_its_count()
    {
        // Intervals that go up and down by a third: x3 gives three a period (the last may be overtaken), /3 every third rise.
        var rises = new List<long> { 100 };
        for (var k = 0; k < 60; k++) rises.Add(rises[^1] + 3000 + (k * 377 % 1000));
        var clock = EdgeList.Clock(rises);
        using var rig = new Rig("clock-divider", new RigOptions { Cables = [1, 0] }) { ["width"] = 0f };
        rig["ratio1"] = Array.IndexOf(ClockRatios.Names, "x3");
        rig["ratio2"] = Array.IndexOf(ClockRatios.Names, "/3");
        rig.Input = (_, _, frame) => clock(frame);
        var output = rig.Run(rises[^1] - 1);
        var x3 = EdgeList.Rises(output[0][0]);
        var d3 = EdgeList.Rises(output[1][0]).Where(f => f < rises[^1] - 1);
        for (var k = 1; k + 1 < rises.Count; k++)
        {
            var within = x3.Where(f => f >= rises[k] && f < rises[k + 1]).ToArray();
            Assert.Equal(rises[k], within[0]);
            Assert.Equal(3, within.Length);
            var period = rises[k] - rises[k - 1];
            Assert.Equal(rises[k] + ((period + 2) / 3), within[1]);
        }

        Assert.Equal(rises.Where((f, k) => k % 3 == 0 && f < rises[^1] - 1).Select(static f => (int)f), d3);
    }

    private static (int M, int D) Parse(string name)
    {
        if (name[0] == '/') return (1, int.Parse(name[1..]));
        var parts = name[1..].Split('/');
        return (int.Parse(parts[0]), parts.Length > 1 ? int.Parse(parts[1]) : 1);
    }
}
