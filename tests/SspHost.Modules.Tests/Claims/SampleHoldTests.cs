// What the sample & hold claims: the voltage of the very frame of the edge, glides by their time constant, random by itself.
namespace SspHost.Modules.Tests;

public class SampleHoldTests
{
    private static float Sweep(long frame) => 5f * (float)Math.Sin(frame * 0.00123);

    [Fact]
    public void It_holds_the_voltage_of_the_frame_of_the_rise()
    {
        using var rig = new Rig("sample-hold", new RigOptions { Cables = [1, 1, 0, 0] });
        rig.Input = static (port, _, frame) => port == 0 ? Sweep(frame) : frame >= 777 && (frame - 777) % 1001 < 48 ? 10f : 0f;
        var output = rig.Run("out1", 20_000);
        for (var i = 0; i < output.Length; i++) Assert.Equal(i < 777 ? 0f : Sweep(777 + ((i - 777) / 1001 * 1001)), output[i]);
        Assert.Equal(output[^1], rig.Telemetry(0));
    }

    [Fact]
    public void Track_follows_while_the_gate_is_open_and_holds_what_was_last()
    {
        using var rig = new Rig("sample-hold") { ["mode2"] = 1f };
        rig.Input = static (port, _, frame) => port % 2 == 0 ? Sweep(frame) : frame / 500 % 2 == 1 ? 10f : 0f;
        var output = rig.Run("out2", 5000);
        for (var i = 500; i < output.Length; i++) Assert.Equal(i / 500 % 2 == 1 ? Sweep(i) : Sweep((i / 500 * 500) - 1), output[i]);
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void Glide_is_a_time_constant()
    {
        using var rig = new Rig("sample-hold") { ["glide1"] = 0.05f };
        rig.Input = static (port, _, frame) => port == 0 ? 4f : frame >= 100 ? 10f : 0f;
        var output = rig.Run("out1", 40_000);
        var worst = Enumerable.Range(100, output.Length - 100).Max(i => Math.Abs((4.0 * (1.0 - Math.Exp(-(i - 99) / (0.05 * 48_000)))) - output[i]));
        Quality.AtMost("sample-hold", "glide off its exponential by", worst * 1e6, 200, "uV");
        Assert.Equal(4f, output[^1]);
    }

    [Fact]
    public void By_itself_it_makes_even_random_steps_at_its_rate_and_the_second_section_follows_the_first()
    {
        using var rig = new Rig("sample-hold", new RigOptions { Cables = [0, 0, 0, 0], Quantum = 256 });
        rig["rate"] = 50f;
        const int Steps = 4000, Period = 960;
        var output = rig.Run(Steps * Period);
        for (var s = 0; s < 2; s++)
        {
            var o = output[s][0];
            var levels = Enumerable.Range(0, Steps).Select(k => o[(k * Period) + 480]).ToArray();
            for (var i = 0; i < o.Length; i++) Assert.True(o[i] == levels[i / Period] || i % Period is 0 or Period - 1, $"frame {i}");
            Assert.InRange(levels.Average(), -0.2f, 0.2f);
            Assert.InRange(levels.Average(static v => v * v), 25.0 / 3 * 0.95, 25.0 / 3 * 1.05);
            Assert.InRange(levels.Zip(levels.Skip(1)).Average(static p => p.First * p.Second), -0.5, 0.5);
        }

        Assert.NotEqual(output[0][0][480], output[1][0][480]);
    }

    [Fact]
    public void Each_voice_of_a_wide_trigger_draws_its_own()
    {
        using var rig = new Rig("sample-hold", new RigOptions { Cables = [0, 8, 0, 0] });
        rig.Input = static (port, _, _) => port == 1 ? 10f : 0f;
        var output = rig.Run(64);
        Assert.Equal(16, output.SelectMany(static o => o).Select(static c => c[32]).Distinct().Count());
    }
}
