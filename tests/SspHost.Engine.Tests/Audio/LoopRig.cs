// What surrounds an audio loop in the region, in plain memory; and a renderer that does what a test wrote down.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

/// <summary>
/// Output 0 counts frames (frame f is f + 1 volts), output 1 is input 0, further outputs are a constant 5 V. Rendering takes as long as
/// the script says.
/// </summary>
internal unsafe struct ScriptedQuantum : IQuantum
{
    public const float Constant = 5f;

    public int Quantum;
    public VirtualTime* Time;
    public ulong* CostNs;
    public long Costs;
    public long Calls;
    public long Reports;
    public ulong LastFrame;

    public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
    {
        for (var j = 0; j < outputCount; j++)
        {
            for (var i = 0; i < Quantum; i++)
                outputs[j][i] = j == 0 ? frame + (ulong)i + 1 : j == 1 ? (inputCount > 0 ? inputs[0][i] : 0) : Constant;
        }

        if (Time != null && Calls < Costs) Time->Now += CostNs[Calls];
        Calls++;
        LastFrame = frame;
        return true;
    }

    public readonly bool Resume(float** inputs, int inputCount, float** outputs, int outputCount) => throw new NotSupportedException("nobody is stuck here");

    public readonly void Judge(bool late)
    {
    }

    public void Report(ref AudioStatus status)
    {
        Reports++;
        status.PlanSerial = 42;
    }

    /// <summary>A module named after the call that took so long.</summary>
    public readonly Culprit Culprit() => new() { Slot = 3, Key = (ulong)Calls, Nanoseconds = Calls <= Costs ? CostNs[Calls - 1] : 0 };
}

/// <summary>Everything a loop writes to, and where a test reads it.</summary>
internal sealed unsafe class LoopRig : IDisposable
{
    private readonly List<nint> _blocks = [];

    public LoopRig(int quantum)
    {
        Time = Zeroed<VirtualTime>(1);
        Render = Zeroed<ScriptedQuantum>(1);
        Render->Quantum = quantum;
        Render->Time = Time;
        var notices = (byte*)Block((nuint)SpscRing<Notice>.BytesFor(1 << 14));
        Setup = new AudioLoopSetup
        {
            Quantum = quantum,
            FadeIn = 0,
            Threads = 1,
            Header = Zeroed<RegionHeader>(1),
            Histograms = Zeroed<Histogram>((int)HistogramKind.Count),
            Records = Zeroed<ThreadRecord>(Limits.MaxThreads),
            Status = Zeroed<Seqlock<AudioStatus>>(1),
            Notices = SpscRing<Notice>.Create(notices, 1 << 14),
            LastIncident = Zeroed<ulong>(1),
            Buffers = (byte*)Block(AudioLoop.BufferBytes),
            Taps = Zeroed<RecordTaps>(1),
            Loads = (LoadRing*)Block((nuint)LoadRing.Bytes),
        };
    }

    /// <summary>Hangs in a recording of output 1 and input 1.</summary>
    public RecordRing* Record(int capacity)
    {
        var ring = (RecordRing*)Block((nuint)RecordRing.BytesFor(2, capacity));
        (ring->Channels, ring->Capacity) = (2, capacity);
        ring->Jacks[1] = RecordRing.Input;
        Assert.True(RecordTap.TryMake(ring, RecordRing.BytesFor(2, capacity), out var tap));
        RecordTaps.Use(Setup.Taps, tap);
        return ring;
    }

    public VirtualTime* Time { get; }

    public ScriptedQuantum* Render { get; }

    public AudioLoopSetup Setup;

    public AudioStatus Status => Setup.Status->TryRead(out var s) ? s : throw new InvalidOperationException("torn status");

    public Histogram* Histogram(HistogramKind kind) => Setup.Histograms + (int)kind;

    /// <summary>The loads of all blocks so far.</summary>
    public ushort[] Loads()
    {
        ulong next = 0;
        var all = new ushort[LoadRing.Capacity];
        var count = LoadRing.Read(Setup.Loads, ref next, all, out var missed);
        Assert.Equal(0UL, missed);
        return all[..count];
    }

    public T* Zeroed<T>(long count) where T : unmanaged => (T*)Block((nuint)(count * sizeof(T)));

    public void Script(params ReadOnlySpan<ulong> costNs)
    {
        Render->CostNs = Zeroed<ulong>(Math.Max(1, costNs.Length));
        Render->Costs = costNs.Length;
        costNs.CopyTo(new Span<ulong>(Render->CostNs, costNs.Length));
    }

    /// <summary>Jacks of a simulated card: what it plays is NaN until written.</summary>
    public SimulatedJacks Jacks(long frames, int inputs, int outputs)
    {
        var jacks = new SimulatedJacks { Frames = frames, Source = Zeroed<float>(Math.Max(1, frames * inputs)), Played = Zeroed<float>(Math.Max(1, frames * outputs)) };
        new Span<float>(jacks.Played, checked((int)(frames * outputs))).Fill(float.NaN);
        return jacks;
    }

    public List<Notice> TakeNotices()
    {
        List<Notice> taken = [];
        while (Setup.Notices.TryPop(out var n)) taken.Add(n);
        return taken;
    }

    public void Dispose()
    {
        foreach (var block in _blocks) NativeMemory.AlignedFree((void*)block);
    }

    private void* Block(nuint bytes)
    {
        var block = NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(block, bytes);
        _blocks.Add((nint)block);
        return block;
    }
}
