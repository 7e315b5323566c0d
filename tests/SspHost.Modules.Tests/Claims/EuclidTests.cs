// What Euclid claims: the rhythms of Toussaint's table, rotated, each step at its clock.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class EuclidTests
{
    private const int Period = 64;

    // Toussaint, The Euclidean Algorithm Generates Traditional Musical Rhythms, 2005, section 4.
    [Theory]
    [InlineData(2, 3, "x.x")]
    [InlineData(2, 5, "x.x..")]
    [InlineData(3, 4, "x.xx")]
    [InlineData(3, 5, "x.x.x")]
    [InlineData(3, 7, "x.x.x..")]
    [InlineData(3, 8, "x..x..x.")]
    [InlineData(4, 7, "x.x.x.x")]
    [InlineData(4, 9, "x.x.x.x..")]
    [InlineData(4, 11, "x..x..x..x.")]
    [InlineData(5, 6, "x.xxxx")]
    [InlineData(5, 7, "x.xx.xx")]
    [InlineData(5, 8, "x.xx.xx.")]
    [InlineData(5, 9, "x.x.x.x.x")]
    [InlineData(5, 11, "x.x.x.x.x..")]
    [InlineData(5, 12, "x..x.x..x.x.")]
    [InlineData(5, 16, "x..x..x..x..x...")]
    [InlineData(7, 8, "x.xxxxxx")]
    [InlineData(7, 12, "x.xx.x.xx.x.")]
    [InlineData(7, 16, "x..x.x.x..x.x.x.")]
    [InlineData(9, 16, "x.xx.x.x.xx.x.x.")]
    [InlineData(11, 24, "x..x.x.x.x.x..x.x.x.x.x.")]
    [InlineData(13, 24, "x.xx.x.x.x.x.xx.x.x.x.x.")]
    public void Its_rhythms_are_those_of_the_table(int pulses, int steps, string rhythm)
    {
        using var rig = Clocked();
        rig["steps1"] = steps;
        rig["pulses1"] = pulses;
        var gate = rig.Run("gate1", 2L * steps * Period);
        Assert.Equal(rhythm + rhythm, Read(gate, 2 * steps));
    }

    [Fact]
    public void Every_rhythm_has_its_pulses_and_gaps_that_differ_by_one_at_most()
    {
        for (var steps = 1; steps <= 32; steps++)
        {
            for (var pulses = 0; pulses <= steps; pulses++)
            {
                var pattern = Dsp.EuclideanRhythm.Pattern(pulses, steps);
                var at = Enumerable.Range(0, steps).Where(i => (pattern >> i & 1) != 0).ToArray();
                Assert.Equal(pulses, at.Length);
                if (pulses == 0) continue;
                Assert.Equal(0, at[0]);
                var gaps = at.Select((p, i) => (i + 1 < at.Length ? at[i + 1] : at[0] + steps) - p).ToArray();
                Assert.InRange(gaps.Max() - gaps.Min(), 0, 1);
            }
        }
    }

    [Fact]
    public void Rotation_begins_it_later_and_rows_go_their_own_way()
    {
        using var rig = Clocked();
        rig["steps1"] = 8f;
        rig["pulses1"] = 3f;
        rig["rotation1"] = 2f;
        rig["steps2"] = 5f;
        rig["pulses2"] = 2f;
        var output = rig.Run(40 * Period);
        Assert.Equal("x.x..x..", Read(output[0][0], 8)); // x..x..x. two steps later
        Assert.Equal(string.Concat(Enumerable.Repeat("x.x..", 8)), Read(output[1][0], 40));
        for (var i = 0; i < output[4][0].Length; i++)
        {
            var any = output[0][0][i] + output[1][0][i] + output[2][0][i] + output[3][0][i] > 0f;
            Assert.Equal(any ? 10f : 0f, output[4][0][i]);
            Assert.Equal(!any && i % Period < Period / 2 ? 10f : 0f, output[5][0][i]);
        }
    }

    [Fact]
    public void Reset_lines_all_rows_up_and_a_start_does_too()
    {
        using var rig = Clocked();
        rig["steps1"] = 7f;
        rig["pulses1"] = 1f;
        rig["steps2"] = 5f;
        rig["pulses2"] = 1f;
        var clock = rig.Input;
        rig.Input = (port, c, frame) => port == 1 ? (frame == (13 * Period) - 5 ? 10f : 0f) : clock(port, c, frame);
        rig.Events.Add(new ModuleEvent { Frame = (17 * Period) - 3, Kind = EventKind.Start });
        var output = rig.Run(26 * Period);
        Assert.Equal([0, 7, 13, 17, 24], EdgeList.Rises(output[0][0]).Select(static f => f / Period));
        Assert.Equal([0, 5, 10, 13, 17, 22], EdgeList.Rises(output[1][0]).Select(static f => f / Period));
    }

    [Fact]
    public void By_itself_it_plays_sixteenths_of_its_tempo()
    {
        using var rig = new Rig("euclid", new RigOptions { Cables = [0, 0] }) { ["tempo"] = 150f };
        rig["steps1"] = 1f;
        rig["pulses1"] = 1f;
        Assert.Equal(Enumerable.Range(0, 20).Select(static k => k * 4800), EdgeList.Rises(rig.Run("gate1", 96_000)));
    }

    [Theory]
    [InlineData(32, 32)]
    [InlineData(40, 7)]
    public void As_many_pulses_as_steps_or_more_are_all_of_them(int pulses, int steps)
    {
        using var rig = Clocked();
        rig["steps1"] = steps;
        rig["pulses1"] = pulses;
        Assert.Equal(new string('x', steps), Read(rig.Run("gate1", (long)steps * Period), steps));
    }

    private static string Read(float[] gate, int steps) =>
        string.Concat(Enumerable.Range(0, steps).Select(k => gate[(k * Period) + 3] > 0f ? 'x' : '.'));

    private static Rig Clocked() => new("euclid")
    {
        Input = static (port, _, frame) => port == 0 && frame % Period < Period / 2 ? 10f : 0f,
    };
}
