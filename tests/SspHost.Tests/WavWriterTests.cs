// What the WAV writer writes: read back by our reader, and by sox, which knows nothing of us.
using System.Diagnostics;
using System.Globalization;
using SspHost.Wav;

namespace SspHost.Tests;

public sealed class WavWriterTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-wav-").FullName;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    [InlineData(0, 5)]
    [InlineData(1, 1)]
    [InlineData(2, 8)]
    public void What_is_written_reads_back_within_half_a_step(int format, int channels)
    {
        var encoding = Encodings[format];
        var step = encoding switch
        {
            WavEncoding.Pcm16 => 1 / 32768.0,
            WavEncoding.Pcm24 => 1 / 8388608.0,
            _ => 0,
        };
        var samples = Noise(3001 * channels, 0.99f);
        var read = WavBytes.ReadAll(Write(samples, channels, encoding));
        Assert.Equal(samples.Length, read.Length);
        for (var i = 0; i < samples.Length; i++) Assert.True(Math.Abs(samples[i] - read[i]) <= (step / 2) + 1e-7, $"sample {i}: {samples[i]} became {read[i]}");
    }

    [Fact]
    public void Beyond_full_scale_pcm_clips_and_float_does_not()
    {
        Assert.Equal([32767 / 32768f, -1f], WavBytes.ReadAll(Write([1.5f, -7f], 1, WavEncoding.Pcm16)));
        Assert.Equal([8388607 / 8388608f, -1f], WavBytes.ReadAll(Write([1.5f, -7f], 1, WavEncoding.Pcm24)));
        Assert.Equal([1.5f, -7f], WavBytes.ReadAll(Write([1.5f, -7f], 1, WavEncoding.Float32)));
    }

    [Fact]
    public void A_file_cut_off_before_its_end_is_an_empty_recording_and_no_broken_one()
    {
        var stream = new MemoryStream();
        var writer = new WavWriter(stream, "x.wav", 48000, 2, WavEncoding.Float32);
        writer.Write(new float[2000]);
        var cut = stream.ToArray();
        Assert.Empty(WavBytes.ReadAll(cut));
        writer.Dispose();
        Assert.Equal(2000, WavBytes.ReadAll(stream.ToArray()).Length);
    }

    [Fact]
    public void A_file_that_would_grow_too_large_is_refused_and_what_is_there_stays_readable()
    {
        var stream = new MemoryStream();
        var writer = new WavWriter(stream, "x.wav", 48000, 1, WavEncoding.Pcm16, maxBytes: 1000);
        writer.Write(new float[400]);
        Assert.Contains("holds at most 1000 bytes", Assert.Throws<WavException>(() => writer.Write(new float[101])).Message, StringComparison.Ordinal);
        writer.Dispose();
        Assert.Equal(400, WavBytes.ReadAll(stream.ToArray()).Length);
    }

    [Fact]
    public void A_recording_is_never_written_over_the_one_that_is_read()
    {
        File.WriteAllText(Path("in.wav"), "x");
        File.CreateSymbolicLink(Path("link.wav"), Path("in.wav"));
        Directory.CreateSymbolicLink(Path("folder"), _directory);
        foreach (var output in new[] { "in.wav", "link.wav", "folder/in.wav", "folder/../folder/link.wav" })
            Assert.Contains("the same file", Assert.Throws<WavException>(() => WavFormat.CheckOutput(Path(output), Path("in.wav"))).Message, StringComparison.Ordinal);
        WavFormat.CheckOutput(Path("out.wav"), Path("in.wav"));
        WavFormat.CheckOutput(Path("in.wav"), "");
        Assert.Contains("this is a folder", Assert.Throws<WavException>(() => WavFormat.CheckOutput(_directory, "")).Message, StringComparison.Ordinal);
        Assert.Contains("does not exist", Assert.Throws<WavException>(() => WavFormat.CheckOutput(Path("none/out.wav"), "")).Message, StringComparison.Ordinal);
        Assert.Contains("no such file", Assert.Throws<WavException>(() => WavReader.Open(Path("none.wav"))).Message, StringComparison.Ordinal);
        Assert.Contains("this is a folder", Assert.Throws<WavException>(() => WavReader.Open(_directory)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dither_has_the_mean_and_the_variance_of_two_uniform_steps()
    {
        // A constant of a third of a step: rounding alone gives 0 every time; with TPDF dither the mean is the constant, and the
        // error's variance is 1/4 of a squared step (1/6 of the dither, 1/12 of the rounding), whatever the signal.
        var samples = Enumerable.Repeat((float)(1 / 3.0 / 32768), 200_000).ToArray();
        var read = WavBytes.ReadAll(Write(samples, 1, WavEncoding.Pcm16, dither: true));
        var mean = read.Average(x => x * 32768.0);
        var variance = read.Average(x => Math.Pow((x * 32768.0) - (1 / 3.0), 2));
        Assert.InRange(mean, (1 / 3.0) - 0.01, (1 / 3.0) + 0.01);
        Assert.InRange(variance, 0.24, 0.26);
        Assert.All(WavBytes.ReadAll(Write(samples, 1, WavEncoding.Pcm16)), x => Assert.Equal(0f, x));
    }

    [SoxTheory]
    [InlineData(0, 2)]
    [InlineData(1, 1)]
    [InlineData(1, 4)]
    [InlineData(0, 1)]
    [InlineData(0, 8)]
    [InlineData(1, 2)]
    [InlineData(1, 8)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(2, 3)]
    [InlineData(2, 8)]
    public void Sox_hears_what_we_wrote_and_warns_of_nothing(int format, int channels)
    {
        var encoding = Encodings[format];
        var samples = Noise(4800 * channels, 0.9f);
        File.WriteAllBytes(Path("ours.wav"), Write(samples, channels, encoding));
        Assert.Equal("", Sox(Path("ours.wav"), "-t", "f32", Path("ours.raw")));
        var heard = Floats(File.ReadAllBytes(Path("ours.raw")));
        Assert.Equal(samples.Length, heard.Length);
        var step = encoding == WavEncoding.Pcm16 ? 1 / 32768.0 : 1 / 8388608.0;
        for (var i = 0; i < samples.Length; i++) Assert.True(Math.Abs(samples[i] - heard[i]) <= step, $"sample {i}: {samples[i]}, sox hears {heard[i]}");
    }

    [SoxTheory]
    [InlineData("-e", "unsigned-integer", "-b", "8")]
    [InlineData("-e", "signed-integer", "-b", "16")]
    [InlineData("-e", "signed-integer", "-b", "24")]
    [InlineData("-e", "signed-integer", "-b", "32")]
    [InlineData("-e", "floating-point", "-b", "32")]
    [InlineData("-e", "floating-point", "-b", "64")]
    public void We_hear_what_sox_wrote(params string[] encoding)
    {
        Sox(["-n", "-r", "48000", "-c", "2", .. encoding, Path("theirs.wav"), "synth", "0.1", "sine", "440", "sine", "1000"]);
        Sox(Path("theirs.wav"), "-t", "f32", Path("theirs.raw"));
        var expected = Floats(File.ReadAllBytes(Path("theirs.raw")));
        var read = WavBytes.ReadAll(File.ReadAllBytes(Path("theirs.wav")));
        Assert.Equal(expected.Length, read.Length);
        Assert.Contains(expected, x => Math.Abs(x) > 0.9f);
        for (var i = 0; i < read.Length; i++) Assert.True(Math.Abs(expected[i] - read[i]) <= 1e-6, $"sample {i}: sox {expected[i]}, we {read[i]}");
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static readonly WavEncoding[] Encodings = [WavEncoding.Pcm16, WavEncoding.Pcm24, WavEncoding.Float32];

    private static byte[] Write(float[] samples, int channels, WavEncoding encoding, bool dither = false)
    {
        var stream = new MemoryStream();
        using (var writer = new WavWriter(stream, "x.wav", 48000, channels, encoding, dither))
        {
            var block = 511 * channels; // not a divisor of anything
            for (var at = 0; at < samples.Length; at += block) writer.Write(samples.AsSpan(at, Math.Min(block, samples.Length - at)));
            Assert.Equal(samples.Length / channels, writer.Frames);
        }

        return stream.ToArray();
    }

    private static float[] Noise(int count, float level)
    {
        var random = new Random(7);
        var samples = new float[count];
        for (var i = 0; i < count; i++) samples[i] = ((random.NextSingle() * 2) - 1) * level;
        return samples;
    }

    private static float[] Floats(byte[] raw)
    {
        var samples = new float[raw.Length / 4];
        Buffer.BlockCopy(raw, 0, samples, 0, raw.Length);
        return samples;
    }

    private string Path(string name) => System.IO.Path.Combine(_directory, name);

    private static string Sox(params string[] arguments)
    {
        using var sox = Process.Start(new ProcessStartInfo("sox", ["-D", .. arguments]) { RedirectStandardError = true })!;
        var error = sox.StandardError.ReadToEnd();
        sox.WaitForExit();
        Assert.True(sox.ExitCode == 0, string.Create(CultureInfo.InvariantCulture, $"sox left with {sox.ExitCode}: {error}"));
        return error;
    }
}

/// <summary>A theory that needs sox, the tool that knows nothing of us; skipped with the reason where it is not installed.</summary>
public sealed class SoxTheoryAttribute : TheoryAttribute
{
    public SoxTheoryAttribute()
    {
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(d => File.Exists(Path.Combine(d, "sox")))) Skip = "sox is not installed (apt-get install sox)";
    }
}
