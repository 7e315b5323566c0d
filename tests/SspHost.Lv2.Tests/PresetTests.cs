// Presets: what bundles bring becomes knobs and state of a patch, and a plugin takes it.
using System.Globalization;
using SspHost.Lv2;
using SspHost.Patching;

namespace SspHost.Lv2.Tests;

public sealed class PresetTests
{
    private static readonly string[] Twice = ["Twice"];

    [Fact]
    public void Presets_are_listed_with_their_labels()
    {
        Assert.Equal(Twice, Bundles.Ours("gain").Presets.Select(p => p.Label));
        Assert.Equal("Six", Bundles.Ours("state").Presets.Single().Label);
        Assert.Contains(Bundles.Debian("http://drobilla.net/plugins/mda/Piano").Presets, p => p.Label.Length > 0);
    }

    [Fact]
    public void A_preset_is_knobs_and_properties_and_the_plugin_takes_both()
    {
        var module = Bundles.Ours("state");
        var edits = Lv2Preset.Edits(Bundles.Own.Path, module, module.Presets[0], "m");
        Assert.Equal([new SetParameter("m", "keep", 0f)], edits.OfType<SetParameter>());
        var state = edits.OfType<SetState>().Single();
        using var rig = Bundles.Rig(module);
        Assert.True(rig.LoadState(state.Version, [.. state.State.Bytes]));
        Assert.All(rig.Run("out", 64), v => Assert.Equal(6f, v));
        Assert.Equal([.. state.State.Bytes], rig.SaveState()); // the format is the one that the engine writes
    }

    [Fact]
    public void Every_preset_of_a_plugin_of_Debians_sets_knobs_within_their_ranges_as_its_file_has_them()
    {
        var module = Bundles.Debian("http://drobilla.net/plugins/mda/Piano");
        foreach (var preset in module.Presets)
        {
            var edits = Lv2Preset.Edits("/usr/lib/lv2", module, preset, "p").Cast<SetParameter>().ToArray();
            Assert.NotEmpty(edits);
            foreach (var e in edits)
            {
                var p = module.Descriptor.Parameters.Single(p => p.Id == e.Parameter);
                Assert.InRange(e.Value, p.Min, p.Max);
            }
        }
    }

    [Fact]
    public void What_does_not_keep_outside_of_a_process_is_refused()
    {
        var e = Assert.Throws<InvalidDataException>(() => Lv2Preset.Blob([("urn:key", "http://lv2plug.in/ns/ext/atom#URID", [1, 0, 0, 0])], 1000));
        Assert.Contains("urn:key", e.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => Lv2Preset.Blob([("urn:key", "http://lv2plug.in/ns/ext/atom#Chunk", new byte[1000])], 1000));
    }

    [Fact]
    public void Damaged_bundles_are_one_line_each_and_cost_no_other_plugin()
    {
        var path = Directory.CreateTempSubdirectory("ssp-lv2-").FullName;
        try
        {
            var whole = File.ReadAllText(Path.Combine(Bundles.Own.Path, "test.lv2", "manifest.ttl"));
            Directory.CreateDirectory(Path.Combine(path, "no-bundle")); // passed over in silence
            var random = new Random(7);
            for (var n = 0; n < 24; n++)
            {
                // Cut, or with characters changed: URIs differ from the ones of the sound bundle beside it.
                var text = whole.Replace("urn:ssphost-test:", string.Create(CultureInfo.InvariantCulture, $"urn:broken{n}:"), StringComparison.Ordinal).ToCharArray();
                for (var i = 0; i < 12; i++) text[random.Next(text.Length)] = "<>[];.\"@^\0\u00e9 "[random.Next(12)];
                var bundle = Directory.CreateDirectory(Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"b{n}.lv2"))).FullName;
                File.WriteAllText(Path.Combine(bundle, "manifest.ttl"), new string(text)[..(n % 2 == 0 ? text.Length : random.Next(text.Length))]);
            }

            var cut = Directory.CreateDirectory(Path.Combine(path, "cut.lv2")).FullName;
            File.WriteAllText(Path.Combine(cut, "manifest.ttl"), "@prefix lv2: <http://lv2plug.in/ns/lv2core#> . <urn:cut> a lv2:Plugin ; [");
            var found = Lv2Scan.Run(Bundles.Own.Path + ":" + path);
            Assert.Equal(Bundles.Own.Found.Modules.Count, found.Modules.Count(m => m.Uri.StartsWith("urn:ssphost-test:", StringComparison.Ordinal)));
            var told = found.Refused.Where(r => r.Uri.StartsWith(path, StringComparison.Ordinal)).ToArray();
            Assert.Contains(told, r => r.Uri == cut && r.Why.Contains("manifest.ttl:1:", StringComparison.Ordinal));
            Assert.Equal(told.Length, told.Select(r => r.Uri).Distinct().Count());
            Assert.All(found.Refused, r => Assert.False(r.Why.Contains('\n', StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
