// From RDF to modules: what a plugin says of itself, and why some are none.
using SspHost.Abi;
using SspHost.Conformance;
using SspHost.Patching;

namespace SspHost.Lv2.Tests;

public sealed class ScanTests
{
    [Fact]
    public void Ports_become_jacks_knobs_and_figures_with_their_ranges_units_curves_and_choices()
    {
        var d = Bundles.Ours("gain").Descriptor;
        Assert.Equal(("lv2-ssphost-test-gain", "Test gain", "Dynamics"), (d.Id, d.Name, d.Family));
        Assert.Equal("Multiplies what comes in", d.Text);
        Assert.Equal(["in"], d.Inputs.Select(p => p.Id));
        Assert.Equal(["out"], d.Outputs.Select(p => p.Id));
        Assert.Equal(["gain", "cutoff", "mode", "out"], d.Parameters.Select(p => p.Id)); // 'enabled' is the host's
        var (gain, cutoff, mode, invert) = (d.Parameters[0], d.Parameters[1], d.Parameters[2], d.Parameters[3]);
        Assert.Equal((0f, 4f, 1f, ParameterCurve.Linear), (gain.Min, gain.Max, gain.Default, gain.Curve));
        Assert.Equal((20f, 20_000f, 1000f, ParameterCurve.Exponential, "Hz", "Where it would cut."), (cutoff.Min, cutoff.Max, cutoff.Default, cutoff.Curve, cutoff.Unit, cutoff.Text));
        Assert.Equal((ParameterCurve.Stepped, 1f), (mode.Curve, mode.Default));
        Assert.Equal(["soft", "plain", "loud"], mode.Choices);
        Assert.Equal(["off", "on"], invert.Choices);
        Assert.Equal(("latency", "frames"), (d.Telemetry[0].Id, d.Telemetry[0].Unit));
        Assert.Equal(("voices", 1, 16), (d.Settings[0].Id, d.Settings[0].Min, d.Settings[0].Max));
        Assert.Contains("Its presets: Twice.", d.Help, StringComparison.Ordinal);
        Assert.True(Bundles.Ours("midi").Descriptor.AcceptsEvents);
        Assert.True(Bundles.Ours("state").Descriptor.StateBytes > 0 && d.StateBytes == 0);
    }

    [Theory]
    [InlineData("feature", "it requires urn:ssphost-test:unheard-of, which this host does not give")]
    [InlineData("gone", "gone.so does not exist")]
    [InlineData("unknown", "its port 'smell' is of a kind that this host does not know")]
    [InlineData("notes", "it puts out nothing that a cable carries")]
    public void What_can_be_no_module_is_refused_in_a_sentence(string name, string why) =>
        Assert.Contains(why, Bundles.Own.Found.Refused.Single(r => r.Uri == "urn:ssphost-test:" + name).Why, StringComparison.Ordinal);

    [Fact]
    public void Every_plugin_of_three_packages_gets_a_legal_descriptor_of_its_own()
    {
        var found = Bundles.Installed;
        Assert.Equal(found.Modules.Count, found.Modules.Select(m => m.Descriptor.Id).Distinct(StringComparer.Ordinal).Count());
        Assert.All(found.Modules, m =>
        {
            Assert.Matches("^lv2-[a-z0-9-]{1,60}$", m.Descriptor.Id);
            Bundles.Add(m);
            Rules.A_descriptor_is_complete_and_legal(m.Descriptor.Id);
        });
        foreach (var package in new[] { "drobilla.net/plugins/mda/", "plugin.org.uk/swh-plugins/", "gareus.org/oss/lv2/" })
            Assert.True(found.Modules.Count(m => m.Uri.Contains(package, StringComparison.Ordinal)) > 10, package);
    }

    [Fact]
    public void Ids_come_from_the_URI_alone_and_those_that_would_be_alike_carry_a_hash()
    {
        var ids = Lv2Names.Ids(["http://drobilla.net/plugins/mda/Delay", "urn:a:x:same", "urn:b:x:same", "http://www.example.org/plugins/lv2"]);
        Assert.Equal("lv2-mda-delay", ids["http://drobilla.net/plugins/mda/Delay"]);
        Assert.Equal("lv2-example", ids["http://www.example.org/plugins/lv2"]);
        Assert.Matches("^lv2-x-same-[0-9a-f]{6}$", ids["urn:a:x:same"]);
        Assert.NotEqual(ids["urn:a:x:same"], ids["urn:b:x:same"]);
        Assert.Equal(ids["urn:a:x:same"], Lv2Names.Ids(["urn:b:x:same", "urn:a:x:same"])["urn:a:x:same"]);
    }

    [Fact]
    public void A_scan_is_remembered_until_a_file_of_a_bundle_changes()
    {
        var cache = Directory.CreateTempSubdirectory("ssp-lv2-").FullName;
        try
        {
            var first = new Lv2Catalog(Bundles.Own.Path, cache);
            Assert.False(first.IsKnown);
            var found = first.Find()!;
            var again = new Lv2Catalog(Bundles.Own.Path, cache);
            Assert.True(again.IsKnown);
            var remembered = again.Find()!;
            Assert.Equal(DescriptorBlob.Write([.. found.Modules.Select(m => m.Descriptor)]), DescriptorBlob.Write([.. remembered.Modules.Select(m => m.Descriptor)]));
            Assert.Equal(found.Modules.SelectMany(m => m.Record), remembered.Modules.SelectMany(m => m.Record));
            Assert.Equal(found.Refused, remembered.Refused);
            File.SetLastWriteTimeUtc(Path.Combine(Bundles.Own.Path, "test.lv2", "garbage.so"), DateTime.UtcNow.AddHours(-1));
            Assert.False(new Lv2Catalog(Bundles.Own.Path, cache).IsKnown);
            File.WriteAllBytes(Path.Combine(cache, "lv2.scan"), [1, 2, 3]);
            Assert.Equal(found.Modules.Count, new Lv2Catalog(Bundles.Own.Path, cache).Find()!.Modules.Count);
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    [Fact]
    public void A_stand_in_has_all_that_a_patch_says_of_a_plugin_that_is_missing_and_plays_silence()
    {
        var patch = new Patch
        {
            Id = "p", Modules =
            [
                new Module { Id = "echo", Type = "lv2-nobody-echo", Parameters = NamedValues<float>.From([new Named<float>("time", 440)]) },
                new Module { Id = "o", Type = "out" },
            ],
            Cables = [new Cable(new PortRef("echo", "left"), new PortRef("o", "in1")), new Cable(new PortRef("o", "x"), new PortRef("echo", "in"))],
        };
        var module = Lv2Records.StandIn("lv2-nobody-echo", patch);
        Assert.Equal(["in", "left", "time"], [module.Descriptor.Inputs.Single().Id, module.Descriptor.Outputs.Single().Id, module.Descriptor.Parameters.Single().Id]);
        using var rig = Bundles.Rig(module);
        var state = new byte[] { 0x4c, 0x56, 0x53, 0x32, 0, 0, 0, 0 };
        Assert.True(rig.LoadState(1, state));
        Assert.All(rig.Run(640)[0][0], v => Assert.Equal(0f, v));
        Assert.Equal(state, rig.SaveState()); // kept for the day the plugin is there
    }
}
