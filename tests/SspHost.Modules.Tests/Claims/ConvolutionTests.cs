// What the convolution claims: the sum of products itself, at once, with an even load, and no click when a response changes.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules.Tests;

public unsafe class ConvolutionTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(1, 16)]
    [InlineData(100, 64)]
    [InlineData(700, 32)]
    [InlineData(5000, 128)]
    [InlineData(20_011, 256)]
    [Trait("Category", "Quality")]
    public void It_is_the_direct_convolution_without_latency(int taps, int quantum)
    {
        var response = Noise(taps, 1);
        using var rig = Loaded(quantum, [response], ("normalise", 0));
        rig["mix"] = 1f;
        var input = Noise(taps + 12_000, 2);
        rig.Input = (port, _, frame) => port == 0 && frame < input.Length ? 5f * input[frame] : 0f;
        var output = rig.Run("left", input.Length);
        Assert.Equal(0, rig.Timing.LatencyFrames);
        double error = 0, power = 0;
        for (var i = 0; i < output.Length; i += 7)
        {
            var sum = 0.0;
            for (var k = 0; k < taps && k <= i; k++) sum += response[k] * (i - k < input.Length ? 5.0 * input[i - k] : 0.0);
            error += Math.Pow(sum - output[i], 2);
            power += sum * sum;
        }

        Quality.AtMost("convolution", "difference from direct convolution", 10 * Math.Log10(error / power), -120, "dB");
    }

    [Fact]
    public void Four_responses_cross_as_true_stereo_means()
    {
        var responses = Enumerable.Range(0, 4).Select(static c => Enumerable.Range(0, 3000).Select(i =>
            i == 500 * (c + 1) ? 0.1f * (c + 1) : 0f).ToArray()).ToArray();
        foreach (var side in new[] { 0, 1 })
        {
            using var rig = Loaded(64, responses, ("normalise", 0), ("routing", 2));
            rig["mix"] = 1f;
            rig.Input = (port, _, frame) => port == side && frame == 10 ? 5f : 0f;
            var output = rig.Run(4096);
            for (var o = 0; o < 2; o++)
            {
                var path = (side * 2) + o;
                for (var i = 0; i < 4096; i++) Assert.Equal(i == 10 + (500 * (path + 1)) ? 0.5f * (path + 1) : 0f, output[o][0][i], 1e-5f);
            }
        }
    }

    [Fact]
    public void Start_and_length_cut_the_recording()
    {
        var response = Enumerable.Range(0, 9600).Select(static i => i % 480 == 0 ? 0.5f : 0f).ToArray();
        using var rig = Loaded(64, [response], ("normalise", 0), ("start", 20), ("length", 52));
        rig["mix"] = 1f;
        rig.Input = static (port, _, frame) => frame == 0 ? 5f : 0f;
        var output = rig.Run("left", 9600);
        for (var i = 0; i < output.Length; i++) Assert.Equal(i % 480 == 0 && i < 52 * 48 ? 2.5f : 0f, output[i], i >= 47 * 48 ? 2.5 : 1e-5);
        Assert.InRange(output[5 * 480], 0.01f, 2.49f); // within the last 5 ms, where a cut response fades
    }

    [Theory]
    [InlineData(44_100)]
    [InlineData(96_000)]
    [Trait("Category", "Quality")]
    public void A_response_of_another_rate_keeps_its_frequencies_and_gain(int assetRate)
    {
        // A resonance of 1 kHz with a decay of 20 ms: a decaying cosine, whose gain at resonance is known.
        float[] Resonance(double rate) => [.. Enumerable.Range(0, (int)(rate * 0.2)).Select(i =>
            (float)(Math.Exp(-i / (0.02 * rate)) * Math.Cos(2 * Math.PI * 1000 * i / rate) * 40 / rate * Math.Min(1, i / (0.002 * rate))))];
        using var converted = Loaded(64, [Resonance(assetRate)], assetRate, ("normalise", 0));
        using var native = Loaded(64, [Resonance(Rate)], ("normalise", 0));
        var worst = 0.0;
        foreach (var hertz in new[] { 950.0, 1000.0, 1060.0 })
        {
            double Level(Rig rig)
            {
                rig.Reset();
                rig["mix"] = 1f;
                rig.Input = (port, _, frame) => 5f * (float)Math.Sin(2 * Math.PI * hertz * frame / Rate);
                return Spectrum.Level(rig.Run("left", 9600 + 8192).AsSpan(9600), hertz / Rate);
            }

            worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(Level(converted) / Level(native))));
        }

        Quality.AtMost("convolution", "response of another rate", worst, 0.01, "dB");
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void A_normalised_response_is_as_loud_as_noise_that_comes_in()
    {
        foreach (var loaded in new[] { false, true })
        {
            float[] quiet = [.. Noise(9600, 4).Select(static x => 0.01f * x)];
            using var rig = loaded ? Loaded(256, [quiet]) : new Rig("convolution", new RigOptions { Quantum = 256 });
            rig["mix"] = 1f;
            var noise = Noise(1 << 17, 3);
            rig.Input = (_, _, frame) => noise[frame & 0x1FFFF];
            var output = rig.Run("left", 1 << 17).AsSpan(90_000).ToArray();
            var level = Math.Sqrt(output.Average(static v => (double)v * v) / noise.Average(static v => (double)v * v));
            Quality.AtMost("convolution", "loudness of a normalised response", Math.Abs(Spectrum.Decibels(level)), 1, "dB");
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void A_new_response_takes_over_without_a_click()
    {
        using var rig = Loaded(64, [[1f]], ("normalise", 0));
        rig["mix"] = 1f;
        rig.Input = static (_, _, frame) => 5f * (float)Math.Sin(frame * 0.02);
        rig.Run(6400);
        rig.LoadAsset(Rate, [.. new float[12_000], -0.5f]);
        var output = rig.Run("left", 40_000);
        var largest = 0.0;
        for (var i = 1; i < output.Length; i++) largest = Math.Max(largest, Math.Abs(output[i] - (double)output[i - 1]));
        Quality.AtMost("convolution", "largest step while responses change", largest, 5 * 0.02 * 1.05, "V");
        Assert.Equal(2.5, Spectrum.Level(output.AsSpan(30_000, 8192), 0.02 / (2 * Math.PI)), 0.01);
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void Its_work_is_spread_evenly_over_the_segments()
    {
        var shape = new ConvolverShape(5 * Rate, 4);
        Requirements need = default;
        Convolver.Require(in shape, ref need);
        using var block = new GuardedBlock(need.Bytes);
        using var tables = new GuardedBlock(Convolver.TableFloats * sizeof(float));
        using var scratch = new GuardedBlock(2 * Convolver.LongBlock * sizeof(float));
        Convolver.BuildTables(tables.Floats);
        var memory = new InstanceMemory(block.Data, need.Bytes);
        var convolver = new Convolver(ref memory, tables.Floats, in shape);
        Assert.False(memory.Overdrawn);
        var response = Noise(shape.Taps, 5);
        fixed (float* r = response)
        {
            for (var path = 0; path < 4; path++) convolver.Prepare(convolver.Spare, path, r, response.Length, scratch.Floats);
        }

        convolver.Offer();
        convolver.Adopt();
        var x = stackalloc float[16];
        var y = stackalloc float[32];
        var units = new List<int>();
        for (var i = 0; i < 2048; i++)
        {
            convolver.Segment(x, x, y, y + 16);
            units.Add(convolver.UnitsDone);
        }

        Assert.True(block.Intact);
        Quality.AtMost("convolution", "most work of a segment over its median",
            units.Max() / (double)units.Order().ElementAt(1024), 1.05, "");
    }

    [Fact]
    public void A_damaged_response_is_none()
    {
        using var plain = new Rig("convolution");
        using var rig = new Rig("convolution");
        var damaged = new Asset { DataOffset = 64, Frames = -5, Stride = 0, Channels = 0, Rate = float.NaN };
        rig.ReplaceAsset(&damaged);
        plain.Input = rig.Input = static (_, _, frame) => frame == 3 ? 5f : 0f;
        Assert.Equal(plain.Run("left", 9600), rig.Run("left", 9600));
    }

    private static Rig Loaded(int quantum, float[][] response, params (string Id, int Value)[] settings) =>
        Loaded(quantum, response, Rate, settings);

    private static Rig Loaded(int quantum, float[][] response, float rate, params (string Id, int Value)[] settings)
    {
        var rig = new Rig("convolution", new RigOptions
        {
            Quantum = quantum,
            Cables = [1, settings.Contains(("routing", 2)) ? 1 : 0],
            Settings = settings.ToDictionary(static s => s.Id, static s => s.Value),
        });
        rig.LoadAsset(rate, response);
        rig.Run(1024);
        rig.Reset();
        return rig;
    }

    private static float[] Noise(int frames, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, frames).Select(_ => (2f * random.NextSingle()) - 1f)];
    }
}
