// What the ADSR claims: every segment's time, to the sample.
namespace SspHost.Modules.Tests;

public class AdsrTests
{
    private const int Rate = 48_000;
    private const int Edge = 1003; // off any grid

    [Theory]
    [InlineData(0f)]
    [InlineData(0.8f)]
    [InlineData(-0.8f)]
    [Trait("Category", "Quality")]
    public void Attack_decay_and_release_last_their_frames(float curve)
    {
        const int A = 960, D = 2400, Gate = 10_000, R = 4801;
        using var rig = Adsr(A, D, 0.5f, R, curve);
        rig.Input = static (port, _, frame) => port == 0 && frame is >= Edge and < Edge + Gate ? 10f : 0f;
        var env = rig.Run("env", 20_000);
        Assert.All(env[..(Edge + 1)], static v => Assert.Equal(0f, v));
        Assert.True(env[Edge + 1] > 0f);
        Assert.True(env[Edge + A - 1] < 10f);
        Assert.Equal(10f, env[Edge + A]);
        Assert.True(env[Edge + A + 1] < 10f);
        Assert.True(env[Edge + A + D - 1] > 5f);
        Assert.All(env[(Edge + A + D)..(Edge + Gate + 1)], static v => Assert.Equal(5f, v));
        Assert.True(env[Edge + Gate + 1] < 5f);
        Assert.True(env[Edge + Gate + R - 1] > 0f);
        Assert.All(env[(Edge + Gate + R)..], static v => Assert.Equal(0f, v));
        for (var i = Edge; i < Edge + A; i++) Assert.True(env[i + 1] > env[i], "an attack rises");
        var top = Array.IndexOf(env, 10f);
        var settled = Array.FindIndex(env, top, static v => v == 5f);
        var over = Array.FindIndex(env, Edge + Gate, static v => v == 0f);
        var off = Math.Abs(top - Edge - A) + Math.Abs(settled - top - D) + Math.Abs(over - Edge - Gate - R);
        Quality.AtMost("adsr", "attack, decay and release off by", off, 0, "frames");
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.5f)]
    [InlineData(-1f)]
    public void A_segment_follows_its_curve(float curve)
    {
        const int A = 4000;
        using var rig = Adsr(A, 480, 1f, 480, curve);
        rig.Input = static (port, _, _) => port == 0 ? 10f : 0f;
        var env = rig.Run("env", A);
        var c = 8.0 * curve;
        for (var i = 0; i < A; i++)
        {
            var p = i / (double)A;
            Assert.Equal(10.0 * (c == 0 ? p : (1 - Math.Pow(2, -c * p)) / (1 - Math.Pow(2, -c))), env[i], 2e-5);
        }
    }

    [Fact]
    public void The_longest_attack_is_exact_too()
    {
        using var rig = Adsr(0, 480, 0.5f, 480, 0f);
        rig["attack"] = 20f;
        rig.Input = static (port, _, _) => port == 0 ? 10f : 0f;
        var env = rig.Run("env", (20 * Rate) + 64);
        Assert.True(env[(20 * Rate) - 1] < 10f);
        Assert.Equal(10f, env[20 * Rate]);
        Assert.True(env[(20 * Rate) + 1] < 10f);
    }

    [Fact]
    public void A_retrigger_attacks_again_from_where_it_is()
    {
        using var rig = Adsr(960, 2400, 0.4f, 960, 0f);
        rig.Input = static (port, _, frame) => port == 0 ? 10f : frame is >= 9000 and < 9048 ? 10f : 0f;
        var env = rig.Run("env", 12_000);
        Assert.Equal(4f, env[8999], 1e-5);
        Assert.Equal(4f, env[9000], 1e-5);
        Assert.Equal(10f, env[9960]);
        for (var i = 9000; i < 9960; i++) Assert.InRange(env[i + 1] - env[i], 0f, 0.01f);
    }

    [Fact]
    public void A_trigger_of_one_millisecond_marks_the_end()
    {
        using var rig = Adsr(480, 480, 0.5f, 480, 0f);
        rig.Input = static (port, _, frame) => port == 0 && frame < 2000 ? 10f : 0f;
        var end = rig.Run("end", 4000);
        for (var i = 0; i < end.Length; i++) Assert.Equal(i is >= 2480 and < 2528 ? 10f : 0f, end[i]);
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void A_loop_lasts_attack_and_decay_to_the_frame()
    {
        const int A = 300, D = 701;
        using var rig = Adsr(A, D, 0.25f, 480, 0f);
        rig["mode"] = 1f;
        rig.Input = static (port, _, frame) => port == 0 && frame >= Edge ? 10f : 0f;
        var env = rig.Run("env", 100_000);
        var tops = Enumerable.Range(1, env.Length - 2).Where(i => env[i] > env[i - 1] && env[i] > env[i + 1]).ToArray();
        var off = tops.Select((top, k) => Math.Abs(top - (Edge + A + (k * (A + D))))).Max();
        Quality.AtMost("adsr", "loop off after 2 s by", off, 0, "frames");
        Assert.Equal(99, tops.Length);
        Assert.Equal(2.5f, env[(Edge + A + D)..].Min());
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void One_shot_runs_through_for_a_trigger_of_a_frame()
    {
        const int A = 480, D = 960, R = 1440;
        using var rig = Adsr(A, D, 0.5f, R, 0.3f);
        rig["mode"] = 2f;
        rig.Input = static (port, _, frame) => port == 0 && frame == Edge ? 10f : 0f;
        var output = rig.Run(Edge + A + D + R + 100);
        Assert.Equal(10f, output[0][0][Edge + A]);
        Assert.Equal(5f, output[0][0][Edge + A + D]);
        var end = EdgeList.Rises(output[1][0]).Single();
        Quality.AtMost("adsr", "end off by", Math.Abs(end - (Edge + A + D + R)), 0, "frames");
        Assert.True(output[0][0][end - 1] > 0f);
    }

    [Fact]
    public void Velocity_scales_a_note_and_is_read_at_its_start()
    {
        using var rig = new Rig("adsr") { ["attack"] = 0.01f, ["decay"] = 0.01f, ["sustain"] = 0.5f, ["velocity"] = 0.5f };
        rig.Input = static (port, _, frame) => port switch { 0 => 10f, 1 => 0f, _ => frame < 10 ? 4f : 9f };
        var env = rig.Run("env", 4800);

        // Half of the way from 1 to 0.4.
        Assert.Equal(7f, env.Max(), 1e-5);
        Assert.Equal(3.5f, env[^1], 1e-5);
    }

    [Fact]
    public void Level_scales_the_whole()
    {
        using var rig = Adsr(480, 480, 0.5f, 480, 0f);
        rig["level"] = 3f;
        rig.Input = static (port, _, _) => port == 0 ? 10f : 0f;
        var env = rig.Run("env", 2000);
        Assert.Equal(3f, env.Max());
        Assert.Equal(1.5f, env[^1]);
    }

    [Fact]
    public void A_retrigger_without_a_gate_is_nothing()
    {
        using var rig = Adsr(960, 2400, 0.4f, 4800, 0f);
        rig.Input = static (port, _, frame) =>
            port == 0 ? (frame < 9000 ? 10f : 0f) : frame is >= 10_000 and < 10_048 or >= 20_000 and < 20_048 ? 10f : 0f;
        var env = rig.Run("env", 24_000);
        for (var i = 9000; i < 13_799; i++) Assert.True(env[i + 1] < env[i]);
        Assert.All(env[13_800..], static v => Assert.Equal(0f, v));
    }

    private static Rig Adsr(int attack, int decay, float sustain, int release, float curve)
    {
        var rig = new Rig("adsr", new RigOptions { Cables = [1, 1, 0] }) { ["decay"] = decay / (float)Rate, ["sustain"] = sustain, ["release"] = release / (float)Rate,
            ["curve"] = curve, ["attack_curve"] = curve };
        if (attack > 0) rig["attack"] = attack / (float)Rate;
        return rig;
    }
}
