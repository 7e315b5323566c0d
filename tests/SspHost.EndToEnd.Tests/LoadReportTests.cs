// From a dropout in a host that plays to the page that shows it.
using SspHost.Abi.Link;
using SspHost.Diagnostics.Html;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class LoadReportTests
{
    private const int SigStop = 19, SigCont = 18;

    [Fact]
    public async Task A_dropout_is_marked_at_its_quantum_with_what_every_thread_did_around_it()
    {
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        Eventually.True(() => host.Audio.Quanta > 3000, "some quanta");
        var before = host.Audio;
        for (var i = 0; i < 50 && host.Audio.Dropouts == before.Dropouts; i++)
        {
            using var engine = EngineProcess.Open(host.Look.Process!.Pid)!;
            _ = engine.Signal(SigStop); // the whole engine stands still for longer than its buffer lasts
            Thread.Sleep(100);
            _ = engine.Signal(SigCont);
            Thread.Sleep(300);
        }

        Assert.True(host.Audio.Dropouts > before.Dropouts, "frames were lost");
        var file = Path.Combine(host.Directory, "now.ssploads");
        LoadRun? run = null;
        for (var i = 0; run == null || (i < 200 && !run.Marks.Any(m => m.Kind == LoadMarkKind.Dropout && m.Quantum >= before.Quanta)); i++)
        {
            Thread.Sleep(100); // incidents are fetched twenty times a second, zones ten times
            var told = await Executables.Run(Executables.Ssp, host.Directory, "report", "--loads", "-o", file);
            Assert.True(told.ExitCode == 0, told.ToString());
            run = LoadRunFile.Read(file);
        }

        Assert.Equal((48_000, host.Audio.Quantum), (run.Rate, run.Quantum));
        Assert.True(run.Loads.Length > 2500 && run.FirstQuantum + (ulong)run.Loads.Length <= host.Audio.Quanta, "as many quanta as there were");
        Assert.All(run.Loads.ToArray(), l => Assert.True(LoadCode.Decode(l) < 1000));
        var mark = run.Marks.First(m => m.Kind == LoadMarkKind.Dropout && m.Quantum >= before.Quanta); // another one before is the machine's
        Assert.InRange(mark.Quantum, before.Quanta, host.Audio.Quanta);
        Assert.True(mark.LostFrames > 0 && mark.Text.Length > 0);
        var spike = Assert.Single(run.Spikes, s => s.Quantum == mark.Quantum);
        Assert.Contains(spike.Zones, z => z.Kind == "module" && z.Name.Length > 0 && z.Thread == "audio");
        Assert.Contains(run.Modules, m => m.Buckets.Sum(b => (double)b.Count) > 2000);

        var page = Path.Combine(host.Directory, "load.html");
        var made = await Executables.Run(Executables.Ssp, host.Directory, "report", "--html", "-o", page, "--compare", file);
        Assert.True(made.ExitCode == 0, made.ToString());
        Assert.Contains("<html", await File.ReadAllTextAsync(page), StringComparison.Ordinal);
        Assert.Equal([file, page], Directory.GetFiles(host.Directory, "*.*").Where(f => f.Contains("load", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Reverse());
        host.End();
    }
}
