// An audio thread's whole wake-up without a card's time: wait, quantum, account, status, as often as it can.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Service;

namespace SspHost.EngineHost.Bench;

/// <summary>One renderer on one thread behind the real audio loop, on a card whose clock leaps to the next quantum.</summary>
internal sealed unsafe class DiagnosticsBenchRig : IDisposable
{
    private readonly GraphBenchRig _graph = new();
    private readonly byte* _memory;
    private readonly AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>* _loop;
    private readonly SpscRing<TraceEvent> _trace;

    /// <summary>So many empty modules in a chain, so that nothing hides what is added; 0: no plan.</summary>
    public DiagnosticsBenchRig(int modules)
    {
        if (modules > 0) _graph.Start(GraphBenchPlan.Chain(modules), 1);
        else _graph.Configure();
        if (!_graph.Renderer.OpenTrace(0, 0) || !_graph.Map.TryTrace(0, out _trace)) throw new InvalidOperationException("bench: no memory for a trace");
        var bytes = sizeof(AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>) + sizeof(RendererQuantum) + sizeof(VirtualTime) + AudioLoop.BufferBytes + 256;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(_memory, bytes).Clear();
        _loop = (AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>*)(_memory + AudioLoop.BufferBytes);
        var quantum = (RendererQuantum*)(_loop + 1);
        var time = (VirtualTime*)(quantum + 1);
        *quantum = new RendererQuantum(_graph.Renderer, _graph.Map);
        var config = new AudioConfig { Rate = (int)GraphBenchRig.Rate, Quantum = GraphBenchRig.Quantum, Period = GraphBenchRig.Quantum, Periods = 2, Outputs = 2 };
        *_loop = new(new SimulatedCard<VirtualClock>(new VirtualClock(time), config), quantum, _graph.Loop(GraphBenchRig.Quantum, _memory));
        if (!_loop->Begin()) throw new InvalidOperationException("bench: the simulated card does not start");
    }

    public DiagnosticFlags Flags
    {
        set => _graph.Renderer.Diagnostics = value;
    }

    /// <summary>One wake-up of one quantum.</summary>
    public void Step() => _ = _loop->Step();

    /// <summary>Takes what was traced, as the drain thread of a control process would; how many events, and how many were lost before.</summary>
    public (long Events, ulong Dropped) Drain()
    {
        var events = 0L;
        for (; _trace.TryPop(out _); events++)
        {
        }

        return (events, _trace.Dropped);
    }

    public void Dispose()
    {
        _graph.Dispose();
        NativeMemory.AlignedFree(_memory);
    }
}
