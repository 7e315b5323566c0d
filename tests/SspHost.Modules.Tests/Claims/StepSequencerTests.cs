// What the step sequencer claims: every step, repeat and slide at its frame; directions; chance, counted; edits that are kept.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class StepSequencerTests
{
    private const int Period = 960;
    private const int On = 0, Note = 1, Length = 2, Chance = 3, Repeats = 4, Slide = 5, Velocity = 6;

    [Fact]
    public void Each_tick_plays_the_next_step_at_its_frame()
    {
        using var rig = Clocked(100);
        rig["length1"] = 5f;
        for (var step = 0; step < 5; step++)
        {
            Edit(rig, 0, step, On, step == 3 ? 0f : 1f);
            Edit(rig, 0, step, Note, step * 0.25f);
            Edit(rig, 0, step, Velocity, step / 5f);
            Edit(rig, 0, step, Length, 0.5f);
        }

        var output = rig.Run(20 * Period);
        for (var i = 100 + (2 * Period); i < 20 * Period; i++)
        {
            var step = (i - 100) / Period % 5;
            var sounding = step == 3 ? 2 : step; // a step that is off keeps the note before
            Assert.Equal(sounding * 0.25f, output[0][0][i]);
            Assert.Equal((byte)((sounding / 5f * 255f) + 0.5f) * (10f / 255f), output[2][0][i], 1e-5);
            var part = 128.0 / 255.0; // half, as it is kept
            Assert.Equal(step != 3 && (i - 100) % Period < part * Period ? 10f : 0f, output[1][0][i]);
            Assert.Equal(step == 0 && (i - 100) % Period < 48 ? 10f : 0f, output[12][0][i]);
        }
    }

    [Theory]
    [InlineData(0, "0123401234012340")]
    [InlineData(1, "4321043210432104")]
    [InlineData(2, "0123432101234321")]
    public void Directions_go_their_way(int direction, string way)
    {
        Assert.Equal(way, Way(direction, 16));
    }

    [Fact]
    public void A_random_way_is_even_and_a_walk_goes_to_neighbours()
    {
        var random = Way(3, 5000);
        var counts = random.GroupBy(static c => c).Select(static g => g.Count()).ToArray();
        Assert.Equal(5, counts.Length);
        Assert.InRange(counts.Sum(static c => (c - 1000.0) * (c - 1000.0) / 1000.0), 0, 18.5); // 4 degrees of freedom, 99.9 %
        var walk = Way(4, 3000);
        var moves = walk.Zip(walk.Skip(1)).Select(static p => (p.Second - p.First + 5) % 5).ToArray();
        Assert.All(moves, static m => Assert.Contains(m, (int[])[0, 1, 4]));
        Assert.All([0, 1, 4], m => Assert.InRange(moves.Count(x => x == m), 900, 1100));
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void Repeats_divide_the_step_to_the_frame()
    {
        var worst = 0;
        for (var repeats = 1; repeats <= 8; repeats++)
        {
            using var rig = Clocked(0);
            rig["length1"] = 1f;
            Edit(rig, 0, 0, Repeats, repeats);
            Edit(rig, 0, 0, Length, 0.5f);
            Edit(rig, 0, 0, On, 1f);
            var rises = EdgeList.Rises(rig.Run("gate1", 8 * Period)).Where(static f => f >= 2 * Period).ToArray();
            var expected = Enumerable.Range(0, 6 * repeats).Select(k => (2 * Period) + ((k * Period) + repeats - 1) / repeats).ToArray();
            Assert.Equal(expected.Length, rises.Length);
            worst = Math.Max(worst, rises.Zip(expected).Max(static p => Math.Abs(p.First - p.Second)));
        }

        Quality.AtMost("step-sequencer", "repeats off by", worst, 0, "frames");
    }

    [Fact]
    public void Repeats_of_full_length_stay_apart()
    {
        using var rig = Clocked(0);
        rig["length1"] = 1f;
        Edit(rig, 0, 0, On, 1f);
        Edit(rig, 0, 0, Repeats, 2f);
        Edit(rig, 0, 0, Length, 1f);
        var gate = rig.Run("gate1", 6 * Period);

        // Open for nine tenths of 480 frames.
        for (var i = 2 * Period; i < 6 * Period; i++)
        {
            if (i % 480 is < 431 or > 433) Assert.Equal(i % 480 < 432 ? 10f : 0f, gate[i]);
        }
    }

    [Fact]
    public void A_slide_takes_its_time_on_a_straight_line_and_full_length_ties()
    {
        using var rig = Clocked(0);
        rig["length1"] = 2f;
        rig["slide"] = 0.01f;
        for (var step = 0; step < 2; step++)
        {
            Edit(rig, 0, step, On, 1f);
            Edit(rig, 0, step, Note, step);
            Edit(rig, 0, step, Slide, 1f);
            Edit(rig, 0, step, Length, 1f);
        }

        var output = rig.Run(8 * Period);
        for (var i = 2 * Period; i < 8 * Period; i++)
        {
            var part = Math.Min(i % Period / 480.0, 1.0);
            Assert.Equal(i / Period % 2 == 1 ? part : 1 - part, output[0][0][i], 1e-6);
            Assert.Equal(10f, output[1][0][i]);
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void A_step_plays_as_often_as_its_chance_says()
    {
        using var rig = new Rig("step-sequencer", new RigOptions { Quantum = 256, Cables = [1, 1, 0] });
        rig["length1"] = 1f;
        rig.Input = static (port, _, frame) => port == 0 && frame % 32 < 16 ? 10f : 0f;
        Edit(rig, 0, 0, On, 1f);
        Edit(rig, 0, 0, Chance, 0.2f);
        const int Count = 20_000;
        var played = EdgeList.Rises(rig.Run("gate1", Count * 32)).Length;
        Quality.AtMost("step-sequencer", "chance off by", Math.Abs(played - (0.2 * Count)) / Math.Sqrt(Count * 0.2 * 0.8), 3.29, "sigma");
    }

    [Fact]
    public void Tracks_divide_the_clock_and_transpose_on_their_own()
    {
        using var rig = new Rig("step-sequencer");
        rig["every2"] = 3f;
        rig["length2"] = 4f;
        rig["transpose2"] = 7f;
        for (var step = 0; step < 4; step++)
        {
            Edit(rig, 1, step, On, 1f);
            Edit(rig, 1, step, Note, step);
        }

        rig.Input = (port, _, frame) => port == 0 ? (frame % Period < 48 ? 10f : 0f) : port == 2 ? 0.5f : 0f;
        var output = rig.Run(30 * Period);
        for (var tick = 0; tick < 30; tick++) Assert.Equal((tick / 3 % 4) + (7f / 12f) + 0.5f, output[3][0][(tick * Period) + 500], 1e-5);
        
        // The first note lasts by the tempo, so that the second has to close its gate for a frame.
        Assert.Equal(Enumerable.Range(2, 8).Select(static k => k * 3 * Period), EdgeList.Rises(output[4][0]).Skip(2));
    }

    [Fact]
    public void Reset_makes_the_next_tick_the_first_and_edits_are_kept_with_the_patch()
    {
        using var rig = Clocked(0);
        rig["length1"] = 32f;
        for (var step = 0; step < 32; step++)
        {
            Edit(rig, 0, step, On, 1f);
            Edit(rig, 0, step, Note, step / 12f);
        }

        var clock = rig.Input;
        rig.Input = (port, c, frame) => port == 1 ? (frame == (6 * Period) - 1 ? 10f : 0f) : clock(port, c, frame);
        var pitch = rig.Run("pitch1", 10 * Period);
        Assert.Equal([0, 1, 2, 3, 4, 5, 0, 1, 2, 3], Enumerable.Range(0, 10).Select(k => (int)Math.Round(pitch[(k * Period) + 9] * 12)));

        using var other = Clocked(0);
        other["length1"] = 32f;
        Assert.True(other.LoadState(1, rig.SaveState()));
        var copy = other.Run("pitch1", 32 * Period);
        for (var k = 0; k < 32; k++) Assert.Equal(k / 12f, copy[(k * Period) + 9]);
        var broken = rig.SaveState();
        broken[6] = 0x20;
        Assert.False(other.LoadState(1, broken));
    }

    [Fact]
    public void MIDI_clock_plays_sixteenths_and_stop_ends_the_notes()
    {
        using var rig = new Rig("step-sequencer", new RigOptions { Cables = [0, 0, 0] });
        rig["length1"] = 1f;
        Edit(rig, 0, 0, On, 1f);
        rig.Events.Add(new ModuleEvent { Frame = 1, Kind = EventKind.Stop });
        rig.Events.Add(new ModuleEvent { Frame = 50, Kind = EventKind.Clock }); // clocks run also while stopped
        rig.Events.Add(new ModuleEvent { Frame = 100, Kind = EventKind.Start });
        for (var tick = 0; tick < 13; tick++) rig.Events.Add(new ModuleEvent { Frame = (ulong)(101 + (tick * 500)), Kind = EventKind.Clock });
        rig.Events.Add(new ModuleEvent { Frame = 6200, Kind = EventKind.Stop });
        var gate = rig.Run("gate1", 10_000);
        Assert.Equal([0, 101, 3101, 6101], EdgeList.Rises(gate));
        Assert.Equal(10f, gate[6199]);
        Assert.All(gate[6200..], static v => Assert.Equal(0f, v));
    }

    private static string Way(int direction, int count)
    {
        using var rig = new Rig("step-sequencer", new RigOptions { Quantum = 256, Cables = [1, 1, 0] });
        rig["length1"] = 5f;
        rig["direction1"] = direction;
        for (var step = 0; step < 5; step++)
        {
            Edit(rig, 0, step, On, 1f);
            Edit(rig, 0, step, Note, step);
        }

        rig.Input = static (port, _, frame) => port == 0 && frame % 32 < 16 ? 10f : 0f;
        var pitch = rig.Run("pitch1", count * 32L);
        return string.Concat(Enumerable.Range(0, count).Select(k => pitch[(k * 32) + 9].ToString("f0", CultureInfo.InvariantCulture)));
    }

    private static void Edit(Rig rig, int track, int step, int field, float value) => rig.Events.Add(new ModuleEvent
    {
        Target = 77, Kind = EventKind.Custom, Index = step + (32 * track) + (128 * field), Value = value,
    });

    private static Rig Clocked(int first) => new("step-sequencer", new RigOptions { Cables = [1, 1, 0] })
    {
        Input = (port, _, frame) => port == 0 && frame >= first && (frame - first) % Period < 48 ? 10f : 0f,
    };
}
