// The renderer as the audio loop calls it: a handle in the region instead of an object, so that the loop stays a struct.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Graph;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Service;

/// <summary>A renderer behind a GC handle. Reading the handle is one load; nothing is allocated after it was made. [start-up]</summary>
public readonly unsafe struct RendererQuantum(Renderer renderer, RegionMap map) : IQuantum
{
    private readonly Histogram* _join = map.Histogram(HistogramKind.Join);
    private readonly Histogram* _swap = map.Histogram(HistogramKind.Swap);
    private readonly Histogram* _swapQuantum = map.Histogram(HistogramKind.SwapQuantum);
    private readonly nint _handle = GCHandle.ToIntPtr(GCHandle.Alloc(renderer));

    /// <summary>The renderer.</summary>
    public Renderer Renderer => (Renderer)GCHandle.FromIntPtr(_handle).Target!;

    public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
    {
        var r = Renderer;
        var start = CycleClock.Now();
        r.Begin(start);
        if (!r.Render(inputs, inputCount, outputs, outputCount, frame)) return false;
        if (r.LastSwap != 0)
        {
            _swap->Record(r.LastSwap);
            _swapQuantum->Record(CycleClock.ToNanoseconds(CycleClock.Now() - start));
        }

        return Joined(r);
    }

    public bool Resume(float** inputs, int inputCount, float** outputs, int outputCount)
    {
        var r = Renderer;
        return r.Resume(inputs, inputCount, outputs, outputCount) && Joined(r);
    }

    private bool Joined(Renderer r)
    {
        r.End();
        if (r.HasWorkers) _join->Record(r.LastJoin);
        return true;
    }

    public void Judge(bool late) => Renderer.Judge(late);

    public void Report(ref AudioStatus status)
    {
        var r = Renderer;
        status.PlanSerial = r.PlanSerial;
        status.BadOutputs = r.BadOutputs;
        status.DroppedEvents = r.DroppedEvents;
        status.LateEvents = r.LateEvents;
        status.Quanta = r.Quanta;
        status.Window = r.Window;
        status.Settled = r.IsSettledDown ? 1 : 0;
    }

    public Culprit Culprit() => Renderer.Culprit();
}
