// A patch behind the real audio loop on a card whose time is the test's, with a trace of every thread.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Service;
using SspHost.Engine.Tests.Audio;
using SspHost.Engine.Tests.Graph;

namespace SspHost.Engine.Tests.Probes;

internal sealed unsafe class TraceRig : IDisposable
{
    public const int Quantum = 32, Rate = 50_000;
    private readonly LoopRig _around = new(Quantum);
    private readonly AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>* _loop;

    /// <summary>So many quanta a wake-up; <paramref name="traced"/>: the threads have rings.</summary>
    public TraceRig(byte[] patch, int threads, long frames, int period = Quantum, bool traced = true)
    {
        Graph = new Rig(Quantum, threads, Rate, startWorkers: false, poolBytes: 48L << 20);
        for (var t = 0; traced && t < threads; t++) Assert.True(Graph.Renderer.OpenTrace(t, t + 5));
        Graph.Install(patch);
        Graph.Renderer.Running = true;
        for (var t = 1; t < threads; t++) Graph.StartWorker(t);
        Jacks = _around.Jacks(frames, 0, 2);
        var setup = _around.Setup;
        setup.Tape = Graph.Renderer.AudioTape;
        setup.Threads = threads;
        setup.Records = Graph.Map.Threads;
        setup.Histograms = Graph.Map.Histogram(HistogramKind.Quantum);
        var quantum = _around.Zeroed<RendererQuantum>(1);
        *quantum = new RendererQuantum(Graph.Renderer, Graph.Map);
        _loop = _around.Zeroed<AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>>(1);
        var config = new AudioConfig { Rate = Rate, Quantum = Quantum, Period = period, Periods = 2, Outputs = 2 };
        *_loop = new(new SimulatedCard<VirtualClock>(new VirtualClock(_around.Time), config, Jacks), quantum, setup);
    }

    public Rig Graph { get; }

    public SimulatedJacks Jacks { get; }

    public VirtualTime* Time => _around.Time;

    public AudioStatus Status => _around.Status;

    public List<Notice> Notices() => _around.TakeNotices();

    public DiagnosticFlags Flags
    {
        set => Graph.Renderer.Diagnostics = value;
    }

    public void Begin() => Assert.True(_loop->Begin());

    public bool Step() => _loop->Step();

    public void Play(int wakeUps)
    {
        for (var i = 0; i < wakeUps; i++) Assert.True(_loop->Step());
    }

    public Span<float> Played => new(Jacks.Played, checked((int)Jacks.Frames * 2));

    public SpscRing<TraceEvent> Ring(int seat)
    {
        Assert.True(Graph.Map.TryTrace(seat, out var ring));
        return ring;
    }

    /// <summary>What a seat has written since it was last asked.</summary>
    public List<TraceEvent> Take(int seat)
    {
        var ring = Ring(seat);
        var events = new List<TraceEvent>();
        while (ring.TryPop(out var e)) events.Add(e);
        return events;
    }

    /// <summary>Zones of a thread nest or are disjoint, and events come in the order of their ends.</summary>
    public static void AssertSound(List<TraceEvent> events)
    {
        ulong last = 0;
        foreach (var e in events)
        {
            Assert.InRange(e.Kind, TraceKind.Quantum, TraceKind.Takeover);
            Assert.True(e.Ticks + e.Duration >= last, $"{e.Kind} of quantum {e.Quantum} ends before what was written before it");
            last = e.Ticks + e.Duration;
            if (e.Kind >= TraceKind.Faults) Assert.Equal(0u, e.Duration);
        }

        var open = new Stack<TraceEvent>();
        foreach (var e in events.Where(e => e.Kind < TraceKind.Faults).OrderBy(e => e.Ticks).ThenByDescending(e => e.Duration).ThenBy(e => Depth(e.Kind)))
        {
            while (open.Count > 0 && open.Peek().Ticks + open.Peek().Duration <= e.Ticks && !Holds(open.Peek(), e)) open.Pop();
            if (open.Count > 0) Assert.True(Holds(open.Peek(), e), $"{e.Kind} of quantum {e.Quantum} crosses the border of {open.Peek().Kind} of quantum {open.Peek().Quantum}");
            if (e.Kind is TraceKind.Quantum or TraceKind.Wait or TraceKind.Work) Assert.True(open.Count == 0, $"{e.Kind} lies in something");
            open.Push(e);
        }
    }

    private static bool Holds(TraceEvent outer, TraceEvent inner) =>
        Depth(outer.Kind) < Depth(inner.Kind) && inner.Ticks >= outer.Ticks && inner.Ticks + inner.Duration <= outer.Ticks + outer.Duration;

    private static int Depth(TraceKind kind) => kind is TraceKind.Quantum or TraceKind.Wait or TraceKind.Work ? 0 : 1;

    public void Dispose()
    {
        Graph.Dispose();
        _around.Dispose();
    }
}
