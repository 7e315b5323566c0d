// `ssp render`: a recording goes through a patch and comes out as the patch says, measured against the recording itself.
using System.Text.Json;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class RenderTests : IDisposable
{
    private const double MinusHundredDb = 1e-5;

    private readonly Runtime _runtime = new();

    public void Dispose() => _runtime.Dispose();

    [Fact]
    public async Task A_cable_from_input_to_output_changes_nothing_but_the_level_the_patch_sets()
    {
        var voice = await Recordings.Speech(_runtime);
        var patch = WritePatch(
            """
            {"id":"in","type":"audio-in"}, {"id":"out","type":"audio-out","params":{"level":0.5}}
            """,
            """{"from":"in.out1","to":"out.in1"}""");
        var (x, y) = await Render(patch, voice);
        Assert.Equal(x.Length, y.Length);
        for (var i = 0; i < x.Length; i++) Assert.Equal(0.5 * x[i], y[i], MinusHundredDb);
    }

    [Fact]
    public async Task An_echo_of_a_quarter_second_comes_exactly_a_quarter_second_later()
    {
        var voice = await Recordings.Speech(_runtime);
        var patch = WritePatch(
            """
            {"id":"in","type":"audio-in"}, {"id":"echo","type":"delay","params":{"time":0.25,"feedback":0,"mix":0.5}}, {"id":"out","type":"audio-out"}
            """,
            """{"from":"in.out1","to":"echo.in"}, {"from":"echo.out","to":"out.in1"}""");
        var (x, y) = await Render(patch, voice, "--seconds", "4");
        Assert.Equal(4 * 48_000, y.Length);
        const int Lag = 12_000;
        for (var i = 0; i < y.Length; i++)
        {
            var expected = (0.5 * At(x, i)) + (0.5 * At(x, i - Lag));
            Assert.Equal(expected, y[i], MinusHundredDb);
        }
    }

    [Fact]
    public async Task Two_voltages_in_one_input_are_added_with_their_cables_gains()
    {
        var voice = await Recordings.Speech(_runtime);
        var patch = WritePatch(
            """
            {"id":"in","type":"audio-in"}, {"id":"out","type":"audio-out"}
            """,
            """{"from":"in.out1","to":"out.in1","gain":0.25}, {"from":"in.out2","to":"out.in1","gain":-0.75}""");
        var (x, y) = await Render(patch, voice); // a mono recording feeds jacks 1 and 2
        for (var i = 0; i < x.Length; i++) Assert.Equal(-0.5 * x[i], y[i], MinusHundredDb);
    }

    [Fact]
    public async Task The_result_is_the_same_to_the_bit_for_one_to_four_threads()
    {
        byte[]? first = null;
        foreach (var demo in Directory.GetFiles(Path.Combine(Executables.Root, "patches"), "*.json").Order(StringComparer.Ordinal))
        {
            if (!File.ReadAllText(demo).Contains("\"format\"", StringComparison.Ordinal) || demo.EndsWith(".schema.json", StringComparison.Ordinal)) continue;
            first = null;
            for (var threads = 1; threads <= 4; threads++)
            {
                var file = _runtime.File($"threads-{threads}.wav");
                var outcome = await Executables.Run(
                    Executables.Ssp, _runtime.Directory, "render", demo, "--seconds", "3", "--format", "float", "--threads", $"{threads}", "--out", file);
                Assert.True(outcome.ExitCode == 0, outcome.ToString());
                var bytes = await File.ReadAllBytesAsync(file);
                first ??= bytes;
                Assert.True(first.AsSpan().SequenceEqual(bytes), $"{demo}: {threads} threads differ from one");
            }
        }

        Assert.NotNull(first);
    }

    [Fact]
    public async Task Every_quantum_renders_a_forward_only_patch_alike()
    {
        var voice = await Recordings.Speech(_runtime);
        var patch = WritePatch(
            """
            {"id":"in","type":"audio-in"}, {"id":"lfo","type":"lfo"}, {"id":"vcf","type":"ladder"}, {"id":"echo","type":"delay"}, {"id":"out","type":"audio-out"}
            """,
            """{"from":"in.out1","to":"vcf.in"}, {"from":"lfo.out","to":"vcf.cutoff","gain":0.2}, {"from":"vcf.out","to":"echo.in"}, {"from":"echo.out","to":"out.in1"}""");
        float[]? reference = null;
        foreach (var quantum in new[] { 16, 32, 64, 128, 256 })
        {
            var (_, y) = await Render(patch, voice, "--quantum", $"{quantum}");
            reference ??= y;
            for (var i = 0; i < y.Length; i++) Assert.True(Math.Abs(reference[i] - y[i]) < 1e-6, $"quantum {quantum}, frame {i}: {reference[i]} and {y[i]}"); // -120 dB
        }
    }

    [Theory]
    [InlineData(2.5, 1, 0.5)] // a quarter of the way from 0 to 2
    [InlineData(2.5, -0.5, 0)]
    [InlineData(10, 0.5, 1)]
    public async Task Ten_volts_at_a_parameter_are_its_whole_travel(double volts, double gain, double level)
    {
        var voice = await Recordings.Speech(_runtime);
        var patch = WritePatch(
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $$$"""{"id":"in","type":"audio-in"}, {"id":"dc","type":"voltage","params":{"volts":{{{volts}}}}}, {"id":"out","type":"audio-out","params":{"level":0}}"""),
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $$$"""{"from":"in.out1","to":"out.in1"}, {"from":"dc.out","to":"out.@level","gain":{{{gain}}}}"""));
        var (x, y) = await Render(patch, voice);
        const int Settled = 512; // the quantum in which the voltage comes
        for (var i = Settled; i < x.Length; i++) Assert.Equal(level * x[i], y[i], MinusHundredDb);
    }

    [Theory]
    [InlineData("missing.json", "missing.json")]
    [InlineData("broken", "broken")]
    public async Task A_patch_that_cannot_be_read_is_one_line_and_no_file(string patch, string named)
    {
        await File.WriteAllTextAsync(_runtime.File("broken"), "{ \"format\": 1, ");
        var outcome = await Executables.Run(Executables.Ssp, _runtime.Directory, "render", patch, "--seconds", "1", "--out", "out.wav");
        Assert.NotEqual(0, outcome.ExitCode);
        var line = Assert.Single(outcome.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(named, line, StringComparison.Ordinal);
        Assert.False(File.Exists(_runtime.File("out.wav")));
    }

    private static float At(float[] x, int i) => i >= 0 && i < x.Length ? x[i] : 0f;

    private async Task<(float[] Input, float[] Output)> Render(string patch, string voice, params string[] more)
    {
        var file = _runtime.File("rendered.wav");
        var outcome = await Executables.Run(
            Executables.Ssp, _runtime.Directory, ["render", patch, "--in", voice, "--out", file, "--format", "float", .. more]);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        return (await Recordings.Channel(voice, 0), await Recordings.Channel(file, 0));
    }

    private string WritePatch(string modules, string cables)
    {
        var json = $$"""{"format":1,"id":"test","name":"Test","quantum":32,"modules":[{{modules}}],"cables":[{{cables}}]}""";
        using (JsonDocument.Parse(json))
        {
            var file = _runtime.File("patch.json");
            File.WriteAllText(file, json);
            return file;
        }
    }
}
