// What the slew limiter claims: ten volts in its time, to the frame, straight or on the envelope's curve; gates while it moves.
namespace SspHost.Modules.Tests;

public class SlewTests
{
    private const int Edge = 101;

    [Theory]
    [InlineData(48_000, 4800, 480, 0f)]
    [InlineData(44_100, 22_050, 44_100, 0.5f)]
    [InlineData(192_000, 960, 96_000, 1f)]
    [Trait("Category", "Quality")]
    public void A_step_of_ten_volts_takes_its_time_and_follows_its_curve(int rate, int rise, int fall, float shape)
    {
        using var rig = new Rig("slew", new RigOptions { Rate = rate, Cables = [1, 0, 0] }) { ["shape"] = shape };
        rig["rise"] = rise / (float)rate;
        rig["fall"] = fall / (float)rate;
        var turn = Edge + rise + 500;
        rig.Input = (_, _, frame) => frame >= Edge && frame < turn ? 10f : 0f;
        var output = rig.Run(turn + fall + 500);
        var off = 0.0;
        for (var i = Edge; i < output[0][0].Length; i++)
        {
            var p = i < turn ? Math.Min((i - Edge + 1) / (double)rise, 1) : Math.Min((i - turn + 1) / (double)fall, 1);
            var y = shape == 0 ? p : (1 - Math.Pow(2, -8 * shape * p)) / (1 - Math.Pow(2, -8 * shape));
            off = Math.Max(off, Math.Abs((10 * (i < turn ? y : 1 - y)) - output[0][0][i]));
        }

        Quality.AtMost("slew", "way off its curve by", off * 1e6, 30, "uV");
        var arrives = Array.FindIndex(output[0][0], static v => v == 10f);
        var ends = Array.FindIndex(output[0][0], turn, static v => v == 0f);
        Quality.AtMost("slew", "time off by", Math.Abs(arrives - (Edge + rise - 1)) + Math.Abs(ends - (turn + fall - 1)), 0, "frames");
        for (var i = 0; i < output[1][0].Length; i++)
        {
            Assert.Equal(i >= Edge && i <= arrives ? 10f : 0f, output[1][0][i]);
            Assert.Equal(i >= turn && i <= ends ? 10f : 0f, output[2][0][i]);
        }
    }

    [Fact]
    public void What_is_slower_than_the_limit_passes_unchanged()
    {
        using var rig = new Rig("slew", new RigOptions { Cables = [1, 0, 0] }) { ["rise"] = 0.01f, ["fall"] = 0.01f };
        static float Slow(long frame) => 5f * (float)Math.Sin(frame * 0.001);
        rig.Input = static (_, _, frame) => Slow(frame);
        var output = rig.Run("out", 20_000);
        for (var i = 0; i < output.Length; i++) Assert.Equal(Slow(i), output[i]);
    }

    [Fact]
    public void A_volt_at_a_CV_halves_its_time()
    {
        using var rig = new Rig("slew") { ["rise"] = 0.1f, ["fall"] = 0.1f };
        rig.Input = static (port, _, frame) => port switch { 0 => frame < 9600 ? 10f : 0f, 1 => 2f, _ => -1f };
        var output = rig.Run("out", 30_000);
        Assert.Equal(1199, Array.IndexOf(output, 10f));
        Assert.Equal(9600 + 9599, Array.FindIndex(output, 9600, static v => v == 0f));
    }
}
