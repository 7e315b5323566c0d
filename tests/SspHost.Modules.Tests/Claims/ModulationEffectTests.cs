// What chorus, flanger and phaser claim: copies exactly where their sweep says, notches and peaks where the formulas put them.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class ModulationEffectTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(1000.0, 0.7f)]
    [InlineData(5000.0, 5f)]
    public void The_voice_of_a_chorus_is_where_its_sine_says(double hertz, float rate)
    {
        using var rig = new Rig("chorus", new RigOptions { Cables = [1, 0, 0] })
        {
            ["voices"] = 1f, ["rate"] = rate, ["delay"] = 12f, ["depth"] = 2f, ["mix"] = 1f,
        };
        rig.Input = (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * hertz * frame / Rate) : 0f;
        var y = rig.Run("left", Rate);
        AssertDelayed("chorus", y, hertz, n => (12.0 + (2.0 * Math.Sin(2.0 * Math.PI * rate * n / Rate))) * 0.001 * Rate);
    }

    [Fact]
    public void Voices_of_a_chorus_are_a_golden_section_of_a_turn_apart()
    {
        const int At = 20_000;
        using var rig = new Rig("chorus", new RigOptions { Cables = [1, 0, 0] })
        {
            ["voices"] = 3f, ["rate"] = 0.6f, ["delay"] = 12f, ["depth"] = 2f, ["spread"] = 0f, ["mix"] = 1f,
        };
        rig.Input = static (port, _, frame) => port == 0 && frame == At ? 5f : 0f;
        var y = rig.Run("left", At + 2000);
        for (var voice = 0; voice < 3; voice++)
        {
            // Where the click comes out: its delay is that of the frame in which it does.
            var later = 576.0;
            for (var i = 0; i < 20; i++)
                later = (12.0 + (2.0 * Math.Sin(2.0 * Math.PI * ((0.6 * (At + later) / Rate) + (voice * 0.6180339887))))) * 0.001 * Rate;
            var first = At + (int)later;
            Assert.Equal(5.0 / Math.Sqrt(3.0), y[(first - 2)..(first + 4)].Sum(static v => (double)v), 0.05);
        }
    }

    [Theory]
    [InlineData(1000.0, 0.5f)]
    [InlineData(5000.0, 3f)]
    public void The_copy_of_a_flanger_is_where_its_sine_says(double hertz, float rate)
    {
        using var rig = new Rig("flanger", new RigOptions { Cables = [1, 0] })
        {
            ["rate"] = rate, ["delay"] = 2f, ["depth"] = 0.7f, ["mix"] = 1f, ["feedback"] = 0f,
        };
        rig.Input = (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * hertz * frame / Rate) : 0f;
        var y = rig.Run("left", Rate);
        AssertDelayed("flanger", y, hertz, n => 2.0 * (1.0 + (0.7 * Math.Sin(2.0 * Math.PI * rate * n / Rate))) * 0.001 * Rate);
    }

    [Theory]
    [InlineData("chorus")]
    [InlineData("flanger")]
    [InlineData("phaser")]
    public void A_sweep_comes_round_after_its_period_and_mix_0_is_the_sound_alone(string id)
    {
        // 10 Hz are 4800 frames, 1 kHz is 48: both come round together.
        using var rig = new Rig(id, Sound(id)) { ["rate"] = 10f };
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * (frame % 48) / 48) : 0f;
        rig.Run(Rate / 2);
        var y = rig.Run("left", 4 * 4800);
        var (turn, half) = (0f, 0f);
        for (var i = 0; i < 2 * 4800; i++)
        {
            turn = Math.Max(turn, Math.Abs(y[i] - y[i + 4800]));
            half = Math.Max(half, Math.Abs(y[i] - y[i + 2400]));
        }

        Quality.AtMost(id, "sweep off after a period", turn / 5f * 100, 0.1, "%");
        Assert.True(half > 0.1f);
        using var dry = new Rig(id, Sound(id)) { ["mix"] = 0f };
        dry.Input = static (port, _, frame) => port == 0 ? (frame % 100) - 50 : 0f;
        foreach (var side in dry.Run(4800))
        {
            for (var i = 0; i < 4800; i++) Assert.Equal((i % 100) - 50, side[0][i]);
        }
    }

    [Theory]
    [InlineData("flanger")]
    [InlineData("phaser")]
    public void At_half_a_turn_the_right_side_is_the_left_one_half_a_sweep_later(string id)
    {
        using var rig = new Rig(id, new RigOptions { Cables = [1, 0] }) { ["rate"] = 10f, ["stereo"] = 0.5f };
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * (frame % 48) / 48) : 0f;
        rig.Run(Rate / 2);
        var both = rig.Run(3 * 4800);
        for (var i = 0; i < 4800; i++) Assert.Equal(both[0][0][i + 2400], both[1][0][i], 5e-3);
    }

    [Fact]
    public void In_dimension_the_sum_of_the_sides_stands_still()
    {
        // Left and right are a - 0.4 b and b - 0.4 a: together 0.6 (a + b), whose phase is that of the middle.
        using var rig = new Rig("chorus", new RigOptions { Cables = [1, 0, 0] }) { ["mode"] = 1f, ["rate"] = 0.5f, ["mix"] = 1f, ["delay"] = 10f, ["depth"] = 0.2f };
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * 500 * frame / Rate) : 0f;
        var both = rig.Run(2 * Rate);
        for (var i = 4800; i < 2 * Rate; i++)
        {
            var turns = 0.5 * i / Rate;
            turns -= Math.Floor(turns);
            var wave = turns < 0.25 ? 4 * turns : turns < 0.75 ? 2 - (4 * turns) : (4 * turns) - 4;
            var expected = 6.0 * Math.Cos(2.0 * Math.PI * 500 * 0.0002 * wave) * Math.Sin(2.0 * Math.PI * 500 * (((double)i / Rate) - 0.01));
            Assert.Equal(expected, both[0][0][i] + both[1][0][i], 0.01);
        }
    }

    [Theory]
    [InlineData(2000f)]
    [InlineData(6000f)]
    public void The_bucket_brigade_is_3_dB_down_at_its_tone(float tone)
    {
        using var rig = new Rig("chorus", new RigOptions { Cables = [1, 0, 0] }) { ["voices"] = 1f, ["depth"] = 0f, ["mix"] = 1f, ["line"] = 1f, ["tone"] = tone };
        rig.Input = (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * tone * frame / Rate) : 0f;
        var level = Spectrum.Level(rig.Run("left", 16_384).AsSpan(8192, 8192), tone / Rate) / 5.0;
        Quality.AtMost("chorus", "bucket brigade at its tone", Math.Abs(Spectrum.Decibels(level * Math.Sqrt(2.0))), 0.1, "dB");
    }

    [Theory]
    [InlineData(1, 0.7f)]
    [InlineData(3, 0.7f)]
    [InlineData(8, 0.3f)]
    public void Voices_of_noise_are_as_strong_together_as_one(int voices, float spread)
    {
        using var rig = new Rig("chorus", new RigOptions { Cables = [1, 0, 0] }) { ["voices"] = voices, ["spread"] = spread, ["mix"] = 1f, ["depth"] = 5f };
        var noise = new Random(3);
        rig.Input = (port, _, _) => port == 0 ? (6f * noise.NextSingle()) - 3f : 0f;
        rig.Run(4800);
        var output = rig.Run(Rate);
        var power = output.Sum(static o => o[0].Average(static v => (double)v * v));
        Quality.AtMost("chorus", "wet level of noise", Math.Abs(Spectrum.Decibels(Math.Sqrt(power / 2 / 3))), 1.0, "dB");
    }

    [Theory]
    [InlineData(0.5f, 0f, 1.037f)]
    [InlineData(-0.5f, 0f, 0.4f)]
    [InlineData(0.5f, 1f, 5.21f)]
    public void Notches_of_a_flanger_lie_where_the_copy_is_half_a_wave_late(float mix, float volts, float milliseconds)
    {
        var response = Click("flanger", volts, ("delay", milliseconds), ("depth", 0f), ("feedback", 0f), ("mix", mix));
        var delay = milliseconds * 0.001 / Math.Pow(2.0, volts);
        for (var k = 0; k < 4; k++)
        {
            var expected = mix > 0 ? (k + 0.5) / delay : (k + 1) / delay;
            if (expected > 6000) break;
            var found = Extreme(response, expected, -1);
            Quality.AtMost("flanger", "notch off", Math.Abs(Spectrum.Cents(found, expected)), 5.0, "cents");
            Quality.AtMost("flanger", "depth of a notch", Spectrum.Decibels(Magnitude(response, found)), -40, "dB");
        }
    }

    [Theory]
    [InlineData(0.95f, 0f, 1f)]
    [InlineData(0.95f, 1.5f, 2f)]
    [InlineData(-0.95f, 0f, 1f)]
    public void Feedback_of_a_flanger_rings_in_tune(float feedback, float volts, float milliseconds)
    {
        // The loop is as long as the delay: it rings at whole multiples of its inverse, upside down at odd halves.
        var response = Click("flanger", volts, ("delay", milliseconds), ("depth", 0f), ("feedback", feedback), ("mix", 1f));
        var expected = Math.Pow(2.0, volts) / (milliseconds * 0.001) * (feedback > 0 ? 1.0 : 0.5);
        Quality.AtMost("flanger", "resonance off", Math.Abs(Spectrum.Cents(Extreme(response, expected, 1), expected)), 5.0, "cents");
    }

    [Fact]
    public void Through_zero_the_sound_and_its_copy_cancel_where_they_meet()
    {
        using var rig = new Rig("flanger", new RigOptions { Cables = [1, 0] }) { ["through"] = 1f, ["depth"] = 0f, ["feedback"] = 0f, ["mix"] = -0.5f, ["delay"] = 3.3f };
        var noise = new Random(3);
        rig.Input = (port, _, _) => port == 0 ? (6f * noise.NextSingle()) - 3f : 0f;
        rig.Run(4800);
        var y = rig.Run("left", 4800);
        Quality.AtMost("flanger", "left of noise at zero", Spectrum.Decibels(Math.Sqrt(y.Average(static v => (double)v * v) / 3)), -80, "dB");
    }

    [Theory]
    [InlineData(0, 700f, 0f, 0f)]
    [InlineData(2, 1500f, 0.7f, 0f)]
    [InlineData(4, 400f, -0.6f, 0f)]
    [InlineData(4, 400f, 0.9f, 1f)]
    public void Notches_of_a_phaser_lie_where_its_row_turns_by_odd_halves(int choice, float frequency, float feedback, float volts)
    {
        var stages = 4 + (2 * choice);
        var response = Click("phaser", volts, ("frequency", frequency), ("depth", 0f), ("stages", choice), ("feedback", feedback), ("mix", 0.5f));
        var g = Math.Tan(Math.PI * frequency * Math.Pow(2.0, volts) / Rate);
        for (var k = 0; k < stages / 2; k++)
        {
            var expected = Math.Atan(g * Math.Tan(((2 * k) + 1) * Math.PI / (2 * stages))) / Math.PI * Rate;
            var found = Extreme(response, expected, -1);
            Quality.AtMost("phaser", "notch off", Math.Abs(Spectrum.Cents(found, expected)), 5.0, "cents");
            Quality.AtMost("phaser", "depth of a notch", Spectrum.Decibels(Magnitude(response, found)), -40, "dB");
        }
    }

    [Theory]
    [InlineData("flanger", 0.97f)]
    [InlineData("flanger", -0.97f)]
    [InlineData("phaser", 0.95f)]
    [InlineData("phaser", -0.95f)]
    public void Feedback_can_not_run_away_however_it_is_swept(string id, float feedback)
    {
        using var rig = new Rig(id, new RigOptions { Cables = [1, 1] }) { ["feedback"] = feedback, ["rate"] = 10f, ["depth"] = 1f };
        var noise = new Random(4);
        rig.Input = (port, _, frame) => port == 0 ? (float)Math.Sin(frame * 0.05) * 10f : (4f * noise.NextSingle()) - 2f;
        Assert.All(rig.Run("left", 2 * Rate), static v => Assert.InRange(v, -60f, 60f));
    }

    // A cable at the first input alone.
    private static RigOptions Sound(string id) => new() { Cables = [1, .. Registered.Descriptor(id).Inputs.Skip(1).Select(static _ => 0)] };

    // What is left of a sine when the sine of the exact delay is taken away.
    private static void AssertDelayed(string id, float[] y, double hertz, Func<int, double> delay)
    {
        double error = 0, worst = 0;
        for (var i = 4800; i < y.Length; i++)
        {
            var off = Math.Abs(y[i] - (5.0 * Math.Sin(2.0 * Math.PI * hertz * (i - delay(i)) / Rate)));
            error += off * off;
            worst = Math.Max(worst, off);
        }

        var rms = Spectrum.Decibels(Math.Sqrt(error / (y.Length - 4800)) / (5.0 / Math.Sqrt(2.0)));
        Quality.AtMost(id, $"error of a moving read, {hertz / 1000:g2} kHz", rms, hertz < 2000 ? -85 : -60, "dB");
    }

    private static float[] Click(string id, float volts, params (string Id, float Value)[] knobs)
    {
        using var rig = new Rig(id, new RigOptions { Cables = [1, 1] });
        foreach (var (knob, value) in knobs) rig[knob] = value;
        rig.Input = (port, _, frame) => port == 1 ? volts : frame == 64 ? 1f : 0f;
        return rig.Run("left", 16_384)[64..];
    }

    private static double Magnitude(float[] response, double hertz)
    {
        double re = 0, im = 0;
        for (var i = 0; i < response.Length; i++)
        {
            var (s, c) = Math.SinCos(2.0 * Math.PI * hertz * i / Rate);
            re += response[i] * c;
            im -= response[i] * s;
        }

        return Math.Sqrt((re * re) + (im * im));
    }

    // The largest (sign 1) or smallest (-1) magnitude within a third of a semitone, by golden section.
    private static double Extreme(float[] response, double near, int sign)
    {
        var (low, high) = (near * Math.Pow(2.0, -1.0 / 36), near * Math.Pow(2.0, 1.0 / 36));
        const double Section = 0.6180339887498949;
        var (a, b) = (high - (Section * (high - low)), low + (Section * (high - low)));
        var (fa, fb) = (sign * Magnitude(response, a), sign * Magnitude(response, b));
        for (var i = 0; i < 26; i++)
        {
            if (fa > fb)
            {
                (high, b, fb) = (b, a, fa);
                a = high - (Section * (high - low));
                fa = sign * Magnitude(response, a);
            }
            else
            {
                (low, a, fa) = (a, b, fb);
                b = low + (Section * (high - low));
                fb = sign * Magnitude(response, b);
            }
        }

        return 0.5 * (low + high);
    }
}
