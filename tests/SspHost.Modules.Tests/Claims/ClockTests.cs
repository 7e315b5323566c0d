// What the clock claims: each tick at the frame arithmetic says, for hours; swing, widths, and following another clock.
namespace SspHost.Modules.Tests;

public class ClockTests
{
    private const int Rate = 48_000;

    private static readonly (string Port, int Numerator, int Denominator)[] Ratios =
        [("x24", 24, 1), ("x4", 4, 1), ("x3", 3, 1), ("x2", 2, 1), ("x1", 1, 1), ("d2", 1, 2), ("d4", 1, 4), ("d8", 1, 8), ("d16", 1, 16)];

    [Theory]
    [InlineData(48_000, 120f)]
    [InlineData(44_100, 133.7f)]
    [InlineData(192_000, 299.999f)]
    [Trait("Category", "Quality")]
    public void Tick_k_comes_at_the_first_frame_not_before_its_time(int rate, float bpm)
    {
        using var rig = Free(rate, 256);
        rig["tempo"] = bpm;
        var output = rig.Run(rate * 9L);
        var thousandths = (long)Math.Round(bpm * 1000.0);
        var worst = 0L;
        for (var o = 0; o < Ratios.Length; o++)
        {
            var ticks = EdgeList.Rises(output[o][0]);
            Assert.True(ticks.Length >= 1);
            for (var k = 0L; k < ticks.Length; k++)
            {
                // n = ceil(k / ratio * 60000 rate / thousandths), in whole numbers.
                var numerator = k * Ratios[o].Denominator * 60_000L * rate;
                var denominator = thousandths * Ratios[o].Numerator;
                worst = Math.Max(worst, Math.Abs(((numerator + denominator - 1) / denominator) - ticks[k]));
            }
        }

        Quality.AtMost("clock", "tick off by", worst, 0, "frames");
    }

    [Fact]
    public void Every_four_bars_repeat_to_the_frame_and_so_for_ever()
    {
        // 300 BPM: four bars are 153600 frames. All counters being whole numbers, a state that came back once always does.
        const int Bars = 153_600;
        using var rig = Free(Rate, 256);
        rig["tempo"] = 300f;
        rig["swing"] = 66.6f;
        var output = rig.Run(3 * Bars);
        foreach (var o in output)
        {
            Assert.Equal(o[0][..Bars], o[0][Bars..(2 * Bars)]);
            Assert.Equal(o[0][..Bars], o[0][(2 * Bars)..]);
        }
    }

    [Fact]
    public void Width_is_a_part_of_the_step_and_at_least_a_trigger_of_a_millisecond()
    {
        using var rig = Free(Rate, 32);
        rig["width"] = 0.25f;
        var output = rig.Run(96_000);
        for (var i = 0; i < 96_000; i++)
        {
            Assert.Equal(i % 24_000 < 6000 ? 10f : 0f, output[4][0][i]);
            Assert.Equal(i % 6000 < 1500 ? 10f : 0f, output[1][0][i]);
        }

        using var triggers = Free(Rate, 32);
        triggers["width"] = 0f;
        output = triggers.Run(96_000);
        for (var i = 0; i < 96_000; i++) Assert.Equal(i % 1000 < 48 ? 10f : 0f, output[0][0][i]);
    }

    [Fact]
    public void Swing_moves_every_second_sixteenth_and_nothing_else()
    {
        using var rig = Free(Rate, 32);
        rig["swing"] = 60f;
        var output = rig.Run(96_000);
        Assert.Equal(Enumerable.Range(0, 16).Select(static k => (k / 2 * 12_000) + (k % 2 * 7200)), EdgeList.Rises(output[1][0]));
        Assert.Equal(Enumerable.Range(0, 8).Select(static k => k * 12_000), EdgeList.Rises(output[3][0]));
    }

    [Fact]
    public void Reset_is_the_first_beat_and_run_holds_the_place()
    {
        using var rig = new Rig("clock", new RigOptions { Cables = [1, 1, 0, 0] });
        rig.Input = static (port, _, frame) => port switch
        {
            0 => frame is >= 100 and < 10_100 or >= 20_100 ? 10f : 0f,
            _ => frame is >= 40_001 and < 40_049 ? 10f : 0f,
        };
        var output = rig.Run(90_016);

        // 10000 frames until the stop, on in the middle of the open gate, the second beat after 24000 frames of running; then the reset,
        // which closes the open gate for a frame so that it is heard.
        Assert.Equal([100, 20_100, 34_100, 40_002, 64_001, 88_001], EdgeList.Rises(output[4][0]));
        Assert.Equal(0f, output[4][0][40_001]);
        Assert.All(output[4][0][10_100..20_100], static v => Assert.Equal(0f, v));
        Assert.Equal(2f, rig.Telemetry(0));
    }

    [Fact]
    public void Tempo_CV_of_a_volt_doubles_the_tempo()
    {
        using var rig = new Rig("clock", new RigOptions { Cables = [0, 0, 0, 1] });
        rig.Input = static (_, _, _) => 1f;
        Assert.Equal(Enumerable.Range(0, 8).Select(static k => k * 12_000), EdgeList.Rises(rig.Run("x1", 96_000)));
    }

    [Fact]
    public void A_synced_clock_ticks_at_the_frames_of_its_master_and_divides_between_them()
    {
        // A master that drifts by a third: four pulses a beat.
        var rises = new List<long> { 500 };
        while (rises[^1] < 190_000) rises.Add(rises[^1] + 6000 + (rises.Count * 60 % 2000));
        using var rig = Synced(rises, 2);
        var output = rig.Run(190_016);
        var beats = rises.Where((t, k) => k % 4 == 0 && t < 190_016).Select(static t => (int)t);
        Assert.Equal(beats, EdgeList.Rises(output[4][0]));
        Assert.Equal(rises.Where(static t => t < 190_016).Select(static t => (int)t), EdgeList.Rises(output[1][0]));

        // Six of 24 a pulse, none lost: the first of each at the rise.
        var fine = EdgeList.Rises(output[0][0]);
        for (var k = 3; k + 1 < rises.Count && rises[k + 1] < 190_000; k++)
        {
            var within = fine.Where(t => t >= rises[k] && t < rises[k + 1]).ToArray();
            Assert.Equal(rises[k], within[0]);
            Assert.InRange(within.Length, 5, 6); // the sixth may be overtaken by a pulse that comes early
        }
    }

    [Fact]
    public void A_steady_master_is_divided_evenly_and_a_stopped_one_is_waited_for()
    {
        var rises = Enumerable.Range(0, 9).Select(static k => 300 + (k * 12_000L)).Append(300 + (8 * 12_000L) + 50_000).ToList();
        using var rig = Synced(rises, 0);
        var output = rig.Run(170_016);
        var x2 = EdgeList.Rises(output[3][0]);

        // From the second rise on the tempo is known; the eighth after the last rise comes, the next beat waits for the master.
        int[] expected = [.. Enumerable.Range(2, 15).Select(static k => 300 + (k * 6000)), 300 + (17 * 6000), 146_300, 152_300];
        Assert.Equal(expected, x2.Where(static t => t >= 12_300));
    }

    [Fact]
    public void After_a_reset_the_next_pulse_of_the_master_is_the_first_beat()
    {
        var rises = Enumerable.Range(0, 40).Select(static k => 300 + (k * 6000L)).ToList();
        using var rig = Synced(rises, 2);
        var master = rig.Input;
        rig.Input = (port, c, frame) => port == 1 ? (frame is >= 45_000 and < 45_100 ? 10f : 0f) : master(port, c, frame);
        Assert.Equal([300, 24_300, 48_300, 72_300], EdgeList.Rises(rig.Run("x1", 96_000)));
        using var off = Synced(rises, 2);
        off.Input = (port, c, frame) => port == 1 ? (frame is >= 38_000 and < 38_100 ? 10f : 0f) : master(port, c, frame);
        Assert.Equal([300, 24_300, 42_300, 66_300, 90_300], EdgeList.Rises(off.Run("x1", 96_000)));
    }

    [Theory]
    [InlineData(3, 4500)]
    [InlineData(5, 1500)]
    public void A_pulse_that_comes_after_a_pause_says_nothing_of_the_tempo(int times, int half)
    {
        // Beats every 3000 frames; then one comes after three times as long, which is a tempo, or after five, which is a pause.
        var rises = Enumerable.Range(0, 8).Select(static k => 300 + (k * 3000L)).ToList();
        rises.Add(rises[^1] + (times * 3000L));
        using var rig = Synced(rises, 0);
        var x2 = EdgeList.Rises(rig.Run("x2", rises[^1] + 20_000));
        Assert.Equal([(int)rises[^1], (int)rises[^1] + half], x2.Where(t => t >= rises[^1]));
    }

    private static Rig Free(int rate, int quantum) =>
        new("clock", new RigOptions { Rate = rate, Quantum = quantum, Cables = [0, 0, 0, 0] });

    private static Rig Synced(List<long> rises, int pulses)
    {
        var rig = new Rig("clock", new RigOptions { Cables = [0, 1, 1, 0] }) { ["sync_pulses"] = pulses };
        var high = rises.SelectMany(static t => Enumerable.Range((int)t, 48)).ToHashSet();
        rig.Input = (port, _, frame) => port == 2 && high.Contains((int)frame) ? 10f : 0f;
        return rig;
    }
}
