// What the VCO claims: its pitch, its spectrum, its sync and its FM, against mathematics.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class VcoTests
{
    private const double C4 = 261.6255653005986;
    private const int Rate = 48_000;

    [Theory]
    [InlineData(44_100)]
    [InlineData(48_000)]
    [InlineData(96_000)]
    [InlineData(192_000)]
    public void Pitch_is_within_a_tenth_of_a_cent_from_8_Hz_to_12_kHz(int rate)
    {
        foreach (var hertz in new[] { 8.0, 27.5, 110.0, 440.0, 1760.0, 5000.0, 12_000.0 })
        {
            var volts = (float)Math.Log2(hertz / C4);
            using var rig = Vco(rate);
            rig.Input = (port, _, _) => port == 0 ? volts : 0f;
            var sine = rig.Run("sine", (rate * 2) + 4096)[4096..];
            var expected = C4 * Math.Pow(2.0, volts);
            var cents = Spectrum.Cents(Spectrum.Frequency(sine, expected / rate) * rate, expected);
            Quality.AtMost("vco", "pitch error, 8 Hz to 12 kHz", Math.Abs(cents), 0.1, "cent");
        }
    }

    [Fact]
    public void Fine_tuning_is_in_cents()
    {
        using var rig = Vco(Rate);
        rig["fine"] = 37f;
        var sine = rig.Run("sine", 100_000)[4096..];
        Assert.InRange(Spectrum.Cents(Spectrum.Frequency(sine, C4 / Rate) * Rate, C4), 36.99, 37.01);
    }

    [Theory]
    [InlineData("saw", 443.21)]
    [InlineData("saw", 1237.7)]
    [InlineData("saw", 2503.3)]
    [InlineData("saw", 5003.7)]
    [InlineData("saw", 9377.0)]
    [InlineData("saw", 11_988.0)]
    [InlineData("pulse", 1237.7)]
    [InlineData("pulse", 5003.7)]
    [InlineData("triangle", 5003.7)]
    [InlineData("sine", 5003.7)]
    public void Aliases_below_20_kHz_are_80_dB_down(string wave, double hertz)
    {
        using var rig = Vco(Rate);
        var volts = (float)Math.Log2(hertz / C4);
        rig.Input = (port, _, _) => port == 0 ? volts : 0f;
        rig["width"] = 0.37f;
        var samples = rig.Run(wave, 1024 + 32_768)[1024..];
        var f = C4 * Math.Pow(2.0, volts);
        var worst = Spectrum.WorstOther(samples.AsSpan(0, 32_768), Rate, 20_000,
            Enumerable.Range(1, (int)(Rate / 2 / f)).Select(k => k * f));
        Quality.AtMost("vco", $"aliases below 20 kHz, {wave}", worst, -80, "dB");
    }

    [Fact]
    public void Waveforms_are_their_Fourier_series_in_level_and_phase()
    {
        const double F = 311.0;
        var volts = (float)Math.Log2(F / C4);
        using var rig = Vco(Rate);
        rig.Input = (port, _, _) => port == 0 ? volts : 0f;
        rig["width"] = 0.3f;
        const int Skip = 4096, Count = 65_536;
        var output = rig.Run(Skip + Count);
        var turns = Spectrum.Frequency(output[0][0].AsSpan(Skip), C4 * Math.Pow(2.0, volts) / Rate);
        for (var k = 1; k * F < 19_000; k++)
        {
            // Phase at the first analysed frame, the module's latency taken into account: frame n was phase (n + 1) turns, 16 frames
            // before.
            var at = 2.0 * Math.PI * k * (Skip - BlepLatency(rig) + 1) * turns;
            Check("sine", 0, k, 5.0 * (k == 1 ? 1 : 0), 0);
            Check("triangle", 1, k, k % 2 == 1 ? 5.0 * 8.0 / (Math.PI * Math.PI * k * k) * (k % 4 == 1 ? 1 : -1) : 0, 0);
            Check("saw", 2, k, -5.0 * 2.0 / (Math.PI * k), 0);

            // A pulse, +5 V for the first 30 %: sum of 10 / (pi k) (sin(2 pi k w) cos + (1 - cos(2 pi k w)) sin).
            var w = 2.0 * Math.PI * k * 0.3f;
            Check("pulse", 3, k, 10.0 / (Math.PI * k) * (1 - Math.Cos(w)), 10.0 / (Math.PI * k) * Math.Sin(w));

            void Check(string name, int wave, int harmonic, double sin, double cos)
            {
                var (c, s) = Spectrum.Component(output[wave][0].AsSpan(Skip, Count), harmonic * turns);
                var (wantC, wantS) = ((sin * Math.Sin(at)) + (cos * Math.Cos(at)), (sin * Math.Cos(at)) - (cos * Math.Sin(at)));
                var error = Math.Sqrt(((c - wantC) * (c - wantC)) + ((s - wantS) * (s - wantS)));
                Assert.True(error < 1e-3, $"{name}, harmonic {harmonic}: ({c:g5}, {s:g5}) V instead of ({wantC:g5}, {wantS:g5})");
            }
        }
    }

    [Theory]
    [InlineData("sine")]
    [InlineData("triangle")]
    [InlineData("saw")]
    [InlineData("pulse")]
    public void Hard_sync_is_periodic_with_the_master_and_band_limited(string wave)
    {
        // The master is an ideal sine at an odd multiple of the bin width, so that no alias falls on a harmonic of it.
        const int Count = 32_768;
        const int Bin = 341;
        using var rig = Vco(Rate, sync: true);
        var slave = (float)Math.Log2(1700.0 / C4);
        rig.Input = (port, _, frame) => port == 0 ? slave : port == 2
            ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Bin * frame % Count) / Count) : 0f;
        var samples = rig.Run(wave, 4096 + Count)[4096..];
        var worst = Spectrum.WorstOther(samples, Rate, 20_000,
            Enumerable.Range(1, Count / 2 / Bin).Select(k => k * (double)Bin * Rate / Count));
        Quality.AtMost("vco", $"aliases of hard sync, {wave}", worst, -80, "dB");
    }

    [Theory]
    [InlineData("sine", 0.5)]
    [InlineData("saw", 0.5)]
    [InlineData("pulse", 0.5)]
    [InlineData("triangle", 0.5)]
    [InlineData("saw", 2.0)]
    [InlineData("pulse", 2.0)]
    public void Linear_FM_is_band_limited_also_through_zero(string wave, double amount)
    {
        // Carrier and modulator are multiples of 51 bins, and so is every true component; no alias is, the count being no multiple of 51.
        // The carrier's tuning is not exact to the bin, so that a few bins around each are left out.
        const int Count = 32_768, Grid = 51;
        const int Carrier = 14 * Grid, Modulator = 5 * Grid;
        using var rig = Vco(Rate);
        var volts = (float)Math.Log2(Carrier * (double)Rate / Count / C4);
        rig["fm"] = (float)amount;
        rig["fm_mode"] = 1;
        rig.Input = (port, _, frame) => port == 0 ? volts : port == 1
            ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Modulator * frame % Count) / Count) : 0f;
        var samples = rig.Run(wave, 4096 + Count)[4096..];
        var worst = Spectrum.WorstOther(samples, Rate, 20_000,
            Enumerable.Range(0, Count / 2 / Grid).Select(static k => k * (double)Grid * Rate / Count));
        Quality.AtMost("vco", $"aliases of linear FM, {wave}", worst, -80, "dB");
    }

    [Theory]
    [InlineData("sine", 5, 1.0, -80)]
    [InlineData("saw", 5, 1.0, -80)]
    [InlineData("pulse", 5, 1.0, -80)]
    [InlineData("triangle", 5, 1.0, -80)]
    [InlineData("sine", 5, 2.0, -80)]
    [InlineData("saw", 5, 2.0, -80)]
    [InlineData("sine", 40, 1.0, -80)]
    [InlineData("saw", 40, 1.0, -80)]
    [InlineData("sine", 70, 1.0, -80)]
    [InlineData("triangle", 70, 1.0, -80)]
    [InlineData("pulse", 70, 1.0, -75)] // where it swings down to 500 Hz, 5 kHz are too fast for a curve through frames
    [InlineData("triangle", 40, 1.0, -80)]
    [InlineData("saw", 70, 1.0, -80)]
    [InlineData("sine", 40, 2.0, -80)]
    [InlineData("saw", 40, 2.0, -80)]
    public void Exponential_FM_is_band_limited(string wave, int modulator, double octaves, double limit)
    {
        // By 2^(d sin) the mean frequency is I0(d ln 2) times the unmodulated one; a carrier that much lower puts every true component on
        // the grid, as for linear FM.
        const int Count = 32_768, Grid = 51;
        const int Carrier = 14 * Grid;
        using var rig = Vco(Rate);
        var volts = (float)Math.Log2(Carrier * (double)Rate / Count / C4 / BesselI0(octaves * Math.Log(2)));
        rig["fm"] = (float)(octaves / 5.0);
        rig["fm_mode"] = 0;
        rig.Input = (port, _, frame) => port == 0 ? volts : port == 1
            ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)modulator * Grid * frame % Count) / Count) : 0f;
        var samples = rig.Run(wave, 4096 + Count)[4096..];
        var worst = Spectrum.WorstOther(samples, Rate, 20_000,
            Enumerable.Range(0, Count / 2 / Grid).Select(static k => k * (double)Grid * Rate / Count));
        Quality.AtMost("vco", $"aliases of exponential FM, {octaves} octaves, modulator {modulator * Grid * Rate / Count} Hz, {wave}",
            worst, limit, "dB");
    }

    [Fact]
    public void Exponential_FM_moves_the_pitch_by_its_octaves()
    {
        using var rig = Vco(Rate);
        rig["fm"] = 0.5f;
        rig["fm_mode"] = 0;
        rig.Input = static (port, _, _) => port == 1 ? 3f : 0f;
        var sine = rig.Run("sine", 100_000)[4096..];
        var expected = C4 * Math.Pow(2.0, 1.5);
        Assert.InRange(Spectrum.Cents(Spectrum.Frequency(sine, expected / Rate) * Rate, expected), -0.1, 0.1);
    }

    [Fact]
    public void Linear_FM_of_minus_twice_the_frequency_runs_backwards()
    {
        using var forward = Vco(Rate);
        using var backward = Vco(Rate);
        backward["fm"] = 2f;
        backward.Input = static (port, _, _) => port == 1 ? -5f : 0f;
        var up = forward.Run("sine", 9600);
        var down = backward.Run("sine", 9600);
        for (var i = 32; i < up.Length; i++) Assert.True(Math.Abs(up[i] + down[i]) < 1e-4, $"frame {i}");
    }

    [Theory]
    [InlineData(97.3)]
    [InlineData(5003.7)]
    public void A_still_pitch_takes_a_shortcut_that_sounds_as_the_long_way_does(double hertz)
    {
        // A width that wavers by a ten-thousandth of a percent forbids the shortcut and moves no edge that could be heard.
        var volts = (float)Math.Log2(hertz / C4);
        using var still = Vco(Rate);
        using var wavering = Vco(Rate);
        still.Input = (port, _, _) => port == 0 ? volts : 0f;
        wavering.Input = (port, _, frame) => port == 0 ? volts : port == 3 ? 1e-5f * (frame & 1) : 0f;
        var (a, b) = (still.Run(9600), wavering.Run(9600));
        for (var wave = 0; wave < 4; wave++)
        {
            for (var i = 0; i < 9600; i++) Assert.InRange(Math.Abs(a[wave][0][i] - b[wave][0][i]), 0f, wave == 3 ? 2e-2f : 2e-5f);
        }
    }

    [Fact]
    public void A_wave_that_is_patched_while_it_plays_joins_the_others_in_phase()
    {
        bool[] read = [true, false, false, false];
        using var rig = new Rig("vco", new RigOptions { Quantum = 16, Cables = [1, 1, 0, 1], Read = read });
        using var whole = new Rig("vco", new RigOptions { Quantum = 16, Cables = [1, 1, 0, 1] });
        rig.Run(4000);
        whole.Run(4000);
        Array.Fill(read, true);
        var (joined, all) = (rig.Run(800), whole.Run(800));
        for (var wave = 0; wave < 4; wave++)
        {
            // Corners of the last 32 frames are not in it: what they would have added dies away.
            for (var i = 48; i < 800; i++) Assert.InRange(Math.Abs(joined[wave][0][i] - all[wave][0][i]), 0f, 1e-6f);
        }
    }

    private static double BesselI0(double x)
    {
        double sum = 1, term = 1;
        for (var k = 1; k < 30; k++) sum += term *= x * x / (4.0 * k * k);
        return sum;
    }

    private static int BlepLatency(Rig rig) => rig.Timing.LatencyFrames;

    private static Rig Vco(int rate, bool sync = false) =>
        new("vco", new RigOptions { Rate = rate, Quantum = 64, Cables = [1, 1, sync ? 1 : 0, 1] });
}
