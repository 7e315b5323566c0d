// What the drums claim: the frame of the blow, the pitch it falls to, how long it lasts, silence after it.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class DrumTests
{
    private const int Rate = 48_000;

    public static TheoryData<string> Drums => new("kick", "snare", "hat", "clap");

    [Theory, MemberData(nameof(Drums))]
    public void A_trigger_is_heard_in_its_very_frame_and_never_before(string id)
    {
        foreach (var at in new[] { 0, 1, 777, 1000 })
        {
            using var rig = new Rig(id);
            rig.Input = (port, _, frame) => port == 0 && frame >= at && frame < at + 48 ? 10f : 0f;
            var first = Array.FindIndex(rig.Run("out", 2048), static v => v != 0f);
            Quality.AtMost(id, "trigger to sound", Math.Abs(first - at), 0, "frames");
        }
    }

    [Theory]
    [InlineData("kick", 36)]
    [InlineData("snare", 38)]
    [InlineData("hat", 42)]
    [InlineData("clap", 39)]
    public void Its_note_strikes_it_in_its_frame_and_other_notes_do_not(string id, int key)
    {
        using var rig = new Rig(id);
        rig.Events.Add(new ModuleEvent { Frame = 100, Target = 77, Kind = EventKind.NoteOn, Index = key + 1, Value = 1f });
        rig.Events.Add(new ModuleEvent { Frame = 555, Target = 77, Kind = EventKind.NoteOn, Index = key, Value = 1f });
        Assert.Equal(555, Array.FindIndex(rig.Run("out", 2048), static v => v != 0f));
    }

    [Theory, MemberData(nameof(Drums))]
    public void Accent_decides_the_loudness_as_far_as_it_is_told(string id)
    {
        double Loudness(float accent, float amount)
        {
            using var rig = new Rig(id) { ["accent"] = amount };
            var port = rig.InputIndex("accent");
            rig.Input = (p, _, frame) => p == 0 && frame is > 0 and < 48 ? 10f : p == port ? accent : 0f;
            return Math.Sqrt(rig.Run("out", 4800).Sum(static v => (double)v * v));
        }

        var full = Loudness(10f, 1f);
        Assert.InRange(Loudness(5f, 1f) / full, 0.49, 0.51);
        Assert.InRange(Loudness(0f, 0.7f) / full, 0.29, 0.31);
        Assert.Equal(full, Loudness(0f, 0f), 1e-6);
        Assert.Equal(0.0, Loudness(0f, 1f));
    }

    [Theory, MemberData(nameof(Drums))]
    public void After_its_tail_it_is_exactly_silent_and_sleeps(string id)
    {
        using var rig = new Rig(id);
        var accent = rig.InputIndex("accent");
        rig.Input = (port, _, frame) => (port == 0 && frame is > 0 and < 48) || (port == accent && frame < 48) ? 10f : 0f;
        var samples = rig.Run("out", 4 * Rate);
        Assert.Equal(ProcessResult.Sleep, rig.LastResult);
        Assert.All(samples[(3 * Rate)..], static v => Assert.Equal(0f, v));
        Assert.InRange(samples.Max(Math.Abs), 2f, 7f);
    }

    [Fact]
    public void A_kick_ends_at_its_pitch_whatever_the_sweep()
    {
        foreach (var (hertz, volts, sweep) in new[] { (30f, 0f, 5f), (50f, 0f, 2f), (100f, 1f, 1f), (200f, -0.5f, 3f) })
        {
            using var rig = Struck("kick");
            rig["tune"] = hertz;
            rig["sweep"] = sweep;
            rig["sweep_time"] = 0.05f;
            rig["decay"] = 8f;
            var input = rig.Input;
            rig.Input = (port, channel, frame) => port == 2 ? volts : input(port, channel, frame);
            var expected = hertz * Math.Pow(2, volts);
            var samples = rig.Run("out", 3 * Rate).AsSpan(Rate / 2);
            Quality.AtMost("kick", "pitch after the sweep", Math.Abs(Spectrum.Cents(Spectrum.Frequency(samples, expected / Rate) * Rate, expected)),
                0.5, "cent");
        }
    }

    [Fact]
    public void A_kick_starts_as_many_octaves_higher_as_its_sweep_says()
    {
        // Upward crossings of zero against the integral of 50 Hz * 2^(3 e^(-t / tau)) by fine steps.
        using var rig = Struck("kick");
        rig["click"] = 0f;
        rig["sweep"] = 3f;
        rig["sweep_time"] = 0.4f;
        rig["decay"] = 8f;
        var samples = rig.Run("out", Rate);
        double phase = 0;
        const double Tau = 0.4 / 6.907755;
        var expected = 0;
        var heard = 0;
        for (var i = 1; i < Rate; i++)
        {
            var before = Math.Floor(phase);
            for (var k = 0; k < 8; k++) phase += 50.0 / Rate / 8 * Math.Pow(2, 3 * Math.Exp(-(i - 1 + (k / 8.0)) / Rate / Tau));
            if (Math.Floor(phase) > before) expected++;
            if (samples[i - 1] < 0f && samples[i] >= 0f) heard++;
            Assert.InRange(heard - expected, -1, 1);
        }

        Assert.True(heard > 60);
    }

    [Theory]
    [InlineData("kick", "decay", 0.2f)]
    [InlineData("kick", "decay", 3f)]
    [InlineData("snare", "decay", 0.1f)]
    [InlineData("snare", "decay", 1.5f)]
    [InlineData("snare", "snappy_decay", 1.5f)]
    [InlineData("hat", "closed", 1f)]
    [InlineData("hat", "open", 3f)]
    [InlineData("clap", "decay", 1.5f)]
    public void Decay_is_the_time_of_60_dB(string id, string knob, float seconds)
    {
        var noisy = id is "clap" or "hat" || knob == "snappy_decay";
        foreach (var rate in noisy ? new[] { Rate } : [Rate, 192_000])
        {
            using var rig = Struck(id, rate, knob == "open" ? 1 : 0);
            rig[knob] = seconds;
            if (id == "kick") rig["sweep"] = 0f;
            if (id == "kick") rig["click"] = 0f;
            if (id == "snare") rig["snappy"] = knob == "decay" ? 0f : 1f;
            if (id == "snare") rig["balance"] = 0f;

            // Noise is averaged over as much of the tail as there is; a tone over whole turns of it.
            var frames = (int)(seconds * rate * (noisy ? 1.5 : 1.0));
            var samples = rig.Run("out", frames + 1);
            var measured = Tail.T60(samples, rate, id == "clap" ? rate / 20 : rate / 50, frames, Math.Min(frames / 8, rate / 20));
            Quality.AtMost(id, $"{knob} T60 of {seconds} s", 100 * Math.Abs((measured / seconds) - 1), 5, "%");
        }
    }

    [Fact]
    public void A_closed_hat_ends_an_open_one()
    {
        using var rig = new Rig("hat");
        rig.Input = static (port, _, frame) => (port == 1 && frame is >= 10 and < 58) || (port == 0 && frame is >= 4800 and < 4848) ? 10f : 0f;
        var samples = rig.Run("out", 2 * Rate);
        Assert.True(samples[4000..4800].Max() > 0.5f);
        Assert.InRange(samples[(4800 + 5760)..].Max(), 0f, 0.01f);
    }

    [Fact]
    public void Claps_come_as_many_and_as_far_apart_as_they_are_told()
    {
        using var rig = Struck("clap");
        rig["hands"] = 5f;
        rig["spread"] = 0.02f;
        rig["tone"] = 8000f;
        rig["width"] = 2f;
        var samples = rig.Run("out", 9600);

        // Each burst: much louder than the moment before it.
        var starts = new List<int>();
        for (var i = 64; i < samples.Length - 24; i++)
        {
            var (before, after) = (samples[(i - 24)..i].Max(Math.Abs), samples[i..(i + 8)].Max(Math.Abs));
            if (after > 6 * before && after > 0.3f && (starts.Count == 0 || i - starts[^1] > 200)) starts.Add(i);
        }

        // The first one begins at frame 1, before the search.
        Assert.Equal(4, starts.Count);
        for (var k = 0; k < 4; k++) Quality.AtMost("clap", "burst after its time", Math.Abs(starts[k] - (1 + (960 * (k + 1)))), 8, "frames");
    }

    [Fact]
    public void A_hat_takes_away_what_is_below_its_tone()
    {
        using var rig = Struck("hat", Rate, 1);
        rig["open"] = 6f;
        rig["noise"] = 1f;
        rig["tone"] = 8000f;
        var bins = Spectrum.Magnitudes(rig.Run("out", 32_768 + 32).AsSpan(16, 32_768));
        double Power(double from, double to) => bins[(int)(from / Rate * 32_768)..(int)(to / Rate * 32_768)].Average(static v => v * v);

        // Two filters of 12 dB an octave: three octaves below, 72 dB less.
        Quality.AtMost("hat", "an eighth of the tone", 10 * Math.Log10(Power(900, 1100) / Power(9000, 16_000)), -64, "dB");
    }

    [Theory]
    [InlineData(0f, 1.0)]
    [InlineData(1f, 11.0 / 6)]
    public void The_two_tones_of_a_snare_are_as_far_apart_as_180_and_330_Hz(float balance, double ratio)
    {
        using var rig = Struck("snare");
        rig["tune"] = 150f;
        rig["balance"] = balance;
        rig["snappy"] = 0f;
        rig["decay"] = 3f;
        var expected = 150 * ratio;
        var samples = rig.Run("out", 40_000).AsSpan(2048, 32_768);
        Quality.AtMost("snare", "pitch of its tones",
            Math.Abs(Spectrum.Cents(Spectrum.Frequency(samples, expected / Rate) * Rate, expected)), 1, "cent");
    }

    private static Rig Struck(string id, int rate = Rate, int port = 0)
    {
        var rig = new Rig(id, new RigOptions { Rate = rate });
        rig.Input = (p, _, frame) => p == port && frame is > 0 and < 48 ? 10f : p == rig.InputIndex("accent") ? 10f : 0f;
        return rig;
    }
}
