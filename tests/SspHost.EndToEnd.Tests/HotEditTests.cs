// Both executables: a patch is edited and replaced over the control socket while it plays, and everything is as before when it is over.
using System.Diagnostics;
using System.Text.Json.Nodes;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class HotEditTests : IDisposable
{
    private readonly Runtime _runtime = new();

    public void Dispose() => _runtime.Dispose();

    [Fact]
    public void Edits_and_whole_patches_come_and_go_while_it_plays_and_leave_nothing_behind()
    {
        using var ssp = Executables.Start(Executables.Ssp, _runtime.Directory, ["run", Executables.Patch("acid-line"), "--device", "sim", .. Executables.NoPanel]);
        var lines = Executables.Follow(ssp);
        try
        {
            using var control = new Control(_runtime.File("control.sock"));
            using var look = Playing(lines);
            var before = Settled(look, control);
            long bytes = 0;
            for (var round = 0; round < 3; round++)
            {
                foreach (var other in new[] { "tape-room", "slow-drone", "clockwork-drums", "acid-line" })
                {
                    control.Ask(new JsonObject { ["command"] = "load", ["path"] = Executables.Patch(other), ["wait"] = false });
                    for (var i = 0; i < 20; i++)
                    {
                        foreach (var edit in Detour(control, i)) control.Ask(new JsonObject { ["command"] = "edit", ["edits"] = edit, ["wait"] = false });
                    }
                }

                Assert.Equal(before.Modules, Settled(look, control).Modules);
                var steward = EngineProcessTests.StatusFromNow(look);
                if (round == 1) bytes = steward.PoolLive; // samples and shared tables of every patch have been there once
                if (round == 2) Assert.Equal(bytes, steward.PoolLive);
            }

            EngineProcessTests.AssertHeapStoodStill(look);
            Assert.False(ssp.HasExited);
        }
        finally
        {
            ssp.Kill();
            ssp.WaitForExit();
        }
    }

    [Fact]
    public void An_edit_that_needs_another_quantum_and_more_memory_than_there_is_leaves_the_patch_playing()
    {
        using var ssp = Executables.Start(Executables.Ssp, _runtime.Directory, ["run", Executables.Patch("acid-line"), "--device", "sim", "--region-mib", "64", .. Executables.NoPanel]);
        var lines = Executables.Follow(ssp);
        try
        {
            using var control = new Control(_runtime.File("control.sock"));
            using var look = Playing(lines);
            Assert.True(look.TryAudio(out var before));
            var edits = new JsonArray(new JsonObject { ["op"] = "quantum", ["quantum"] = before.Quantum * 2 });
            for (var i = 0; i < 16; i++)
            {
                edits.Add(new JsonObject { ["op"] = "add", ["add"] = new JsonObject { ["id"] = $"long{i}", ["type"] = "delay" } });
                edits.Add(new JsonObject { ["op"] = "setting", ["module"] = $"long{i}", ["setting"] = "longest", ["value"] = 5 });
                edits.Add(new JsonObject { ["op"] = "setting", ["module"] = $"long{i}", ["setting"] = "channels", ["value"] = 8 });
            }

            var refused = control.Send(new JsonObject { ["command"] = "edit", ["edits"] = edits });
            Assert.False((bool)refused["ok"]!, refused.ToJsonString());
            Assert.Contains("largest block", (string)refused["error"]!["message"]!, StringComparison.Ordinal);
            Eventually.True(() => look.State == EngineState.Playing && look.TryAudio(out var a) && a.Quantum == before.Quantum && a.Frames > 1000, "it plays as before\n" + lines.Text);
            Eventually.True(() => Peak(look) > 0.1f, "and is heard");
            EngineProcessTests.AssertHeapStoodStill(look);
        }
        finally
        {
            ssp.Kill();
            ssp.WaitForExit();
        }
    }

    private static unsafe float Peak(EngineLink look) => look.TryAudio(out var a) ? Math.Max(a.OutputPeaks[0], a.OutputPeaks[1]) : 0;

    // Edits that cancel each other: the first one's ramps are under way when the next one comes.
    private static IEnumerable<JsonNode> Detour(Control control, int turn)
    {
        var patch = control.Ask(new JsonObject { ["command"] = "patch" })["patch"]!;
        var cables = patch["cables"]!.AsArray();
        var modules = patch["modules"]!.AsArray();
        var cable = cables[turn % cables.Count]!;
        var (from, to) = ((string)cable["from"]!, (string)cable["to"]!);
        var gain = (float?)cable["gain"] ?? 1;
        var module = (string)modules[turn % modules.Count]!["id"]!;
        yield return new JsonObject { ["op"] = "gain", ["from"] = from, ["to"] = to, ["gain"] = gain / 2 };
        yield return new JsonObject { ["op"] = "bypass", ["module"] = module, ["on"] = true };
        yield return new JsonObject { ["op"] = "duplicate", ["module"] = module, ["as"] = "twin", ["inputs"] = true };
        yield return new JsonObject { ["op"] = "remove", ["module"] = "twin" };
        yield return new JsonObject { ["op"] = "bypass", ["module"] = module, ["on"] = false };
        yield return new JsonObject { ["op"] = "gain", ["from"] = from, ["to"] = to, ["gain"] = gain };
    }

    // An echo may ring for twenty seconds; while audio stands nothing rings.
    private static (int Modules, int Instances) Settled(EngineLink look, Control control)
    {
        control.Ask(new JsonObject { ["command"] = "stop" });
        var modules = control.Ask(new JsonObject { ["command"] = "patch" })["patch"]!["modules"]!.AsArray().Count;
        StewardStatus steward = default;
        Eventually.True(
            () => look.TrySteward(out steward) && steward.Instances == modules,
            "only the patch is left in the engine");
        control.Ask(new JsonObject { ["command"] = "start" });
        return (modules, steward.Instances);
    }

    private EngineLink Playing(Lines lines)
    {
        EngineLink? link = null;
        Eventually.True(
            () =>
            {
                try
                {
                    link ??= EngineLink.Look(_runtime.Directory);
                    return link.State == EngineState.Playing && link.TryAudio(out var a) && a.PlanSerial != 0 && a.Quanta > 50;
                }
                catch (Exception e) when (e is EngineGoneException or IOException or InvalidDataException)
                {
                    return false;
                }
            },
            "a plan plays\n" + lines.Text);
        return link!;
    }
}
