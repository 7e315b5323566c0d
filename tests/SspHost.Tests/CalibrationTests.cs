// calibration.json and the line through two points: what is written reads back, and damage is one sentence that loses nothing.
using System.Text;
using System.Text.Json;
using SspHost.Configuration;
using SspHost.Devices;
using SspHost.Playing;

namespace SspHost.Tests;

public sealed class CalibrationTests : IDisposable
{
    private const string Device = "hw:CARD=ES9,DEV=0";

    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-calibration-").FullName;

    private string Place => Path.Combine(_folder, "calibration.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_line_through_two_points_passes_through_both()
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            var (full, zero) = ((random.NextDouble() * 10) + 5, random.NextDouble() - 0.5);
            if (i % 3 == 0) full = -full;
            var (line, wrong) = JackLine.Through((-0.5, zero - (0.5 * full)), (0.5, zero + (0.5 * full)));
            Assert.Null(wrong);
            Assert.Equal(full, line.FullScale, 1e-5);
            Assert.Equal(zero, line.Zero, 1e-6);
        }
    }

    [Theory]
    [InlineData(0.5, 1, 0.51, 2, "apart at the converter")] // the same level twice
    [InlineData(-0.5, 0, 0.5, 0.1, "these points mean")] // no cable in
    [InlineData(-0.5, -150, 0.5, 150, "these points mean")]
    public void Points_that_no_converter_can_have_are_refused_with_the_reason(double s1, double v1, double s2, double v2, string why) =>
        Assert.Contains(why, JackLine.Through((s1, v1), (s2, v2)).Wrong, StringComparison.Ordinal);

    [Fact]
    public void What_is_saved_reads_back_and_keeps_the_other_devices()
    {
        var file = CalibrationFile.Load(Place);
        Assert.Null(file.Trouble);
        file.Set(Device, new Jack(JackSide.Out, 3), new JackLine(9.87f, -0.012f));
        file.Set(Device, new Jack(JackSide.In, 12), new JackLine(-10.4f, 0.2f));
        file.Set("default", new Jack(JackSide.Out, 1), new JackLine(5, 0));
        file.Save();
        var again = CalibrationFile.Load(Place);
        Assert.Equal([Device, "default"], again.Devices.Order(StringComparer.Ordinal).Reverse());
        Assert.Equal(new JackLine(9.87f, -0.012f), again.Of(Device)[new Jack(JackSide.Out, 3)]);
        Assert.Equal(new JackLine(-10.4f, 0.2f), again.Of(Device)[new Jack(JackSide.In, 12)]);
        Assert.True(again.Forget(Device, new Jack(JackSide.Out, 3)));
        Assert.False(again.Forget(Device, new Jack(JackSide.Out, 3)));
        again.Save();
        Assert.Single(CalibrationFile.Load(Place).Of(Device));
        Assert.Equal([Place], Directory.GetFiles(_folder)); // nothing half-written stays
        using var schema = JsonDocument.Parse(CalibrationFile.Schema);
        Assert.Equal(JsonValueKind.Object, schema.RootElement.ValueKind);
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("{\"version\": 2, \"devices\": {}}", "\"version\": expected 1")]
    [InlineData("{\"devices\": []}", "\"devices\": expected an object")]
    [InlineData("{\"version\":1,\"devices\":{\"a\":{\"out\":{\"33\":{\"fullScale\":10,\"zero\":0}}}}}", "device \"a\", out \"33\": expected a jack from 1 to 32")]
    [InlineData("{\"version\":1,\"devices\":{\"a\":{\"out\":{\"1\":{\"fullScale\":0,\"zero\":0}}}}}", "\"fullScale\"")]
    [InlineData("{\"version\":1,\"devices\":{\"a\":{\"out\":{\"1\":{\"fullScale\":10,\"zero\":1e99}}}}}", "\"zero\"")]
    [InlineData("{\"version\":1,\"devices\":{\"a\":{\"side\":{}}}}", "expected \"in\" and \"out\"")]
    public void A_damaged_file_is_one_line_plays_without_calibration_and_is_not_written_over(string text, string expected)
    {
        File.WriteAllText(Place, text);
        var file = CalibrationFile.Load(Place);
        Assert.Contains(expected, file.Trouble, StringComparison.Ordinal);
        Assert.StartsWith(Place, file.Trouble, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', file.Trouble!);
        Assert.Empty(file.Devices);
        file.Set(Device, new Jack(JackSide.Out, 1), JackLine.Nominal);
        Assert.Throws<InvalidDataException>(file.Save);
        Assert.Equal(text, File.ReadAllText(Place));
        var setup = AudioSetup.Decide(new Settings { Device = "alsa:hw:0" }, realTime: true, card: true, 2).Calibrated(file);
        Assert.Empty(setup.Calibration);
        Assert.Contains(setup.Remarks, r => r.Contains("playing without calibration", StringComparison.Ordinal));
    }

    [Fact]
    public void Whatever_bytes_are_in_the_file_it_is_read_or_refused_and_nothing_else()
    {
        var file = CalibrationFile.Load(Place);
        for (var j = 1; j <= 4; j++) file.Set(Device, new Jack(j % 2 == 0 ? JackSide.In : JackSide.Out, j), new JackLine(10 + j, 0.01f * j));
        file.Save();
        var bytes = File.ReadAllBytes(Place);
        var random = new Random(4);
        for (var i = 0; i < 1000; i++)
        {
            var damaged = i < bytes.Length ? bytes[..i] : [.. bytes];
            if (i >= bytes.Length)
                for (var k = random.Next(1, 4); k > 0; k--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(Place, damaged);
            var read = CalibrationFile.Load(Place);
            if (read.Trouble != null) Assert.Empty(read.Devices);
        }
    }

    [Fact]
    public void A_card_is_remembered_by_its_id_whichever_number_it_has_and_whichever_way_it_is_named()
    {
        static string? Id(int card) => card == 1 ? "ES9" : null;
        foreach (var name in new[] { "hw:1", "hw:1,0", "plughw:1", "hw:ES9", "hw:ES9,0", "hw:CARD=ES9", "hw:CARD=1,DEV=0", "plughw:CARD=ES9,DEV=0" })
            Assert.Equal(Device, SoundCards.StableName(name, Id));
        Assert.Equal("hw:CARD=ES9,DEV=2", SoundCards.StableName("hw:1,2", Id));
        Assert.Equal("hw:CARD=0,DEV=0", SoundCards.StableName("hw:0", Id));
        Assert.Equal("default", SoundCards.StableName("default", Id));
        Assert.Equal("studio:1", SoundCards.StableName("studio:1", Id));
    }

    [Fact]
    public unsafe void Maps_lines_and_what_holds_reach_the_engine_by_jack()
    {
        var settings = SettingsFile.Parse(
            Encoding.UTF8.GetBytes("""{"device": "alsa:hw:1", "captureDevice": "alsa:mic", "inputs": [2, 1], "outputs": [8, 0, 0, 7], "hold": [1, 4]}"""), "ssp.json");
        var file = CalibrationFile.Load(Place);
        file.Set(SoundCards.StableName("hw:1"), new Jack(JackSide.Out, 4), new JackLine(9, 0.5f));
        file.Set("mic", new Jack(JackSide.In, 2), new JackLine(11, -0.25f));
        var config = AudioSetup.Decide(settings, realTime: true, card: true, 2).Calibrated(file).ToConfig(32);
        Assert.Equal((2, 4), (config.Inputs, config.Outputs));
        Assert.Equal((2, 1), (config.InputChannels[0], config.InputChannels[1]));
        Assert.Equal((8, -1, -1, 7), (config.OutputChannels[0], config.OutputChannels[1], config.OutputChannels[2], config.OutputChannels[3]));
        Assert.Equal(0b1001u, config.HoldOutputs);
        Assert.Equal((9f, 0.5f, 0f), (config.OutputFullScale[3], config.OutputZero[3], config.OutputFullScale[0]));
        Assert.Equal((11f, -0.25f), (config.InputFullScale[1], config.InputZero[1]));
        Assert.Equal("mic", System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)config.CaptureDevice));
    }

    [Fact]
    public unsafe void The_boards_codec_has_its_own_full_scale_where_nobody_calibrated_and_raw_jacks_have_not()
    {
        static AudioSetup Of(string device, string capture) => AudioSetup.Decide(
            SettingsFile.Parse(
                Encoding.UTF8.GetBytes($$"""{"device": "{{device}}", "captureDevice": "{{capture}}", "inputs": [3, 0, 6], "board": {"codec": {"chip": "pcm3168a", "fullScale": 10.3 } } }"""), "ssp.json"),
            realTime: true, card: true, 2);
        var file = CalibrationFile.Load(Place);
        file.Set(SoundCards.StableName("hw:SSPIO,0"), new Jack(JackSide.Out, 2), new JackLine(9, 0.5f));
        var setup = Of("alsa:hw:SSPIO,0", "alsa:hw:SSPIO,1").Calibrated(file);
        var config = setup.ToConfig(32);
        Assert.Equal((10.3f, 9f, 10.3f), (config.OutputFullScale[0], config.OutputFullScale[1], config.InputFullScale[0]));
        var raw = setup.Raw.ToConfig(32);
        Assert.Equal((0f, 0f), (raw.OutputFullScale[0], raw.OutputFullScale[1]));
        var mixed = Of("alsa:hw:SSPIO,0", "alsa:hw:USB").ToConfig(32);
        Assert.Equal((10.3f, 0f), (mixed.OutputFullScale[0], mixed.InputFullScale[0]));
        var another = Of("alsa:hw:USB", "alsa:hw:USB,1").ToConfig(32);
        Assert.Equal(0f, another.OutputFullScale[0]);
        // What its third and sixth converter cut off came in by jacks 1 and 3.
        Assert.Equal([1, 3], CodecWatch.JacksOf(0b100100, setup));
    }

    [Theory]
    [InlineData("{\"outputs\": [1, 1]}", "\"outputs\" with at most 32 different channels")]
    [InlineData("{\"inputs\": [65]}", "\"inputs\" channels from 1 to 64, or 0 for none, not 65")]
    [InlineData("{\"hold\": [0]}", "\"hold\" jacks from 1 to 32, not 0")]
    [InlineData("{\"captureDevice\": \"hw:1\"}", "\"captureDevice\" alsa:NAME")]
    public void A_map_that_is_none_is_one_clear_line(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<ConfigurationException>(() => SettingsFile.Parse(Encoding.UTF8.GetBytes(json), "ssp.json")).Message, StringComparison.Ordinal);
}
