// The front panel: a full redraw of each page, and a frame of forty modules while every level moves.
using BenchmarkDotNet.Attributes;
using SspHost.Panel;
using SspHost.Panel.Tests.Kit;

namespace SspHost.Benchmarks;

/// <summary>A page drawn whole; at most 8 ms on a core of 2 to 3 GHz.</summary>
public class PanelRedrawBenchmarks
{
    private TestHost _host = null!;
    private FrontPanel _panel = null!;

    [Params("patch", "add", "connect", "module", "scenes", "jacks", "scope", "files", "system", "settings")]
    public string Page { get; set; } = "patch";

    [GlobalSetup]
    public void Setup()
    {
        _host = BusyHost.Make();
        _panel = new FrontPanel(_host);
        _panel.Go(Page);
        _ = _panel.Draw();
        _host.FilesStand = true;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _panel.Dispose();
        _host.Dispose();
    }

    [Benchmark]
    public int Redraw()
    {
        _panel.DrawAll();
        return _panel.Draw().Length;
    }
}

/// <summary>The next frame of a page while every level moves; at most 2 ms.</summary>
public class PanelFrameBenchmarks
{
    private TestHost _host = null!;
    private FrontPanel _panel = null!;
    private int _frame;

    [Params("patch", "jacks", "scope")]
    public string Page { get; set; } = "patch";

    [GlobalSetup]
    public void Setup()
    {
        _host = BusyHost.Make();
        _panel = new FrontPanel(_host);
        _panel.Go(Page);
        _ = _panel.Draw();
        _host.FilesStand = true;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _panel.Dispose();
        _host.Dispose();
    }

    [Benchmark]
    public int Frame()
    {
        BusyHost.Move(_host, _frame++);
        return _panel.Draw().Length;
    }
}
