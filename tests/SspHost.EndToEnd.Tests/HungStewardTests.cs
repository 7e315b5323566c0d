// A module that does not come back from being made, or from work: the patch plays on, it is said, and an engine that stays so is started anew.
using SspHost.Abi;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed unsafe class HungStewardTests
{
    private const ulong Second = 1_000_000_000;

    [Fact]
    public void It_is_said_after_two_seconds_while_the_patch_plays_on_and_forgotten_when_it_comes_back()
    {
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        Pretend(host, "slow", ago: 3 * Second);
        Eventually.True(() => host.Text.Contains("'slow' has not come back for 3 s", StringComparison.Ordinal), "it is said\n" + host.Text);
        var quanta = host.Audio.Quanta;
        Volatile.Write(ref host.Look.Map.Header->StewardSince, 0);
        Eventually.True(() => host.Audio.Quanta > quanta + 1000, "the patch plays on");
        Assert.DoesNotContain("the engine died", host.Text, StringComparison.Ordinal);
        host.End();
    }

    [Fact]
    public void An_engine_whose_steward_hangs_is_started_anew_and_the_module_is_named()
    {
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        var engine = host.Look.Process!.Pid;
        Pretend(host, "stubborn", ago: 11 * Second);
        host.WaitForNextEngine();
        Assert.NotEqual(engine, host.Look.Process!.Pid);
        Eventually.True(() => host.Text.Contains("the engine died (hung in a module for 10 s and was ended); it was running 'stubborn'", StringComparison.Ordinal), host.Text);
        Assert.False(host.Look.Process.HasExited);
        host.End();
    }

    // What the steward writes when it goes into a module. No module of the catalogue hangs, so the region is written instead.
    private static void Pretend(PlayingHost host, string name, ulong ago)
    {
        var header = host.Look.Map.Header;
        header->StewardKey = 0;
        header->StewardModule = 0;
        var text = new Span<byte>(header->StewardName, InstanceRecord.NameBytes);
        text.Clear();
        System.Text.Encoding.UTF8.GetBytes(name, text);
        Volatile.Write(ref header->StewardSince, Linux.Now() - ago);
    }
}
