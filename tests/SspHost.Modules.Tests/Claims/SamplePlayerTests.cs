// What the sample player claims: pitch ratios, loops, starts without clicks, and what its job finds.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public unsafe class SamplePlayerTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(48_000, 0f)]
    [InlineData(48_000, 1f)]
    [InlineData(48_000, -0.75f)]
    [InlineData(44_100, 0f)]
    [InlineData(96_000, 0.5f)]
    public void Pitch_is_the_recorded_one_times_the_ratio(int assetRate, float volts)
    {
        using var rig = Player(assetRate, Sine(assetRate * 4, 441.0 / assetRate, 0.5f));
        rig.Input = (port, _, frame) => port == 1 ? volts : port == 0 && frame > 0 ? 10f : 0f;
        var samples = rig.Run("left", 80_000)[4096..];
        var expected = 441.0 * Math.Pow(2, volts);
        var cents = Spectrum.Cents(Spectrum.Frequency(samples, expected / Rate) * Rate, expected);
        Quality.AtMost("sample-player", "pitch", Math.Abs(cents), 0.01, "cent");
        Assert.Equal(2.5, Spectrum.Level(samples, expected / Rate), 0.01);
    }

    [Fact]
    public void Unchanged_pitch_plays_the_recording_sample_for_sample()
    {
        var random = new Random(1);
        var recording = Enumerable.Range(0, 5000).Select(_ => (2f * random.NextSingle()) - 1f).ToArray();
        using var rig = Player(Rate, recording);
        rig.Input = static (port, _, frame) => port == 0 && frame == 777 ? 10f : 0f;
        var left = rig.Run("left", 8000);
        for (var i = 0; i < left.Length; i++) Assert.Equal(i is >= 777 and < 5777 ? 5f * recording[i - 777] : 0f, left[i]);
    }

    [Fact]
    public void Ten_volts_at_start_and_length_are_the_whole_recording_and_slice_goes_from_the_first_to_the_last()
    {
        // A ramp tells where it is; it never rises through zero, so that a start is at its very place.
        var recording = Enumerable.Range(0, 12_800).Select(static i => (i + 1) / 12_800f).ToArray();
        float[] Play(float start, float length, float slice, float slices)
        {
            using var rig = Player(Rate, recording);
            rig["length"] = 0.25f;
            rig["slices"] = slices;
            rig.Input = (port, _, frame) => port switch { 0 => frame == 64 ? 10f : 0f, 2 => slice, 3 => start, 4 => length, _ => 0f };
            return rig.Run("left", 14_000);
        }

        Assert.Equal(5f * recording[6400], Play(5f, 0f, 0f, 1f)[64]);
        Assert.Equal(64 + 3200, Array.FindIndex(Play(5f, 0f, 0f, 1f), 100, static v => v == 0f), 200.0);
        Assert.Equal(64 + 6400, Array.FindIndex(Play(0f, 2.5f, 0f, 1f), 100, static v => v == 0f), 200.0);
        for (var slice = 0; slice < 4; slice++)
        {
            var begins = Play(0f, 0f, slice * 2.5f, 4f)[64 + 400]; // after the slide into it
            Assert.Equal(5f * recording[(slice * 800) + 400], begins, 1e-3f);
        }
    }

    [Fact]
    public void A_loop_of_whole_periods_has_no_seam()
    {
        using var rig = Player(Rate, Sine(4800, 10.0 / 4800, 1f));
        rig["mode"] = 2;
        rig["tune"] = 0.3f;
        rig.Input = static (port, _, _) => port == 0 ? 10f : 0f;
        var samples = rig.Run("left", 4096 + 65_536)[4096..];
        var f = 100.0 * Math.Pow(2, 0.3);
        var worst = Spectrum.WorstOther(samples, Rate, 20_000, [f]);
        Quality.AtMost("sample-player", "loop of a sine, anything else", worst, -90, "dB");
    }

    [Fact]
    public void Gate_mode_fades_out_when_the_gate_closes()
    {
        using var rig = Player(Rate, Sine(48_000, 0.01, 1f));
        rig["mode"] = 1;
        rig.Input = static (port, _, frame) => port == 0 && frame < 5000 ? 10f : 0f;
        var left = rig.Run("left", 8000);
        Assert.True(left[4900..5000].Max() > 4.9f);
        Assert.All(left[5200..], static v => Assert.Equal(0f, v));
        for (var i = 1; i < left.Length; i++) Assert.InRange(Math.Abs(left[i] - left[i - 1]), 0f, 0.4f);
        Assert.Equal(ProcessResult.Sleep, rig.LastResult);
    }

    [Fact]
    public void Its_job_finds_the_peak_and_normalise_uses_it()
    {
        using var rig = Player(Rate, Sine(48_000, 0.01, 0.125f));
        rig["normalise"] = 1f;
        rig.Input = static (port, _, frame) => port == 0 && frame > 0 ? 10f : 0f;
        Assert.Equal(5f, rig.Run("left", 9600)[4800..].Max(), 0.01);
    }

    [Fact]
    public void A_start_within_the_recording_is_moved_to_a_rising_zero()
    {
        // A cosine of 400 frames: the places that the knob means lie anywhere in it.
        var recording = Enumerable.Range(0, 48_000).Select(static i => (float)Math.Cos(2 * Math.PI * i / 400.0)).ToArray();
        for (var start = 0.1f; start < 0.9f; start += 0.1f)
        {
            using var rig = Player(Rate, recording);
            rig["start"] = start;
            rig.Input = static (port, _, frame) => port == 0 && frame >= 100 ? 10f : 0f;
            var left = rig.Run("left", 400);
            Assert.InRange(left[100], 0f, 0.1f);
            Assert.True(left[110] > left[100], "rises");
        }
    }

    [Fact]
    public void A_restart_slides_without_a_click()
    {
        using var rig = Player(Rate, Sine(48_000, 0.005, 1f));
        rig.Input = static (port, _, frame) => port == 0 && (frame % 1050) < 100 ? 10f : 0f;
        var left = rig.Run("left", 20_000);
        for (var i = 1; i < left.Length; i++) Assert.InRange(Math.Abs(left[i] - left[i - 1]), 0f, 5f * 0.0315f * 1.6f);
    }

    [Fact]
    public void A_damaged_or_missing_asset_is_silence()
    {
        using var rig = Player(Rate, Sine(4800, 0.01, 1f));
        rig.Input = static (port, _, frame) => port == 0 ? frame / 100 % 2 * 10f : 0f;
        var damaged = new Asset { DataOffset = 64, Frames = -5, Stride = 0, Channels = 0, Rate = float.NaN };
        rig.ReplaceAsset(&damaged);
        Assert.All(rig.Run("left", 4800), static v => Assert.Equal(0f, v));
        rig.ReplaceAsset(null);
        Assert.All(rig.Run("left", 4800), static v => Assert.Equal(0f, v));
    }

    // A frame of the slide is a fiftieth of the way at most, beside the sine's own 0.16 V.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Another_file_while_one_sounds_slides_without_a_click_and_begins_where_the_gate_is_held(bool there)
    {
        using var rig = Player(Rate, Sine(48_000, 0.005, 1f));
        rig["mode"] = 2;
        rig.Input = static (port, _, _) => port == 0 ? 10f : 0f;
        var before = rig.Run("left", 4850); // near a crest
        if (there) rig.LoadAsset(Rate, Sine(48_000, 0.01, 0.5f));
        else rig.ReplaceAsset(null);
        var after = rig.Run("left", 9600);
        Assert.True(Math.Abs(before[^1]) > 4f);
        for (var i = 0; i < after.Length; i++) Assert.InRange(Math.Abs(after[i] - (i == 0 ? before[^1] : after[i - 1])), 0f, 5f * ((1f / 45f) + 0.0315f));
        if (there) Assert.Equal(2.5f, after[4800..].Max(), 0.01);
        else Assert.All(after[2400..], static v => Assert.Equal(0f, v, 1e-6f));
    }

    [Fact]
    public void A_new_asset_replaces_the_old_ones_analysis()
    {
        using var rig = Player(Rate, Sine(48_000, 0.01, 0.125f));
        rig["normalise"] = 1f;
        rig.LoadAsset(Rate, Sine(48_000, 0.01, 0.5f));
        rig.Run(1024);
        rig.Reset();
        rig.Input = static (port, _, frame) => port == 0 && frame > 0 ? 10f : 0f;
        Assert.Equal(5f, rig.Run("left", 9600)[4800..].Max(), 0.01);
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(1.6f)]
    [InlineData(3.3f)]
    public void Played_faster_nothing_folds_back_below_20_kHz(float volts)
    {
        // Two partials: one stays in hearing, the other would fold into it.
        var ratio = Math.Pow(2, volts);
        var (low, high) = (900.0 / ratio, 31_000.0 / ratio);
        var recording = new float[4 * Rate];
        for (var i = 0; i < recording.Length; i++)
            recording[i] = 0.4f * (float)(Math.Sin(2 * Math.PI * low * i / Rate) + Math.Sin(2 * Math.PI * high * i / Rate));
        using var rig = Player(Rate, recording);
        rig.Input = (port, _, _) => port == 0 ? 10f : port == 1 ? volts : 0f;
        var samples = rig.Run("left", 1024 + 16_384).AsSpan(1024, 16_384);
        Quality.AtMost("sample-player", "aliases, played faster", Spectrum.WorstOther(samples, Rate, 20_000, [900.0]), -80, "dB");
    }

    [Fact]
    public void As_many_starts_as_overlap_allows_sound_together_sample_for_sample()
    {
        var recording = Hit(24_000);
        using var rig = Player(Rate, 3, recording);
        rig.Input = static (port, _, frame) => port == 0 && frame % 1000 == 100 && frame < 3000 ? 10f : 0f;
        var left = rig.Run("left", 20_000);
        for (var i = 0; i < left.Length; i++)
        {
            var expected = 0f;
            foreach (var start in new[] { 100, 1100, 2100 }) expected += i >= start ? 5f * recording[i - start] : 0f;
            Assert.Equal(expected, left[i], 1e-5f);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void One_start_more_fades_out_the_oldest_or_the_quietest_within_4_ms(int steal)
    {
        // Two slices, the second a tenth as loud: loud, then soft, then loud again. The oldest is the first, the quietest the second.
        var recording = Enumerable.Range(0, 96_000)
            .Select(static i => (i < 48_000 ? 0.5f : 0.05f) * (float)Math.Sin(2 * Math.PI * i / 240.0)).ToArray();
        using var rig = Player(Rate, 2, recording);
        rig["slices"] = 2f;
        rig["steal"] = steal;
        rig.Input = static (port, _, frame) => port switch
        {
            0 => frame is 600 or 4200 or 9120 ? 10f : 0f,
            2 => frame is > 1000 and < 5000 ? 7.5f : 0f,
            _ => 0f,
        };
        var left = rig.Run("left", 20_000);
        var gone = steal == 0 ? 0 : 1;
        float Of(int slice, int start, int i) => i >= start ? 5f * recording[(slice * 48_000) + i - start] : 0f;
        double worst = 0, click = 0;
        for (var i = 1; i < left.Length; i++)
        {
            var stays = Of(0, 9120, i) + (gone == 0 ? Of(1, 4200, i) : Of(0, 600, i));
            var goes = gone == 0 ? Of(0, 600, i) : Of(1, 4200, i);
            if (i > 500 && i < 9120) worst = Math.Max(worst, Math.Abs(left[i] - (stays + goes)));
            if (i > 9120 + 192) worst = Math.Max(worst, Math.Abs(left[i] - stays));
            click = Math.Max(click, Math.Abs(left[i] - left[i - 1]));
        }

        Quality.AtMost("sample-player", "what stealing leaves of the stolen after 4 ms", worst, 1e-4, "V");

        // Three sines of 200 Hz, and a fade of 5 V / 192.
        Quality.AtMost("sample-player", "largest step while a voice is stolen", click, (3 * 2.5 * 2 * Math.PI / 240) + (2.5 / 192), "V");
    }

    [Fact]
    public void A_start_does_not_bend_the_pitch_of_those_that_still_sound()
    {
        using var rig = Player(Rate, 2, Sine(8 * Rate, 441.0 / Rate, 0.4f));
        rig.Input = static (port, _, frame) => port == 0 ? frame is 100 or 5000 ? 10f : 0f : port == 1 && frame >= 5000 ? 0.7f : 0f;
        var samples = rig.Run("left", 8192 + 32_768).AsSpan(8192);
        foreach (var hertz in new[] { 441.0, 441.0 * Math.Pow(2, 0.7f) }) Assert.Equal(2.0, Spectrum.Level(samples, hertz / Rate), 0.01);
    }

    [Fact]
    public void The_slice_voltage_picks_a_slice_and_reverse_plays_it_backwards()
    {
        var recording = Enumerable.Range(0, 8000).Select(static i => ((i / 1000) + 1 + (i % 1000 / 2000f)) / 10f).ToArray();
        foreach (var (slice, reverse) in new[] { (0, 0), (3, 0), (7, 0), (5, 1) })
        {
            using var rig = Player(Rate, recording);
            rig["slices"] = 8;
            rig["reverse"] = reverse;
            rig.Input = (port, _, frame) => port == 0 && frame >= 32 ? 10f : port == 2 ? (slice * 1.25f) + 0.3f : 0f;
            var left = rig.Run("left", 2000);
            foreach (var i in new[] { 600, 700, 750 })
                Assert.Equal(5f * recording[(slice * 1000) + (reverse == 1 ? 999 - i : i)], left[32 + i], 1e-4f);
            Assert.All(left[1040..], static v => Assert.InRange(v, -1e-3f, 1e-3f));
        }
    }

    [Fact]
    public void A_loop_uses_the_loop_points_of_the_file()
    {
        // A blip of its own, then a sine of whole periods that is the loop.
        var recording = Enumerable.Range(0, 6000).Select(static i => i < 1200 ? 0.9f : (float)Math.Sin(2 * Math.PI * i / 120) * 0.5f).ToArray();
        using var rig = new Rig("sample-player");
        rig["mode"] = 2;
        var block = new GuardedBlock(64 + (recording.Length * sizeof(float)));
        var asset = (Asset*)block.Data;
        *asset = new Asset { DataOffset = 64, Frames = 6000, Stride = 6000, Channels = 1, Rate = Rate, LoopStart = 2400, LoopEnd = 4800, Root = 1f };
        recording.CopyTo(new Span<float>(Asset.Channel(asset, 0), recording.Length));
        rig.ReplaceAsset(asset);
        rig.Input = static (port, _, _) => port == 0 ? 10f : 0f;
        var left = rig.Run("left", 30_000);
        Assert.True(left[600] > 4f);
        for (var i = 1300; i < left.Length; i++) Assert.Equal(2.5 * Math.Sin(2 * Math.PI * i / 120), left[i], 1e-3);

        // The file's note is an octave above middle C: middle C is half as fast.
        rig.Reset();
        rig["root"] = 1;
        var slow = rig.Run("left", 30_000);
        for (var i = 2700; i < slow.Length; i++) Assert.Equal(2.5 * Math.Sin(2 * Math.PI * i / 240), slow[i], 1e-2);
        block.Dispose();
    }

    // A blow that rings for half a second.
    private static float[] Hit(int frames) =>
        [.. Enumerable.Range(0, frames).Select(i => 0.3f * (float)(Math.Exp(-i / 4000.0) * Math.Sin(2.0 * Math.PI * i / 220.0)))];

    private static Rig Player(float assetRate, params float[][] channels) => Player(assetRate, 1, channels);

    // With the analysis already done.
    private static Rig Player(float assetRate, int overlap, params float[][] channels)
    {
        var rig = new Rig("sample-player", new RigOptions { Settings = new() { ["overlap"] = overlap } });
        rig.LoadAsset(assetRate, channels);
        rig.Run(1024);
        rig.Reset();
        return rig;
    }

    private static float[] Sine(int frames, double turns, float level) =>
        [.. Enumerable.Range(0, frames).Select(i => level * (float)Math.Sin(2.0 * Math.PI * turns * i))];
}
