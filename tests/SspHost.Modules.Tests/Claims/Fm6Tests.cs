// What FM6 claims: Bessel functions, thirty-two algorithms, envelopes in their times, and where its aliases end.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class Fm6Tests
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
        using var rig = Rig(32, hertz);
        rig["level1"] = 1f;
        var samples = rig.Run("out", (Rate * 2) + 4096)[4096..];
        var expected = C4 * Math.Pow(2.0, (float)Math.Log2(hertz / C4));
        var cents = Spectrum.Cents(Spectrum.Frequency(samples, expected / Rate) * Rate, expected);
        Quality.AtMost("fm6", "pitch error, 8 Hz to 12 kHz", Math.Abs(cents), 0.1, "cent");
    }

    [Theory]
    [InlineData(1, 0.5f)]
    [InlineData(3, 0.4f)]
    [InlineData(7, 0.7f)]
    public void One_modulator_makes_the_sidebands_that_Bessel_functions_say(int ratio, float level)
    {
        // Carrier at 20 times the note's pitch, so that sidebands do not meet at negative frequencies.
        using var rig = Rig(1, 100.0);
        rig["level1"] = 1f;
        rig["ratio1"] = 20f;
        rig["level2"] = level;
        rig["ratio2"] = ratio;
        var samples = rig.Run("out", 4096 + 32_768)[4096..];
        var index = 2 * Math.PI * 2 * level * level;
        var f = C4 * Math.Pow(2.0, (float)Math.Log2(100.0 / C4));
        var worst = 0.0;
        for (var n = 0; 20 + (n * ratio) < 100 && 20 - (n * ratio) > 0; n++)
        {
            var expected = 5 / Math.Sqrt(2) * Math.Abs(Bessel(n, index));
            worst = Math.Max(worst, Math.Abs(Spectrum.Level(samples, (20 + (n * ratio)) * f / Rate) - expected));
        }

        Quality.AtMost("fm6", "error of a sideband", worst * 1000, 3, "mV");
    }

    [Theory]
    [InlineData(1, "13", "21 65 54 43", "66")]
    [InlineData(2, "13", "21 65 54 43", "22")]
    [InlineData(3, "14", "32 21 65 54", "66")]
    [InlineData(4, "14", "32 21 65 54", "46")]
    [InlineData(5, "135", "21 43 65", "66")]
    [InlineData(6, "135", "21 43 65", "56")]
    [InlineData(7, "13", "21 43 53 65", "66")]
    [InlineData(8, "13", "21 43 53 65", "44")]
    [InlineData(9, "13", "21 43 53 65", "22")]
    [InlineData(10, "14", "32 21 54 64", "33")]
    [InlineData(11, "14", "32 21 54 64", "66")]
    [InlineData(12, "13", "21 43 53 63", "22")]
    [InlineData(13, "13", "21 43 53 63", "66")]
    [InlineData(14, "13", "21 43 54 64", "66")]
    [InlineData(15, "13", "21 43 54 64", "22")]
    [InlineData(16, "1", "21 31 51 43 65", "66")]
    [InlineData(17, "1", "21 31 51 43 65", "22")]
    [InlineData(18, "1", "21 31 41 54 65", "33")]
    [InlineData(19, "145", "32 21 64 65", "66")]
    [InlineData(20, "124", "31 32 54 64", "33")]
    [InlineData(21, "1245", "31 32 64 65", "33")]
    [InlineData(22, "1345", "21 63 64 65", "66")]
    [InlineData(23, "1245", "32 64 65", "66")]
    [InlineData(24, "12345", "63 64 65", "66")]
    [InlineData(25, "12345", "64 65", "66")]
    [InlineData(26, "124", "32 54 64", "66")]
    [InlineData(27, "124", "32 54 64", "33")]
    [InlineData(28, "136", "21 54 43", "55")]
    [InlineData(29, "1235", "43 65", "66")]
    [InlineData(30, "1236", "54 43", "55")]
    [InlineData(31, "12345", "65", "66")]
    [InlineData(32, "123456", "", "66")]
    public void An_algorithm_is_heard_to_be_wired_as_its_diagram(int algorithm, string carriers, string edges, string feedback)
    {
        // The voice computed here frame by frame in double precision, with the setting "once".
        int[] ratios = [1, 3, 2, 5, 4, 7];
        float[] levels = [0.9f, 0.3f, 0.8f, 0.25f, 0.35f, 0.3f];
        using var rig = Rig(algorithm, 220.0, quality: 0);
        rig["feedback"] = 0.6f;
        for (var n = 1; n <= 6; n++)
        {
            rig[$"ratio{n}"] = ratios[n - 1];
            rig[$"level{n}"] = levels[n - 1];
        }

        const int Frames = 2000, Skip = 64;
        var samples = rig.Run("out", Frames);
        var f = C4 * Math.Pow(2.0, (float)Math.Log2(220.0 / C4)) / Rate;
        var y = new double[7];
        double last = 0, beforeLast = 0;
        for (var i = 0; i < Frames; i++)
        {
            var loop = 0.5 * (last + beforeLast) * 0.5 * 0.6;
            for (var n = 6; n >= 1; n--)
            {
                var swing = edges.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(e => e[1] - '0' == n).Sum(e => 2 * y[e[0] - '0']);
                if (feedback[1] - '0' == n) swing += loop;
                var envelope = Math.Min(1.0, (i + 1) / 48.0);
                y[n] = Math.Sin(2 * Math.PI * ((i * f * ratios[n - 1]) + swing)) * levels[n - 1] * levels[n - 1] * envelope;
            }

            (beforeLast, last) = (last, y[feedback[0] - '0']);
            var expected = 5 / Math.Sqrt(carriers.Length) * carriers.Sum(c => y[c - '0']);
            if (i < Skip) continue;
            Assert.True(Math.Abs(expected - samples[i]) < 0.01, $"algorithm {algorithm}, frame {i}: {samples[i]} V instead of {expected}");
        }
    }

    [Fact]
    public void Algorithms_have_as_many_carriers_as_their_diagrams()
    {
        int[] counts = [2, 2, 2, 2, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 3, 3, 4, 4, 4, 5, 5, 3, 3, 3, 4, 4, 5, 6];
        for (var algorithm = 1; algorithm <= 32; algorithm++)
        {
            var heard = 0;
            for (var n = 1; n <= 6; n++)
            {
                using var rig = Rig(algorithm, 440.0, quality: 0);
                rig[$"level{n}"] = 1f;
                if (rig.Run("out", 256).Max() > 0.1f) heard++;
            }

            Assert.Equal(counts[algorithm - 1], heard);
        }
    }

    [Fact]
    public void An_envelope_takes_the_times_of_its_knobs()
    {
        using var rig = new Rig("fm6", new RigOptions { Quantum = 16 });
        Silence(rig);
        rig["algorithm"] = 32f;
        rig["velocity"] = 0f;
        rig["level1"] = 1f;
        rig["fixed1"] = 1f;
        rig["hertz1"] = 5003f;
        rig["attack1"] = 0.1f;
        rig["decay1"] = 0.2f;
        rig["sustain1"] = 0.25f;
        rig["release1"] = 0.3f;
        rig.Input = static (port, _, frame) => port == 0 && frame is >= 480 and < 24_480 ? 10f : 0f;
        var samples = rig.Run("out", 48_000);
        double Level(double seconds) => samples.AsSpan((int)(seconds * Rate) - 24, 49).ToArray().Max(Math.Abs) / (5 / Math.Sqrt(6));
        Assert.Equal(0.5, Level(0.01 + 0.05), 0.01);
        Assert.Equal(1.0, Level(0.01 + 0.1), 0.015);
        Assert.Equal(0.25 + (0.75 * Math.Pow(10, -1.5)), Level(0.01 + 0.1 + 0.1), 0.01);
        Assert.Equal(0.25, Level(0.45), 0.003);
        Assert.Equal(0.25 * Math.Pow(10, -1.0), Level(0.51 + 0.1), 0.001);
        Assert.Equal(0.25 * Math.Pow(10, -2.0), Level(0.51 + 0.2), 0.0002);
    }

    [Fact]
    public void Velocity_is_taken_where_the_gate_rises()
    {
        using var rig = new Rig("fm6");
        Silence(rig);
        rig["algorithm"] = 32f;
        rig["level1"] = 1f;
        rig["velocity"] = 0.8f;
        rig["sustain1"] = 1f;
        rig.Input = static (port, _, frame) => port == 0 ? 10f : port == 2 ? frame < 100 ? 5f : 10f : 0f;
        Assert.Equal((1 - (0.8f * 0.5f)) * 5 / Math.Sqrt(6), rig.Run("out", 9600)[4800..].Max(), 0.01);
    }

    [Theory]
    [InlineData(1000.0, 1, 0.63f)]
    [InlineData(500.0, 14, 0.3f)]
    [InlineData(2000.0, 3, 0.4f)]
    public void Sidebands_that_fit_into_twice_the_band_leave_no_aliases(double hertz, int ratio, float level)
    {
        // Index 5, 1.1 and 2: bright sounds high on the keyboard.
        using var rig = Rig(1, hertz);
        rig["level1"] = 1f;
        rig["level2"] = level;
        rig["ratio2"] = ratio;
        var samples = rig.Run("out", 4096 + 32_768)[4096..];
        var f = C4 * Math.Pow(2.0, (float)Math.Log2(hertz / C4));
        var worst = Spectrum.WorstOther(samples, Rate, 20_000, Enumerable.Range(1, (int)(Rate / 2 / f)).Select(k => k * f));
        Quality.AtMost("fm6", "aliases below 20 kHz, modulator up to 7 kHz", worst, -80, "dB");
    }

    [Theory]
    [InlineData(1, 0.5f)]
    [InlineData(1, 1f)]
    [InlineData(2, 0.5f)]
    [InlineData(2, 1f)]
    public void However_high_and_bright_a_modulator_is_nothing_false_is_heard(int quality, float level)
    {
        // Four notes at a time, from 250 Hz to 4 kHz; modulators from 250 Hz to 23 kHz, index 3.1 and 12.6.
        double[] notes = [250.3, 997.1, 1873.9, 4001.3];
        foreach (var ratio in new[] { 1, 3, 5, 11, 23 })
        {
            using var rig = Chord(1, notes, quality);
            rig["level1"] = 1f;
            rig["level2"] = level;
            rig["ratio2"] = ratio;
            AssertClean(rig, notes, quality, "one modulator of any height and strength");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Nor_with_towers_and_branches_of_modulators(int quality)
    {
        double[] notes = [110.1, 440.3, 1320.7, 3520.9];
        var random = new Random(quality);
        foreach (var (algorithm, carriers) in new[] { (1, "13"), (3, "14"), (7, "13"), (12, "13"), (16, "1"), (18, "1"), (22, "1345") })
        {
            using var rig = Chord(algorithm, notes, quality);
            for (var n = 1; n <= 6; n++)
            {
                rig[$"level{n}"] = 0.4f + (0.6f * random.NextSingle());

                // Carriers that can be heard themselves: what is compared is heard beside them.
                rig[$"ratio{n}"] = random.Next(1, carriers.Contains((char)('0' + n)) ? 5 : 15);
            }

            AssertClean(rig, notes, quality, "towers of modulators");
        }
    }

    [Theory]
    [InlineData(1, 110.1, 0.4f)]
    [InlineData(1, 440.3, 0.4f)]
    [InlineData(1, 1760.7, 0.4f)]
    [InlineData(1, 3520.9, 0.4f)]
    [InlineData(2, 440.3, 0.5f)]
    [InlineData(2, 1760.7, 0.5f)]
    [InlineData(2, 3520.9, 0.4f)]
    public void The_saw_of_feedback_folds_nothing_back(int quality, double hertz, float feedback)
    {
        using var rig = Chord(32, [hertz], quality);
        rig["level6"] = 1f;
        rig["feedback"] = feedback;
        AssertClean(rig, [hertz], quality, "feedback up to 0.4");
    }

    [Fact]
    public void What_fits_is_not_turned_down()
    {
        // An index of 12.6 at 1 kHz: the sidebands are those of Bessel functions still, in every quality.
        foreach (var quality in new[] { 1, 2 })
        {
            using var rig = Chord(1, [1000.0], quality);
            rig["level1"] = rig["level2"] = 1f;
            rig["ratio1"] = 20f;
            var samples = rig.Run("out", 4096 + 16_384)[4096..];
            for (var n = 0; n < 20; n++)
            {
                if (20 - n < 13) break;
                var expected = 5 / Math.Sqrt(2) * Math.Abs(Bessel(n, 4 * Math.PI));
                Assert.Equal(expected, Spectrum.Level(samples, (20 - n) * Exact(1000.0) / Rate), 0.05);
            }
        }
    }

    private static void AssertClean(Rig rig, double[] notes, int quality, string claim)
    {
        var output = rig.Run(4096 + 16_384)[0];
        for (var voice = 0; voice < notes.Length; voice++)
        {
            var f = Exact(notes[voice]);
            var worst = Spectrum.WorstOther(output[voice].AsSpan(4096), Rate, 20_000, Enumerable.Range(1, (int)(Rate / 2 / f)).Select(k => k * f));
            var times = quality == 1 ? "twice" : "four times";
            Quality.AtMost("fm6", $"aliases below 20 kHz, {times}, {claim}", worst, -80, "dB");
        }
    }

    private static double Exact(double hertz) => C4 * Math.Pow(2.0, (float)Math.Log2(hertz / C4));

    // As Rig, a voice a note.
    private static Rig Chord(int algorithm, double[] notes, int quality)
    {
        var volts = Array.ConvertAll(notes, static hertz => (float)Math.Log2(hertz / C4));
        var options = new RigOptions { Quantum = 64, Cables = [0, notes.Length, 0, 0], Settings = new() { ["quality"] = quality } };
        var rig = new Rig("fm6", options) { Input = (port, channel, _) => port == 1 ? volts[channel] : 0f, ["algorithm"] = algorithm };
        Silence(rig);
        return rig;
    }

    // One algorithm, all operators silent, envelopes open, no feedback.
    private static Rig Rig(int algorithm, double hertz, int quality = 1)
    {
        var volts = (float)Math.Log2(hertz / C4);
        var rig = new Rig("fm6", new RigOptions { Quantum = 64, Cables = [0, 1, 0, 0], Settings = new() { ["quality"] = quality } })
        {
            Input = (port, _, _) => port == 1 ? volts : 0f,
            ["algorithm"] = algorithm,
        };
        Silence(rig);
        return rig;
    }

    private static void Silence(Rig rig)
    {
        rig["feedback"] = 0f;
        for (var n = 1; n <= 6; n++)
        {
            rig[$"level{n}"] = 0f;
            rig[$"ratio{n}"] = 1f;
            rig[$"attack{n}"] = 0.001f;
            rig[$"sustain{n}"] = 1f;
        }
    }

    // J_n(x) by its integral.
    private static double Bessel(int n, double x)
    {
        double sum = 0;
        for (var i = 0; i < 4000; i++)
        {
            var t = Math.PI * (i + 0.5) / 4000;
            sum += Math.Cos((n * t) - (x * Math.Sin(t)));
        }

        return sum / 4000;
    }
}
