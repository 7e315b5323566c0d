// What the reverb claims: its decay in two bands, its strength, its density, its two sides.
namespace SspHost.Modules.Tests;

public class ReverbTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(48_000, 1f, 0.5f, 1f)]
    [InlineData(48_000, 2f, 0.4f, 0.6f)]
    [InlineData(44_100, 0.6f, 0.3f, 0.4f)]
    [InlineData(96_000, 0.8f, 1f, 0.8f)]
    public void It_decays_by_60_dB_in_its_time_low_and_in_its_part_of_it_high(int rate, float decay, float high, float size)
    {
        // Low 200 Hz, high 15 kHz, crossover 1.7 kHz between; at the crossover the rates in dB a second are averaged.
        const float Crossover = 1700f;
        foreach (var (hertz, expected) in new[]
        {
            (200.0, (double)decay), (Crossover, 2.0 / ((1.0 / decay) + (1.0 / (decay * high)))), (15_000.0, (double)decay * high),
        })
        {
            // Bursts of at least 30 ms in a smooth window, four of them side by side, both ears: enough modes that
            // their beating averages out.
            var burst = (int)(rate * Math.Max(0.03, 8 / hertz));
            var start = burst + (int)(rate * 0.13 * size);
            var left = new double[(int)(rate * ((expected * 1.3) + 0.1))];
            foreach (var detune in new[] { 0.95, 0.985, 1.015, 1.05 })
            {
                using var rig = Room(rate, decay, high, size);
                rig["crossover"] = Crossover;
                rig["modulation"] = 0f;
                rig.Input = (port, _, frame) => port == 0 && frame < burst
                    ? Burst(frame, burst, 2.0 * Math.PI * hertz * detune / rate) : 0f;
                var output = rig.Run(start + left.Length);
                for (var i = 0; i < left.Length; i++)
                    left[i] += Math.Pow(output[0][0][start + i], 2) + Math.Pow(output[1][0][start + i], 2);
            }

            var measured = Decay60(left, rate);
            var off = 100 * ((measured / expected) - 1);
            Report.Line($"reverb decay {decay} s, high {high}, size {size} at {rate}: {hertz} Hz {off:f1} % off");
            Assert.InRange(measured / expected, 0.95, 1.05);
        }
    }

    [Theory]
    [InlineData(0.3f, 0.2f)]
    [InlineData(1f, 0.5f)]
    [InlineData(3f, 0.7f)]
    public void The_reverb_of_noise_is_as_strong_as_the_noise_at_any_decay_and_its_sides_are_unlike(float decay, float size)
    {
        using var rig = Room(Rate, decay, 1f, size);
        var random = new Random(5);
        rig.Input = (port, _, _) => port == 0 ? (6f * random.NextSingle()) - 3f : 0f;
        rig.Run((long)(decay * Rate * 1.2));
        var output = rig.Run(Rate * 2);
        var rms = output.Select(static o => Math.Sqrt(o[0].Average(static v => (double)v * v))).ToArray();
        foreach (var r in rms) Assert.InRange(Spectrum.Decibels(r / Math.Sqrt(3)), -1.5, 1.5);
        var product = 0.0;
        for (var i = 0; i < output[0][0].Length; i++) product += (double)output[0][0][i] * output[1][0][i];
        Assert.InRange(product / output[0][0].Length / rms[0] / rms[1], -0.25, 0.25);
    }

    [Fact]
    public void Its_tail_is_as_dense_as_noise()
    {
        // The share of samples beyond one standard deviation is 31.7 % for Gaussian noise (Abel and Huang, A Simple, Robust Measure of
        // Reverberation Echo Density, AES 121, 2006); few echoes leave it small. From 150 ms on, in windows of 20 ms.
        using var rig = Room(Rate, 2f, 1f, 0.6f);
        rig.Input = static (port, _, frame) => port == 0 && frame == 0 ? 5f : 0f;
        var tail = rig.Run("left", Rate)[(int)(0.15 * Rate)..];
        for (var window = 0; window + 960 <= tail.Length; window += 960)
        {
            var part = tail.AsSpan(window, 960).ToArray();
            var sigma = Math.Sqrt(part.Average(static v => (double)v * v));
            Assert.InRange(part.Count(v => Math.Abs(v) > sigma) / 960.0 / 0.3173, 0.8, 1.2);
        }
    }

    [Fact]
    public void No_mode_of_its_tail_stands_out()
    {
        // Of 23000 bins of Gaussian noise the largest is about 10 dB above its surroundings (Rayleigh's law); a ringing mode stands out
        // further. The measure knows one: the smallest room with a tail four times too long for it.
        var (good, bad) = (LargestMode(0.6f, 2f), LargestMode(0f, 5f));
        Report.Line($"reverb: largest mode of the late tail {good:f1} dB above its surroundings; in a room too small {bad:f1} dB");
        Assert.True(good < 15.5, $"{good:f1} dB");
        Assert.True(bad > 18, $"{bad:f1} dB");
    }

    private static double LargestMode(float size, float decay)
    {
        using var rig = Room(Rate, decay, 1f, size);
        rig.Input = static (port, _, frame) => port == 0 && frame == 0 ? 5f : 0f;
        var tail = rig.Run("left", Rate + 65_536);
        var late = new float[65_536];
        for (var i = 0; i < late.Length; i++) late[i] = tail[(Rate / 2) + i] * (float)Math.Pow(10, 3.0 * i / (decay * Rate));
        var bins = Spectrum.Magnitudes(late);
        double worst = 0;
        for (var from = 200; from + 1000 < 24_000; from += 500)
        {
            var mean = 0.0;
            for (var i = from; i < from + 1000; i++) mean += bins[i] * bins[i] / 1000;
            for (var i = from; i < from + 1000; i++) worst = Math.Max(worst, 10 * Math.Log10(bins[i] * bins[i] / mean));
        }

        return worst;
    }

    [Fact]
    public void Nothing_is_heard_before_the_pre_delay_and_mix_0_is_the_sound_alone()
    {
        using var rig = Room(Rate, 1f, 1f, 0.5f);
        rig["predelay"] = 0.1f;
        rig.Input = static (port, _, frame) => port == 0 && frame == 0 ? 5f : 0f;
        var output = rig.Run("right", 9600);
        Assert.All(output[..4800], static v => Assert.Equal(0f, v));
        Assert.Contains(output[4800..], static v => Math.Abs(v) > 0.01f);

        using var dry = Room(Rate, 1f, 1f, 0.5f);
        dry["mix"] = 0f;
        dry.Input = static (port, _, frame) => port == 0 ? (frame % 100) - 50 : 0f;
        var both = dry.Run(960);
        foreach (var side in both)
        {
            for (var i = 0; i < 960; i++) Assert.Equal((i % 100) - 50, side[0][i]);
        }
    }

    [Fact]
    public void Decay_CV_doubles_it_a_volt_and_voices_are_summed()
    {
        using var rig = new Rig("reverb", new RigOptions { Cables = [3, 0, 1] }) { ["decay"] = 0.5f, ["decay_amount"] = 1f };
        Settle(rig, 1f, 0.6f);
        rig.Input = static (port, channel, frame) => port == 2 ? 1f : frame < 4800
            ? (channel + 1) * Burst(frame, 4800, 0.05) : 0f;
        var summed = rig.Run("left", 72_000);
        Assert.InRange(Decay60([.. summed[8160..].Select(static v => (double)v * v)], Rate), 0.9, 1.1);

        using var one = new Rig("reverb", new RigOptions { Cables = [1, 0, 0] }) { ["decay"] = 1f };
        Settle(one, 1f, 0.6f);
        one.Input = static (port, _, frame) => frame < 4800 ? 6f * Burst(frame, 4800, 0.05) : 0f;
        var alone = one.Run("left", 72_000);
        for (var i = 0; i < alone.Length; i++) Assert.Equal(alone[i], summed[i], 1e-4);
    }

    private static float Burst(long frame, int length, double angle) =>
        5f * (float)(Math.Pow(Math.Sin(Math.PI * frame / length), 2) * Math.Sin(angle * frame));

    private static Rig Room(int rate, float decay, float high, float size)
    {
        var rig = new Rig("reverb", new RigOptions { Rate = rate, Quantum = 64, Cables = [1, 0, 0] }) { ["decay"] = decay };
        Settle(rig, high, size);
        return rig;
    }

    private static void Settle(Rig rig, float high, float size)
    {
        rig["high"] = high;
        rig["size"] = size;
        rig["mix"] = 1f;
        rig["predelay"] = 0f;
    }

    // Schroeder's backward integral, the line through it from -5 to -55 dB: over less, the few turns of a short decay in
    // a large room show as stairs.
    private static double Decay60(double[] energy, int rate)
    {
        var left = new double[energy.Length + 1];
        for (var i = energy.Length - 1; i >= 0; i--) left[i] = left[i + 1] + energy[i];
        double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
        for (var i = 0; i < energy.Length; i += 16)
        {
            var level = 10.0 * Math.Log10(left[i] / left[0]);
            if (level is > -5 or < -55) continue;
            n++;
            sx += i;
            sy += level;
            sxx += (double)i * i;
            sxy += i * level;
        }

        var slope = ((n * sxy) - (sx * sy)) / ((n * sxx) - (sx * sx));
        return -60.0 / slope / rate;
    }
}
