// What the delay claims: times to a part of a frame, repeats to the decibel, glides without clicks, clocks, sides, tape, and holding.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class DelayTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(44_100, 0.01f)]
    [InlineData(48_000, 0.25f)]
    [InlineData(192_000, 1.5f)]
    public void An_echo_comes_exactly_after_its_time(int rate, float seconds)
    {
        using var rig = Line(seconds, 1f, 0f, new RigOptions { Rate = rate, Quantum = 64 });
        rig.Input = static (port, _, frame) => port == 0 && frame == 100 ? 5f : 0f;
        var output = rig.Run("out", (long)(seconds * rate) + 1000);
        var whole = (int)Math.Round(seconds * (double)rate);
        for (var i = 0; i < output.Length; i++) Assert.Equal(i == 100 + whole ? 5f : 0f, output[i]);
    }

    [Theory]
    [InlineData(1000.5, 1000.0, 0.001)]
    [InlineData(3333.3, 1000.0, 0.001)]
    [InlineData(48.77, 5000.0, 0.01)]
    public void Between_frames_it_is_late_by_the_part_of_a_frame_and_as_loud(double frames, double hertz, double decibels)
    {
        using var rig = Line((float)(frames / Rate), 1f, 0f);
        rig.Input = (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * hertz * frame / Rate) : 0f;
        var y = rig.Run("out", 16_384)[8192..];
        var (c, s) = Spectrum.Component(y, hertz / Rate);
        var exact = (float)(frames / Rate) * (double)Rate;
        var phase = Math.Atan2(c, s) - (2.0 * Math.PI * hertz * (8192 - exact) / Rate);
        Quality.AtMost("delay", "time between frames", Math.Abs(Math.IEEERemainder(phase, 2.0 * Math.PI)) / (2.0 * Math.PI * hertz) * Rate, 0.005, "frames");
        Quality.AtMost("delay", "level between frames", Math.Abs(Spectrum.Decibels(Math.Sqrt((c * c) + (s * s)) / 5.0)), decibels, "dB");
    }

    [Theory]
    [InlineData(7, 1.0)]
    [InlineData(6, 0.75)]
    [InlineData(9, 2.0)]
    [InlineData(3, 1.0 / 3)]
    public void With_a_clock_an_echo_comes_after_the_measured_period_times_the_ratio(int choice, double ratio)
    {
        // Rises every 9001 frames; the glide is over long before the click.
        const int Period = 9001;
        using var rig = Line(0.1f, 1f, 0f);
        rig["ratio"] = choice;
        rig["mode"] = 1f;
        var at = 8 * Period;
        rig.Input = (port, _, frame) => port == 2 ? frame % Period < 48 ? 10f : 0f : port == 0 && frame == at ? 5f : 0f;
        var output = rig.Run("out", at + (3 * Period));
        var (sum, moment) = (0.0, 0.0);
        for (var i = at; i < output.Length; i++)
        {
            sum += output[i];
            moment += (double)output[i] * (i - at);
        }

        Quality.AtMost("delay", "clocked time off", Math.Abs((moment / sum) - (Period * ratio)), 0.001, "frames");
    }

    [Fact]
    public void Each_repeat_of_a_low_tone_is_weaker_by_the_feedback()
    {
        const int Time = 4800;
        using var rig = Line(Time / 48_000f, 1f, 0.7f);
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
    public void Tone_and_low_cut_are_the_corners_of_what_is_lost_in_each_repeat()
    {
        const int Time = 9600;
        foreach (var (knob, period) in new[] { ("tone", 24), ("low_cut", 96) })
        {
            using var rig = Line(Time / 48_000f, 1f, 0.5f);
            rig["tone"] = 10_000f;
            rig[knob] = 48_000f / period;
            rig.Input = (port, _, frame) => port == 0
                && frame < 8000 ? (float)(Math.Pow(Math.Sin(Math.PI * frame / 8000), 2) * Math.Sin(frame * 2.0 * Math.PI / period)) : 0f;
            var output = rig.Run("out", 4 * Time);
            var first = Spectrum.Level(output.AsSpan(Time, 8192), 1.0 / period);
            var second = Spectrum.Level(output.AsSpan(2 * Time, 8192), 1.0 / period);
            Assert.Equal(0.5 * Math.Sqrt(0.5), second / first, 0.01); // one pole: -3 dB at its corner
        }
    }

    [Fact]
    public void Mix_goes_from_the_sound_alone_to_the_echo_alone()
    {
        using var rig = Line(0.35f, 0f, 0.45f);
        rig.Input = static (port, _, frame) => port == 0 ? (frame % 100) - 50 : 0f;
        var output = rig.Run("out", 4800);
        for (var i = 0; i < output.Length; i++) Assert.Equal((i % 100) - 50, output[i]);
    }

    [Fact]
    public void A_jump_of_the_time_glides_and_arrives()
    {
        using var rig = Line(0.1f, 1f, 0f);
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(frame * 0.02) : 0f;
        rig.Run(48_000);
        rig["time"] = 0.37f;
        var output = rig.Run("out", 96_000);

        // Read at most three times as fast, a sine makes at most three times its steps.
        for (var i = 1; i < output.Length; i++) Assert.InRange(Math.Abs(output[i] - output[i - 1]), 0f, 5f * 0.02f * 3.05f);
        for (var i = 90_000; i < output.Length; i++) Assert.Equal(5.0 * Math.Sin((48_000 + i - (0.37 * 48_000)) * 0.02), output[i], 0.01);
    }

    [Fact]
    public void A_crossfade_goes_from_one_time_to_the_other_without_bending_the_pitch()
    {
        using var rig = Line(0.1f, 1f, 0f);
        rig["mode"] = 1f;
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(frame * 0.02) : 0f;
        rig.Run(48_000);
        rig["time"] = 0.37f;
        var output = rig.Run("out", 4800);
        for (var i = 0; i < output.Length; i++)
        {
            var (old, now) = (5.0 * Math.Sin((48_000 + i - 4800) * 0.02), 5.0 * Math.Sin((48_000 + i - 17_760) * 0.02));
            Assert.InRange(output[i], Math.Min(old, now) - 1e-3, Math.Max(old, now) + 1e-3);
            if (i > 1600) Assert.Equal(now, output[i], 1e-3);
        }
    }

    [Fact]
    public void Ping_pong_goes_from_the_left_to_the_right_and_back()
    {
        const int Time = 1000;
        using var rig = Line(Time / 48_000f, 1f, 0.5f, new RigOptions { Settings = new() { ["sides"] = 2 }, Cables = [1, 0, 0, 0, 0] });
        rig["tone"] = 10_000f;
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)(frame < 200 ? Math.Pow(Math.Sin(Math.PI * frame / 200), 2) : 0) : 0f;
        var output = rig.Run(5 * Time);
        for (var echo = 1; echo <= 4; echo++)
        {
            var (here, there) = echo % 2 == 1 ? (0, 1) : (1, 0);
            Assert.InRange(output[here][0].AsSpan(echo * Time, 600).ToArray().Max() / (5.0 * Math.Pow(0.5, echo - 1)), 0.75, 1.01);
            Assert.InRange(output[there][0].AsSpan(echo * Time, 200).ToArray().Max(Math.Abs), 0f, 0.12f);
        }
    }

    [Fact]
    public void Two_sides_are_two_delays()
    {
        var options = new RigOptions { Settings = new() { ["sides"] = 1 } };
        using var both = Line(0.02f, 1f, 0.5f, options);
        using var one = Line(0.02f, 1f, 0.5f);
        both.Input = static (port, _, frame) => port == 3 ? (float)Math.Sin(frame * 0.1) : port == 0 ? 3f * (float)Math.Sin(frame * 0.03) : 0f;
        one.Input = static (port, _, frame) => port == 0 ? (float)Math.Sin(frame * 0.1) : 0f;
        Assert.Equal(one.Run("out", 4800), both.Run("right", 4800));
    }

    [Fact]
    public void Tape_wavers_by_what_it_says_and_a_line_that_is_held_repeats_bit_for_bit()
    {
        // At full wow the speed is off by up to 0.3 and 0.1 per cent: by wave / (2 pi f) seconds of delay.
        using var tape = Line(0.1f, 1f, 0f);
        tape["mode"] = 2f;
        tape["wow"] = 1f;
        tape["drive"] = 0f;
        tape["tone"] = 10_000f;
        tape.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * 500 * frame / Rate) : 0f;
        tape.Run(Rate / 2);
        var y = tape.Run("out", 2 * Rate);
        double least = 0, most = 0, before = double.NaN;
        for (var i = 0; i + 480 <= y.Length; i += 480)
        {
            double c = 0, s = 0;
            for (var k = 0; k < 480; k++)
            {
                c += y[i + k] * Math.Cos(2.0 * Math.PI * 500 * k / Rate);
                s += y[i + k] * Math.Sin(2.0 * Math.PI * 500 * k / Rate);
            }

            var phase = Math.Atan2(c, s);
            if (!double.IsNaN(before))
            {
                var speed = Math.IEEERemainder(phase - before, 2.0 * Math.PI) / (2.0 * Math.PI * 500 * 480 / Rate);
                (least, most) = (Math.Min(least, speed), Math.Max(most, speed));
            }

            before = phase;
        }

        Assert.InRange(most, 0.0030, 0.0042);
        Assert.InRange(least, -0.0042, -0.0030);

        const int Time = 4800;
        using var held = Line(Time / 48_000f, 1f, 0.6f);
        held.Input = static (port, _, frame) => port == 0 ? 3f * (float)Math.Sin(frame * 0.0931) : 0f;
        held.Run(3 * Time);
        held["hold"] = 1f;
        var output = held.Run("out", 12 * Time);
        for (var i = 2 * Time; i + Time < output.Length; i++) Assert.Equal(output[i], output[i + Time]);
        Assert.Contains(output[^Time..], static v => Math.Abs(v) > 1f);
    }

    [Fact]
    public void The_tape_saturates_without_aliases()
    {
        const double Hertz = 2000.0 + (48_000.0 / 16_384 / 3);
        using var rig = Line(0.05f, 1f, 0f);
        rig["mode"] = 2f;
        rig["wow"] = 0f;
        rig["drive"] = 1f;
        rig["tone"] = 10_000f;
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * Hertz * frame / Rate) : 0f;
        var y = rig.Run("out", 8192 + 16_384).AsSpan(8192, 16_384);
        var harmonics = Enumerable.Range(1, 11).Select(static k => k * Hertz).ToArray();
        Quality.AtMost("delay", "aliases of the saturated tape, 2 kHz at 5 V", Spectrum.WorstOther(y, Rate, 20_000, harmonics), -80, "dB");
        Assert.True(Spectrum.Level(y, 3 * Hertz / Rate) > 0.05);
    }

    [Fact]
    public void What_is_no_number_is_reported_before_it_circulates()
    {
        using var rig = Line(0.5f, 0.4f, 0.45f);
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
        using var rig = Line(0.002f, 1f, 0.98f);
        rig.Input = static (port, _, _) => port == 0 ? 10f : 0f;
        Assert.All(rig.Run("out", 96_000), static v => Assert.InRange(v, -30f, 30f));
    }

    private static Rig Line(float time, float mix, float feedback, RigOptions? options = null) =>
        new("delay", options ?? new RigOptions { Cables = [1, 1, 1, 0, 0] }) { ["time"] = time, ["mix"] = mix, ["feedback"] = feedback };
}
