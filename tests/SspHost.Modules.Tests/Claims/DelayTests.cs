// What the delay claims: times to the frame, repeats to the decibel, and glides without clicks.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class DelayTests
{
    [Theory]
    [InlineData(44_100, 0.01f)]
    [InlineData(48_000, 0.25f)]
    [InlineData(192_000, 1.5f)]
    public void An_echo_comes_exactly_after_its_time(int rate, float seconds)
    {
        using var rig = new Rig("delay", new RigOptions { Rate = rate, Quantum = 64 });
        rig["time"] = seconds;
        rig["mix"] = 1f;
        rig["feedback"] = 0f;
        rig.Input = static (port, _, frame) => port == 0 && frame == 100 ? 5f : 0f;
        var output = rig.Run("out", (long)(seconds * rate) + 1000);
        var exact = seconds * (double)rate;
        var whole = (int)Math.Round(exact);
        Assert.Equal(5f, output[100 + whole], 3);
        for (var i = 0; i < output.Length; i++)
        {
            if (Math.Abs(i - 100 - exact) > 2) Assert.Equal(0f, output[i]);
        }
    }

    [Fact]
    public void Each_repeat_of_a_low_tone_is_weaker_by_the_feedback()
    {
        const int Time = 4800;
        using var rig = new Rig("delay");
        rig["time"] = Time / 48_000f;
        rig["mix"] = 1f;
        rig["feedback"] = 0.7f;
        rig["tone"] = 10_000f;

        // A burst of 400 Hz in a smooth window, shorter than the time.
        rig.Input = static (port, _, frame) => port == 0
            && frame < 4000 ? (float)(Math.Pow(Math.Sin(Math.PI * frame / 4000), 2) * Math.Sin(frame * 2.0 * Math.PI / 120)) : 0f;
        var output = rig.Run("out", 8 * Time);
        var levels = Enumerable.Range(1,
            6).Select(k => Math.Sqrt(output.AsSpan(k * Time, 4700).ToArray().Sum(static v => (double)v * v))).ToArray();
        for (var k = 1; k < levels.Length; k++) Assert.Equal(0.7, levels[k] / levels[k - 1], 0.01);
    }

    [Fact]
    public void Tone_is_the_corner_of_what_is_lost_in_each_repeat()
    {
        const int Time = 9600;
        using var rig = new Rig("delay");
        rig["time"] = Time / 48_000f;
        rig["mix"] = 1f;
        rig["feedback"] = 0.5f;
        rig["tone"] = 2000f;
        rig.Input = static (port, _, frame) => port == 0
            && frame < 8000 ? (float)(Math.Pow(Math.Sin(Math.PI * frame / 8000), 2) * Math.Sin(frame * 2.0 * Math.PI / 24)) : 0f;
        var output = rig.Run("out", 4 * Time);
        var first = Spectrum.Level(output.AsSpan(Time, 8192), 1.0 / 24);
        var second = Spectrum.Level(output.AsSpan(2 * Time, 8192), 1.0 / 24);
        Assert.Equal(0.5 * Math.Sqrt(0.5), second / first, 0.01); // one pole: -3 dB at 2 kHz
    }

    [Fact]
    public void Mix_goes_from_the_sound_alone_to_the_echo_alone()
    {
        using var rig = new Rig("delay");
        rig["mix"] = 0f;
        rig.Input = static (port, _, frame) => port == 0 ? (frame % 100) - 50 : 0f;
        var output = rig.Run("out", 4800);
        for (var i = 0; i < output.Length; i++) Assert.Equal((i % 100) - 50, output[i]);
    }

    [Fact]
    public void A_jump_of_the_time_glides_and_arrives()
    {
        using var rig = new Rig("delay");
        rig["time"] = 0.1f;
        rig["mix"] = 1f;
        rig["feedback"] = 0f;
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(frame * 0.02) : 0f;
        rig.Run(48_000);
        rig["time"] = 0.37f;
        var output = rig.Run("out", 96_000);

        // Read at most three times as fast, a sine makes at most three times its steps.
        for (var i = 1; i < output.Length; i++) Assert.InRange(Math.Abs(output[i] - output[i - 1]), 0f, 5f * 0.02f * 3.05f);
        for (var i = 90_000; i < output.Length; i++) Assert.Equal(5.0 * Math.Sin((48_000 + i - (0.37 * 48_000)) * 0.02), output[i], 0.01);
    }

    [Fact]
    public void What_is_no_number_is_reported_before_it_circulates()
    {
        using var rig = new Rig("delay");
        rig["time"] = 0.5f;
        rig.Input = static (port, _, frame) => port == 0 && frame == 40 ? float.NaN : 0f;
        Assert.NotEqual(ProcessResult.Error, rig.Step());
        Assert.Equal(ProcessResult.Error, rig.Step());
        rig.Reset();
        rig.Input = static (_, _, _) => 0f;
        Assert.All(rig.Run("out", 48_000), static v => Assert.Equal(0f, v));
    }

    [Fact]
    public void Feedback_can_not_run_away()
    {
        using var rig = new Rig("delay");
        rig["time"] = 0.002f;
        rig["feedback"] = 0.98f;
        rig["mix"] = 1f;
        rig.Input = static (port, _, _) => port == 0 ? 10f : 0f;
        Assert.All(rig.Run("out", 96_000), static v => Assert.InRange(v, -30f, 30f));
    }
}
