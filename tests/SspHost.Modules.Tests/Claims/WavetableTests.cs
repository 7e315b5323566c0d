// What the wavetable oscillator claims: its waves are their harmonics at any pitch, from the bank and from a file; FM and sync do not
// alias.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public unsafe class WavetableTests
{
    private const double C4 = 261.6255653005986;
    private const int Rate = 48_000;

    [Theory]
    [InlineData(8.0)]
    [InlineData(27.5)]
    [InlineData(440.0)]
    [InlineData(5000.0)]
    [InlineData(12_000.0)]
    public void Pitch_is_within_a_tenth_of_a_cent(double hertz)
    {
        using var rig = Osc(hertz, 0f);
        var samples = rig.Run("out", (Rate * 2) + 4096)[4096..];
        var expected = Exact(hertz);
        Quality.AtMost("wavetable", "pitch error, 8 Hz to 12 kHz",
            Math.Abs(Spectrum.Cents(Spectrum.Frequency(samples, expected / Rate) * Rate, expected)), 0.1, "cent");
    }

    [Theory]
    [InlineData(43.7)]
    [InlineData(211.3)]
    [InlineData(1237.7)]
    [InlineData(5003.7)]
    public void A_saw_has_its_harmonics_and_no_aliases(double hertz)
    {
        using var rig = Osc(hertz, 2f / 3f);
        var samples = rig.Run("out", 4096 + 65_536)[4096..];
        var f = Exact(hertz);
        for (var k = 1; k * f < 19_000; k = k < 8 ? k + 1 : k * 5 / 4)
        {
            var error = Spectrum.Decibels(Spectrum.Level(samples, k * f / Rate) / (10 / (Math.PI * k)));
            Quality.AtMost("wavetable", "error of a harmonic below 19 kHz", Math.Abs(error), 0.25, "dB");
        }

        var worst = Spectrum.WorstOther(samples, Rate, 20_000, Enumerable.Range(1, (int)(Rate / 2 / f)).Select(k => k * f));
        if (hertz > 100) Quality.AtMost("wavetable", "aliases below 20 kHz", worst, -80, "dB");
    }

    [Theory]
    [InlineData(211.3)]
    [InlineData(1237.7)]
    [InlineData(5003.7)]
    public void At_44_1_kHz_too_the_saw_has_its_harmonics_and_no_aliases(double hertz)
    {
        const int Slow = 44_100;
        using var rig = Osc(hertz, 2f / 3f, rate: Slow);
        var samples = rig.Run("out", 4096 + 65_536)[4096..];
        var f = Exact(hertz);
        for (var k = 1; k * f < 17_500; k = k < 8 ? k + 1 : k * 5 / 4)
        {
            var error = Spectrum.Decibels(Spectrum.Level(samples, k * f / Slow) / (10 / (Math.PI * k)));
            Quality.AtMost("wavetable", "error of a harmonic below 17.5 kHz at 44.1 kHz", Math.Abs(error), 0.25, "dB");
        }

        var worst = Spectrum.WorstOther(samples, Slow, 18_400, Enumerable.Range(1, (int)(Slow / 2 / f)).Select(k => k * f));
        Quality.AtMost("wavetable", "aliases below 18.4 kHz at 44.1 kHz", worst, -80, "dB");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Every_bank_sounds_along_its_whole_row_and_differs_from_place_to_place(int bank)
    {
        var seen = new List<float[]>();
        foreach (var morph in new[] { 0f, 0.4f, 0.7f, 1f })
        {
            using var rig = Osc(220.0, morph);
            rig["bank"] = bank;
            var samples = rig.Run("out", 4800)[1200..];
            Assert.InRange(samples.Max(Math.Abs), 3.5f, 7.5f); // corners without what lies above hearing overshoot
            foreach (var other in seen) Assert.True(other.Zip(samples, static (a, b) => Math.Abs(a - b)).Max() > 0.3f);
            seen.Add(samples);
        }
    }

    [Theory]
    [InlineData(2048, 0)]
    [InlineData(600, 600)]
    public void A_file_is_played_as_it_is_cut_and_morphs_from_wave_to_wave(int cycle, int named)
    {
        // Four waves: harmonic 1, 2, 3 and 4 alone.
        var file = Enumerable.Range(0, 4 * cycle)
            .Select(i => 0.8f * (float)Math.Sin(2 * Math.PI * (1 + (i / cycle)) * (i % cycle) / cycle)).ToArray();
        using var rig = Osc(300.0, 0f);
        Load(rig, file, named);
        foreach (var (morph, first, second) in new[] { (0f, 4.0, 0.0), (1f / 6f, 2.0, 2.0), (1f / 3f, 0.0, 4.0) })
        {
            rig["morph"] = morph;
            rig.Run(4096);
            var samples = rig.Run("out", 16_384);
            Assert.Equal(first, Spectrum.Level(samples, Exact(300.0) / Rate), 0.005);
            Assert.Equal(second, Spectrum.Level(samples, 2 * Exact(300.0) / Rate), 0.005);
        }
    }

    [Fact]
    public void A_file_with_more_waves_than_room_is_thinned_from_its_first_to_its_last()
    {
        var file = new float[2048 * 9];
        for (var i = 0; i < file.Length; i++) file[i] = (i / 2048) * 0.1f * (float)Math.Sin(2 * Math.PI * i / 2048);
        using var rig = Osc(300.0, 0f, room: 3);
        Load(rig, file, 0);
        foreach (var (morph, level) in new[] { (0f, 0.0), (0.5f, 0.4), (1f, 0.8) })
        {
            rig["morph"] = morph;
            rig.Run(4096);
            Assert.Equal(5 * level, Spectrum.Level(rig.Run("out", 16_384), Exact(300.0) / Rate), 0.005);
        }
    }

    [Fact]
    public void A_damaged_or_missing_file_leaves_the_bank_playing()
    {
        using var rig = Osc(300.0, 0f);
        var clean = rig.Run("out", 9600);
        rig.Reset();
        var damaged = new Asset { DataOffset = 64, Frames = -5, Channels = 0, Rate = float.NaN };
        rig.ReplaceAsset(&damaged);
        Assert.Equal(clean, rig.Run("out", 9600));
        rig.Reset();
        rig.ReplaceAsset(null);
        Assert.Equal(clean, rig.Run("out", 9600));
    }

    [Theory]
    [InlineData(0f, 1700.0)]
    [InlineData(0.667f, 1700.0)]
    [InlineData(1f, 830.0)]
    public void Hard_sync_is_band_limited(float morph, double slave)
    {
        const int Count = 32_768, Bin = 341;
        var volts = (float)Math.Log2(slave / C4);
        using var rig = new Rig("wavetable", new RigOptions { Quantum = 64, Cables = [1, 0, 0, 1, 0] }) { ["morph"] = morph };
        rig.Input = (port, _, frame) => port == 0 ? volts : port == 3
            ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Bin * frame % Count) / Count) : 0f;
        var samples = rig.Run("out", 4096 + Count)[4096..];
        var worst = Spectrum.WorstOther(samples, Rate, 20_000,
            Enumerable.Range(1, Count / 2 / Bin).Select(k => k * (double)Bin * Rate / Count));
        Quality.AtMost("wavetable", "aliases of hard sync", worst, -80, "dB");
    }

    [Theory]
    [InlineData(0f, 0.5f, true)]
    [InlineData(0f, 2f, true)]
    [InlineData(0.667f, 0.5f, true)]
    [InlineData(0.667f, 2f, true)]
    [InlineData(0f, 1f, false)]
    [InlineData(0.667f, 0.3f, false)]
    public void Linear_FM_and_phase_modulation_are_band_limited(float morph, float amount, bool fm)
    {
        const int Count = 32_768, Grid = 51, Carrier = 14 * Grid, Modulator = 5 * Grid;
        var volts = (float)Math.Log2(Carrier * (double)Rate / Count / C4);
        using var rig = new Rig("wavetable", new RigOptions { Quantum = 64, Cables = [1, 1, 1, 0, 0] }) { ["morph"] = morph };
        rig["fm"] = fm ? amount : 0f;
        rig["phase"] = fm ? 0f : amount;
        rig.Input = (port, _, frame) => port == 0 ? volts : 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Modulator * frame % Count) / Count);
        var samples = rig.Run("out", 4096 + Count)[4096..];
        var worst = Spectrum.WorstOther(samples, Rate, 20_000,
            Enumerable.Range(0, Count / 2 / Grid).Select(static k => k * (double)Grid * Rate / Count));
        Quality.AtMost("wavetable", fm ? "aliases of linear FM" : "aliases of phase modulation", worst, -80, "dB");
    }

    [Fact]
    public void Phase_modulation_of_a_sine_makes_the_sidebands_that_Bessel_functions_say()
    {
        using var rig = new Rig("wavetable", new RigOptions { Quantum = 64, Cables = [1, 0, 1, 0, 0] })
        {
            ["morph"] = 0f,
            ["phase"] = 0.25f,
        };
        var volts = (float)Math.Log2(2000.0 / C4);
        rig.Input = (port, _, frame) => port == 0 ? volts : 5f * (float)Math.Sin(2.0 * Math.PI * 300.0 * frame / Rate);
        var samples = rig.Run("out", 4096 + 32_768)[4096..];
        double[] bessel = [0.472001, 0.566824, 0.249702, 0.069036];
        for (var n = 0; n < 4; n++) Assert.Equal(5 * bessel[n], Spectrum.Level(samples, (Exact(2000.0) + (n * 300.0)) / Rate), 0.01);
    }

    private static double Exact(double hertz) => C4 * Math.Pow(2, (float)Math.Log2(hertz / C4));

    private static void Load(Rig rig, float[] file, int named)
    {
        rig.LoadAsset(Rate, file);
        rig.CycleFrames = named;
        rig.Run(1024);
        rig.Reset();
    }

    private static Rig Osc(double hertz, float morph, int room = 4, int rate = Rate)
    {
        var volts = (float)Math.Log2(hertz / C4);
        var options = new RigOptions { Rate = rate, Quantum = 64, Cables = [1, 0, 0, 0, 0], Settings = new() { ["room"] = room } };
        return new Rig("wavetable", options)
        {
            Input = (port, _, _) => port == 0 ? volts : 0f,
            ["morph"] = morph,
        };
    }
}
