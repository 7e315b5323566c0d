// The front panel: a full redraw of each page, and a frame of forty modules while every level moves.
using BenchmarkDotNet.Attributes;
using SspHost.Panel;
using SspHost.Panel.Tests.Kit;

namespace SspHost.Benchmarks;

/// <summary>A panel on a busy host, with one page in view.</summary>
public abstract class PanelBenchmark
{
    public abstract string Page { get; set; }

    private protected TestHost Host { get; private set; } = null!;

    private protected FrontPanel Panel { get; private set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        Host = BusyHost.Make();
        Panel = new FrontPanel(Host);
        Panel.Go(Page);
        _ = Panel.Draw();
        Host.FilesStand = true;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        Panel.Dispose();
        Host.Dispose();
    }
}

/// <summary>A page drawn whole; at most 8 ms on a core of 2 to 3 GHz.</summary>
[Allocates(0)]
public class PanelRedrawBenchmarks : PanelBenchmark
{
    [Params("patch", "add", "connect", "module", "scenes", "jacks", "scope", "files", "system", "settings")]
    public override string Page { get; set; } = "patch";

    [Benchmark]
    public int Redraw()
    {
        Panel.DrawAll();
        return Panel.Draw().Length;
    }
}

/// <summary>The next frame of a page while every level moves; at most 2 ms.</summary>
[Allocates(0)]
public class PanelFrameBenchmarks : PanelBenchmark
{
    private int _frame;

    [Params("patch", "jacks", "scope")]
    public override string Page { get; set; } = "patch";

    [Benchmark]
    public int Frame()
    {
        BusyHost.Move(Host, _frame++);
        return Panel.Draw().Length;
    }
}
