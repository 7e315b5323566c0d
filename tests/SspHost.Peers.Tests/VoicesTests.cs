// The patches that the programs get: the same voices in the words of each.
using System.Text.Json;
using System.Text.RegularExpressions;
using SspHost.Peers.Voices;

namespace SspHost.Peers.Tests;

public sealed partial class VoicesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_Pd_canvas_joins_only_objects_that_are_there(int number)
    {
        var kind = (VoiceKind)number;
        var lines = PdRenderer.Text(kind, 5, 3).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var objects = lines.Count(l => l.StartsWith("#X obj", StringComparison.Ordinal) || l.StartsWith("#X msg", StringComparison.Ordinal));
        var cables = lines.Select(l => Connect().Match(l)).Where(m => m.Success).ToList();
        Assert.All(cables, c => Assert.True(int.Parse(c.Groups[1].Value) < objects && int.Parse(c.Groups[2].Value) < objects));
        Assert.Equal(5, lines.Count(l => l.Contains(kind == VoiceKind.Sine ? "osc~" : "phasor~", StringComparison.Ordinal)));
        Assert.Contains(lines, l => l.Contains("delay 3000", StringComparison.Ordinal));
        Assert.All(lines, l => Assert.EndsWith(";", l, StringComparison.Ordinal));
    }

    [Fact]
    public void Csound_gets_a_note_a_voice()
    {
        var text = CsoundRenderer.Text(VoiceKind.SawLadder, 7, 4);
        Assert.Equal(7, text.Split('\n').Count(l => l.StartsWith("i 1 0 4 ", StringComparison.Ordinal)));
        Assert.Contains("moogladder", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Ours_has_a_module_for_each_part_of_each_voice_and_every_cable_ends_somewhere()
    {
        var root = Directory.CreateTempSubdirectory("ssp-voices-").FullName;
        var places = new Places(root);
        _ = Directory.CreateDirectory(places.Work);
        var command = new OurRenderer().Command(places, VoiceKind.SawLowPass, 3, 2);
        using var patch = JsonDocument.Parse(File.ReadAllBytes(command[2]));
        var ids = patch.RootElement.GetProperty("modules").EnumerateArray().Select(m => m.GetProperty("id").GetString()!).ToHashSet();
        Assert.Equal(7, ids.Count);
        var cables = patch.RootElement.GetProperty("cables").EnumerateArray().ToList();
        Assert.Equal(6, cables.Count);
        Assert.All(cables, c => Assert.True(ids.Contains(c.GetProperty("from").GetString()!.Split('.')[0]) && ids.Contains(c.GetProperty("to").GetString()!.Split('.')[0])));
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public void A_polyphonic_patch_of_ours_has_the_pitches_of_the_others()
    {
        var root = Directory.CreateTempSubdirectory("ssp-voices-").FullName;
        var places = new Places(root);
        _ = Directory.CreateDirectory(places.Work);
        var command = new PolyphonicRenderer().Command(places, VoiceKind.SawLadder, 64, 2);
        using var patch = JsonDocument.Parse(File.ReadAllBytes(command[2]));
        var modules = patch.RootElement.GetProperty("modules").EnumerateArray().ToList();
        var first = modules.Where(m => m.GetProperty("type").GetString() == "peer-pitches").Select(m => m.GetProperty("params").GetProperty("first").GetDouble()).ToList();
        var pitches = first.SelectMany(volts => Enumerable.Range(0, 16).Select(c => 261.6256 * Math.Pow(2, volts + (c / 16.0)))).ToList();
        Assert.Equal(64, pitches.Count);
        Assert.All(pitches.Select((hertz, v) => hertz / VoicePatch.Frequency(v)), ratio => Assert.Equal(1, ratio, 1e-9));
        Assert.Contains("--module-dir", command);
        var ids = modules.Select(m => m.GetProperty("id").GetString()!).ToHashSet();
        Assert.Equal(4 + (4 * 3) + 1, ids.Count);
        var ends = patch.RootElement.GetProperty("cables").EnumerateArray().SelectMany(c => new[] { c.GetProperty("from"), c.GetProperty("to") });
        Assert.All(ends, e => Assert.Contains(e.GetString()!.Split('.')[0], ids));
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public void A_command_is_what_a_shell_would_read_back()
    {
        var places = new Places("/some/root");
        Assert.Equal("artifacts/bin/ssp 'a b' 'it'\\''s' ''", Shell.Line(places, ["/some/root/artifacts/bin/ssp", "a b", "it's", ""]));
    }

    [GeneratedRegex("^#X connect ([0-9]+) [0-9]+ ([0-9]+) [0-9]+;$")]
    private static partial Regex Connect();
}
