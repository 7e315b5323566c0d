// An engine whose audio stands still without having died: it is ended and started anew, unless somebody debugs it.
using System.Runtime.InteropServices;
using SspHost.Abi.Link;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed partial class StandingEngineTests
{
    private const int SigStop = 19, SigCont = 18;

    [Fact]
    public void It_is_ended_and_the_patch_plays_in_a_new_one()
    {
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        var engine = host.Look.Process!.Pid;
        _ = host.Look.Process.Signal(SigStop);
        host.WaitForNextEngine();
        Assert.NotEqual(engine, host.Look.Process!.Pid);
        Eventually.True(() => host.Text.Contains("the engine died (stood still for 3 s and was ended); starting it again", StringComparison.Ordinal), host.Text);
        host.End();
    }

    [Fact]
    public void One_that_is_debugged_may_stand_for_as_long_as_it_takes()
    {
        const nint Seize = 0x4206, Detach = 17;
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        using var engine = EngineProcess.Open(host.Look.Process!.Pid)!;
        var answers = (nint.MinValue, nint.MinValue);
        var debugger = new Thread(() => // whoever traced a process must be the one to let go of it
        {
            _ = engine.Signal(SigStop);
            answers.Item1 = PTrace(Seize, engine.Pid, 0, 0);
            Thread.Sleep(6000); // twice the time after which it is ended else
            answers.Item2 = PTrace(Detach, engine.Pid, 0, 0);
            _ = engine.Signal(SigCont);
        });
        debugger.Start();
        debugger.Join();
        Assert.Equal((0, 0), answers);
        Assert.False(engine.HasExited, host.Text);
        var quanta = host.Audio.Quanta;
        Eventually.True(() => host.Audio.Quanta > quanta + 100, "it plays on");
        Assert.DoesNotContain("the engine died", host.Text, StringComparison.Ordinal);
        host.End();
    }

    [LibraryImport("libc", EntryPoint = "ptrace")]
    private static partial nint PTrace(nint request, nint tid, nint address, nint data);
}
