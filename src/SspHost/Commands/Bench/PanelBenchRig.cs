// A panel over a host that plays, with a screen that is memory and controls that are this program: what benchmarks of the panel measure.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Panel.Surface;
using SspHost.Patching;
using SspHost.Playing;
using SspHost.Remote.Web;

namespace SspHost.Commands;

/// <summary>The host that `ssp run` makes, in a directory of its own, on a simulated card; with everything that a playing host does beside.</summary>
internal sealed class PanelBenchRig : IDisposable
{
    private const int TickMs = 50, ReportMs = 1000;

    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-").FullName;
    private readonly ManualResetEventSlim _ending = new();
    private readonly PanelMemory _memory;
    private readonly Thread _thread;

    /// <summary>Forty modules.</summary>
    /// <param name="audio">The card and its threads.</param>
    /// <param name="periods">Periods of the card's buffer.</param>
    public PanelBenchRig(AudioSetup audio, int periods)
        : this(
            new HostOptions
            {
                Runtime = "", Setup = audio with { Periods = periods, Outputs = AudioSetup.PanelOutputs, Inputs = AudioSetup.PanelInputs }, RegionMib = 256,
                Say = Console.Error.WriteLine,
            },
            OpenForty)
    {
    }

    /// <summary>A host that plays what <paramref name="open"/> puts into it: that says why not, or null. Its runtime directory is the rig's.</summary>
    public PanelBenchRig(HostOptions options, Func<PatchHost, string?> open)
    {
        Host = new PatchHost(options with { Runtime = _directory, Bound = true, Libraries = options.Libraries is { } l ? (l.Directories, Path.Combine(_directory, "libraries")) : null });
        _memory = new PanelMemory(Path.Combine(_directory, "panel"), Console.Error.WriteLine);
        _thread = new Thread(Run) { Name = "host", IsBackground = true };
        try
        {
            Host.Start();
            if (open(Host) is { } refused) throw new CommandException(refused);
            if (Host.Play() is { } why) throw new CommandException(why);
        }
        catch
        {
            End();
            throw;
        }

        Panel = new PanelHost(Host, new PresetLibrary(null, Path.Combine(_directory, "presets")), new LogLines(), _memory, Console.Error.WriteLine);
        _thread.Start();
    }

    /// <summary>The patch of forty modules.</summary>
    public static string? OpenForty(PatchHost host) => host.Session.Apply(new ReplacePatch(BenchPatch.Forty(host.Modules)))?.ToString();

    /// <summary>Its runtime directory.</summary>
    public string Runtime => _directory;

    public PatchHost Host { get; }

    public PanelHost Panel { get; }

    /// <summary>Runs the panel on its thread, with browsers that look on if there are any. Dispose it before this.</summary>
    public PanelLoop Loop(IControls controls, IScreen screen, Action<FrontPanel> made, PanelViewers? viewers = null)
    {
        PanelLoop? loop = null;
        Panel.OnPanel = call => Volatile.Read(ref loop)?.Call(call);
        var started = PanelLoop.Start(
            () =>
            {
                var panel = new FrontPanel(Panel);
                made(panel);
                return panel;
            },
            viewers == null ? [controls] : [controls, viewers],
            viewers == null ? [screen] : [screen, viewers],
            e => Console.Error.WriteLine($"defect: the panel failed: {e.Message}"));
        Volatile.Write(ref loop, started);
        return started;
    }

    public AudioStatus Audio => Host.Slot.Use(link => link.TryAudio(out var a) ? a : throw new EngineGoneException("the engine does not play"));

    public void Dispose()
    {
        _ending.Set();
        _thread.Join();
        End();
        _ending.Dispose();
    }

    private void End()
    {
        Host.End();
        Host.Dispose();
        _memory.Dispose();
        try
        {
            Directory.Delete(_directory, recursive: true);
        }
        catch (IOException)
        {
            // The system clears its temporary files.
        }
    }

    // As `ssp run` does.
    private void Run()
    {
        for (var (tick, perReport) = (1, ReportMs / TickMs); !_ending.Wait(TickMs); tick++)
        {
            Host.Look();
            if (Host.Session.Pump() is { } stuck) Console.Error.WriteLine(stuck);
            _ = Host.TakeNotices();
            if (tick % perReport == 0) _ = Host.Take();
        }
    }
}

/// <summary>Controls that this program turns.</summary>
internal sealed class BenchControls : IControls
{
    private IControlSink? _sink;

    public string Name => "bench";

    public void Start(IControlSink sink) => _sink = sink;

    /// <summary>A detent; CLOCK_MONOTONIC of the moment it was put.</summary>
    public ulong Turn(Control encoder, int by)
    {
        var now = Linux.Now();
        _sink!.Put(new ControlEvent(encoder, ControlAction.Turn, by, now));
        return now;
    }

    public void Dispose()
    {
    }
}

/// <summary>Memory, as a screen's: takes every frame, and says when a part of the picture became another.</summary>
internal sealed unsafe class BenchScreen : IScreen
{
    private readonly uint* _memory = (uint*)NativeMemory.AllocZeroed(PanelSize.Width * PanelSize.Height, sizeof(uint));
    private ulong _changes, _changedAt, _frames, _drawn;

    /// <summary>Whether it is looked at: without, nothing is drawn.</summary>
    public volatile bool On = true;

    /// <summary>What is compared with what was there before; empty: nothing. Set before the panel runs.</summary>
    public Rect Watched { get; init; }

    /// <summary>Frames in which a pixel of <see cref="Watched"/> changed.</summary>
    public ulong Changes => Volatile.Read(ref _changes);

    /// <summary>CLOCK_MONOTONIC of the last of them, with all of its pixels in the memory.</summary>
    public ulong ChangedAt => Volatile.Read(ref _changedAt);

    /// <summary>Frames drawn, those in which nothing had changed included, and those that were shown.</summary>
    public ulong Drawn => Volatile.Read(ref _drawn);

    /// <inheritdoc cref="Drawn"/>
    public ulong Frames => Volatile.Read(ref _frames);

    /// <summary>Asked once a frame that was drawn, which is what is counted here.</summary>
    public bool Forgot
    {
        get
        {
            Volatile.Write(ref _drawn, _drawn + 1);
            return false;
        }
    }

    public string Name => "bench";

    public bool Ready => On;

    public void Show(in Frame frame, ReadOnlySpan<Rect> changed)
    {
        var differs = false;
        foreach (var rect in changed)
        {
            differs = differs || Differs(in frame, rect.And(Watched));
            for (var y = rect.Y; y < rect.Bottom; y++) frame.Row(y).Slice(rect.X, rect.Width).CopyTo(Row(y, rect));
        }

        Volatile.Write(ref _frames, _frames + 1);
        if (!differs) return;
        Volatile.Write(ref _changedAt, Linux.Now());
        Volatile.Write(ref _changes, _changes + 1);
    }

    public void Dispose() => NativeMemory.Free(_memory);

    private bool Differs(in Frame frame, Rect r)
    {
        if (r.IsEmpty) return false;
        for (var y = r.Y; y < r.Bottom; y++)
        {
            if (!frame.Row(y).Slice(r.X, r.Width).SequenceEqual(Row(y, r))) return true;
        }

        return false;
    }

    private Span<uint> Row(int y, Rect r) => new(_memory + (y * PanelSize.Width) + r.X, r.Width);
}
