// What the function generator claims: slopes to the sample, their curves, cycles without drift, its gates, and following a voltage.
namespace SspHost.Modules.Tests;

public class FunctionTests
{
    private const int Edge = 1003;

    [Theory]
    [InlineData(48_000, 960, 2400, 0f)]
    [InlineData(44_100, 441, 44_100, 0.7f)]
    [InlineData(192_000, 19_200, 96, -0.7f)]
    [Trait("Category", "Quality")]
    public void A_trigger_runs_up_and_down_in_its_frames_on_its_curve(int rate, int rise, int fall, float shape)
    {
        using var rig = Function(rate, rise, fall, shape, triggered: true);
        rig.Input = static (port, _, frame) => port == 1 && frame is >= Edge and < Edge + 5 ? 10f : 0f;
        var output = rig.Run(Edge + rise + fall + 2000);
        var top = Array.IndexOf(output[0][0], 10f);
        var end = Array.FindIndex(output[0][0], top, static v => v == 0f);
        Quality.AtMost("function", "rise and fall off by", Math.Abs(top - Edge - rise) + Math.Abs(end - top - fall), 0, "frames");
        var c = 8.0 * shape;
        var worst = 0.0;
        for (var i = 0; i < rise + fall; i++)
        {
            var p = i < rise ? i / (double)rise : (i - rise) / (double)fall;
            var y = c == 0 ? p : (1 - Math.Pow(2, -c * p)) / (1 - Math.Pow(2, -c));
            worst = Math.Max(worst, Math.Abs((10.0 * (i < rise ? y : 1 - y)) - output[0][0][Edge + i]));
            Assert.Equal(10f - output[0][0][i], output[1][0][i], 1e-5);
        }

        Quality.AtMost("function", "slope off its curve by", worst * 1e6, 30, "uV");
        Assert.All(output[0][0][end..], static v => Assert.Equal(0f, v));
        for (var i = 0; i < output[2][0].Length; i++)
        {
            Assert.Equal(i >= top && i < end ? 10f : 0f, output[2][0][i]);
            Assert.Equal(i >= end ? 10f : 0f, output[3][0][i]);
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void A_cycle_of_broken_length_does_not_drift()
    {
        // 37.5 frames up and 100.25 down.
        using var rig = Function(48_000, 37.5, 100.25, 0f, triggered: false);
        var output = rig.Run(480_000);
        var ends = EdgeList.Rises(output[3][0]);
        var worst = 0.0;
        for (var k = 0; k < ends.Length; k++) worst = Math.Max(worst, Math.Abs(ends[k] - ((k + 1) * 137.75)));
        Quality.AtMost("function", "cycle off after 10 s by", worst, 1.01, "frames");
        Assert.InRange(ends.Length, 3483, 3485);
    }

    [Fact]
    public void A_volt_at_Both_doubles_the_rate_of_a_cycle()
    {
        using var rig = new Rig("function", new RigOptions { Cables = [0, 0, 0, 0, 0, 1] });
        rig["rise"] = 0.01f;
        rig["fall"] = 0.02f;
        rig.Input = static (_, _, _) => 1f;
        Assert.Equal(Enumerable.Range(1, 60).Select(static k => k * 720), EdgeList.Rises(rig.Run("eoc", (60 * 720) + 32)).Take(60));
    }

    [Fact]
    public void It_is_deaf_while_it_rises_and_turns_round_while_it_falls()
    {
        using var rig = Function(48_000, 1000, 4000, 0f, triggered: true);

        // At 100 it sets out; 600 is within the rise; at 2100 a quarter of the fall is over: 7.5 V, and 250 frames to the top.
        var clock = EdgeList.Clock([100, 600, 2100]);
        rig.Input = (port, _, frame) => port == 1 ? clock(frame) : 0f;
        var output = rig.Run("out", 8000);
        Assert.Equal(10f, output[1100]);
        Assert.Equal(7.5f, output[2100], 5e-3);
        Assert.Equal(10f, output[2350], 5e-3);
        Assert.True(output[2340] < 9.95f && output[2360] < 10f);
        Assert.Equal(0f, output[6360]);
        for (var i = 1; i < 8000; i++) Assert.InRange(output[i] - output[i - 1], -0.0026f, 0.0101f);
    }

    [Fact]
    public void A_gate_holds_the_top_and_lets_go_where_it_closes()
    {
        using var rig = Function(48_000, 480, 480, 0f, triggered: true);
        rig["mode"] = 1f;
        rig.Input = static (port, _, frame) => port == 1 && frame is >= 100 and < 2100 or >= 4000 and < 4240 ? 10f : 0f;
        var output = rig.Run("out", 6000);
        Assert.All(output[580..2100], static v => Assert.Equal(10f, v));
        Assert.Equal(5f, output[2340], 1e-4);
        Assert.Equal(0f, output[2580]);
        Assert.Equal(5f, output[4000..5000].Max(), 0.03);
        Assert.Equal(0f, output[4485]);
    }

    [Fact]
    public void Following_it_takes_the_times_of_ten_volts()
    {
        using var rig = new Rig("function", new RigOptions { Cables = [1, 0, 0, 0, 0, 0] });
        rig["mode"] = 2f;
        rig["rise"] = 0.1f;
        rig["fall"] = 0.2f;
        rig.Input = static (_, _, frame) => frame is >= 1000 and < 10_000 ? 5f : 0f;
        var output = rig.Run("out", 20_000);
        for (var i = 1000; i < 20_000; i++)
        {
            var expected = i < 10_000 ? Math.Min((i - 999) / 480.0, 5.0) : Math.Max(5.0 - ((i - 9999) / 960.0), 0.0);
            Assert.Equal(expected, output[i], 1e-4);
        }
    }

    [Fact]
    public void A_gate_at_Cycle_keeps_it_going()
    {
        using var rig = new Rig("function", new RigOptions { Cables = [0, 1, 1, 0, 0, 0] });
        rig["rise"] = 0.01f;
        rig["fall"] = 0.01f;
        rig.Input = static (port, _, frame) => port == 2 && frame is >= 960 and < 4000 ? 10f : 0f;

        // Four rounds of 960 frames: at 4800 the gate is closed.
        Assert.Equal([960 + 480, 2400, 3360, 4320], EdgeList.Rises(rig.Run("eor", 9600)));
    }

    private static Rig Function(int rate, double rise, double fall, float shape, bool triggered)
    {
        var rig = new Rig("function", new RigOptions { Rate = rate, Cables = [0, triggered ? 1 : 0, 0, 0, 0, 0] });
        rig["rise"] = (float)(rise / rate);
        rig["fall"] = (float)(fall / rate);
        rig["shape"] = shape;
        return rig;
    }
}
