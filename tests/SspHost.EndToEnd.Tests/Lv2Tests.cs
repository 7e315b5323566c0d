// LV2 plugins in an engine that plays: those that do harm or are missing are silent and named, the rest plays and is accounted for.
using System.Diagnostics;
using System.Text.Json.Nodes;
using SspHost.Abi;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class Lv2Tests : IDisposable
{
    private readonly Runtime _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_patch_plays_without_the_plugins_that_crash_hang_or_are_missing_and_says_so_once_each()
    {
        using var host = Play(
            """
            {"id":"tone","type":"lv2-ssphost-test-state","params":{"keep":4}},{"id":"crash","type":"lv2-ssphost-test-crash"},
            {"id":"hang","type":"lv2-ssphost-test-endless"},{"id":"gone","type":"lv2-nobody-echo","params":{"time":3}},{"id":"late","type":"lv2-ssphost-test-late"},{"id":"out","type":"audio-out"}
            """,
            """
            {"from":"tone.out","to":"out.in1"},{"from":"tone.out","to":"crash.in"},{"from":"crash.out","to":"out.in2"},{"from":"tone.out","to":"gone.left"},{"from":"gone.left","to":"out.in2"},{"from":"tone.out","to":"late.in"},{"from":"late.out","to":"out.in2"}
            """);
        Eventually.True(() => Peak(host, 0) > 0.3f, "it is heard\n" + host.Text);
        Eventually.True(() => host.Text.Contains("LV2 plugin 'lv2-ssphost-test-late'", StringComparison.Ordinal), "the last one is told\n" + host.Text);
        Assert.Matches("LV2 plugin 'lv2-ssphost-test-crash' .*ends the process it is tried in: .*it plays silence, the rest plays", host.Text);
        Assert.Contains("LV2 plugin 'lv2-ssphost-test-endless' (urn:ssphost-test:endless): it does not come back within", host.Text, StringComparison.Ordinal);
        Assert.Contains("module 'gone': there is no LV2 plugin 'lv2-nobody-echo' on this system: it plays silence", host.Text, StringComparison.Ordinal);
        Assert.Matches("LV2 plugin 'lv2-ssphost-test-late' .*memory fault.*knobs at their upper ends.*it plays silence", host.Text); // never at its defaults
        Assert.Equal(0f, Peak(host, 1));
        EngineProcessTests.AssertHeapStoodStill(host.Look);
        host.End();
    }

    [Fact]
    public unsafe void What_a_plugin_mallocs_is_in_the_region_and_its_own_and_what_it_mallocs_while_it_plays_is_counted()
    {
        using var host = Play(
            """{"id":"tone","type":"lv2-ssphost-test-gain"},{"id":"bad","type":"lv2-ssphost-test-malloc"},{"id":"out","type":"audio-out"}""",
            """{"from":"tone.out","to":"out.in1"},{"from":"bad.out","to":"out.in1"}""");
        InstanceRecord Record(string name)
        {
            var types = host.Look.ReadDescriptors();
            for (var slot = 0; slot < Limits.MaxInstances; slot++)
            {
                var record = host.Look.Map.Instances[slot];
                if (record.State == InstanceState.Active && types[record.Module].Id == name) return record;
            }

            return default;
        }

        Eventually.True(() => Record("lv2-ssphost-test-gain").HeapBytes >= 100_000, "its heap is told");
        Assert.Equal(64, Record("lv2-ssphost-test-gain").LatencyFrames);
        Assert.Equal(0UL, Record("lv2-ssphost-test-gain").HeapCalls);
        Eventually.True(() => Record("lv2-ssphost-test-malloc").HeapCalls > 10, "its calls are counted");
        host.End();
    }

    private static unsafe float Peak(PlayingHost host, int jack)
    {
        var audio = host.Audio;
        return audio.OutputPeaks[jack];
    }

    private PlayingHost Play(string modules, string cables)
    {
        var bundle = Directory.CreateDirectory(Path.Combine(_files.File("lv2"), "test.lv2")).FullName;
        var source = Path.Combine(Executables.Root, "tests", "SspHost.Lv2.Tests", "bundle");
        File.Copy(Path.Combine(source, "manifest.ttl"), Path.Combine(bundle, "manifest.ttl"));
        using (var cc = Process.Start("cc", ["-shared", "-fPIC", "-O2", Path.Combine(source, "test.c"), "-o", Path.Combine(bundle, "test.so")]))
        {
            cc.WaitForExit();
            Assert.Equal(0, cc.ExitCode);
        }

        var config = _files.File("ssp.json");
        File.WriteAllText(config, new JsonObject { ["lv2"] = new JsonObject { ["path"] = _files.File("lv2") } }.ToJsonString());
        var patch = _files.File("patch.json");
        File.WriteAllText(patch, $$"""{"format":1,"id":"lv2","modules":[{{modules}}],"cables":[{{cables}}]}""");
        return new PlayingHost(patch, "--config", config);
    }
}
