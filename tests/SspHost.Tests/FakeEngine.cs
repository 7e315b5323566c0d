// A region in this process with a thread that answers requests as a test says: what the link does when an engine misbehaves.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Tests;

internal sealed unsafe class FakeEngine : IDisposable
{
    private const int Bytes = 8 << 20;
    private const int PoolStart = 4 << 20;
    private const int TracedSeats = 2, TracedEvents = 4096;

    private readonly byte* _memory;
    private readonly Thread _thread;
    private readonly Dictionary<long, long> _granted = [];
    private long _next = PoolStart;
    private volatile bool _stop;

    /// <summary>Answers each request; null: no answer. Allocate and Free are done by <see cref="Serve"/>.</summary>
    public Func<FakeEngine, Request, Reply?> Answer { get; set; } = (engine, request) => engine.Serve(request);

    public FakeEngine()
    {
        _memory = (byte*)NativeMemory.AlignedAlloc(Bytes, 4096);
        new Span<byte>(_memory, Bytes).Clear();
        var header = (RegionHeader*)_memory;
        header->Layout = AbiVersion.Layout;
        header->HeaderBytes = (uint)sizeof(RegionHeader);
        header->Bytes = Bytes;
        header->State = (uint)EngineState.Stopped;
        var at = 4096L;
        long Take(long bytes)
        {
            var start = at;
            at = (at + bytes + 127) & ~127L;
            return start;
        }

        header->RequestsOffset = Take(SpscRing<Request>.BytesFor(8));
        header->RepliesOffset = Take(SpscRing<Reply>.BytesFor(8));
        header->EventsOffset = Take(SpscRing<ModuleEvent>.BytesFor(64));
        header->NoticesOffset = Take(SpscRing<Notice>.BytesFor(64));
        header->AudioStatusOffset = Take(sizeof(Seqlock<AudioStatus>));
        header->StewardStatusOffset = Take(sizeof(Seqlock<StewardStatus>));
        header->HistogramsOffset = Take(sizeof(Histogram) * (int)HistogramKind.Count);
        header->InstancesOffset = Take(sizeof(InstanceRecord) * Limits.MaxInstances);
        header->ThreadsOffset = Take(sizeof(ThreadRecord) * Limits.MaxThreads);
        header->ClockAnchorOffset = Take(sizeof(Seqlock<ClockAnchor>));
        header->TapsOffset = Take(SignalTap.Count * (long)sizeof(SignalTap));
        header->JacksOffset = Take(sizeof(JackBench));
        header->TraceRingsOffset = Take(sizeof(long) * Limits.MaxThreads);
        for (var seat = 0; seat < TracedSeats; seat++)
        {
            var ring = Take(SpscRing<TraceEvent>.BytesFor(TracedEvents));
            _ = SpscRing<TraceEvent>.Create(_memory + ring, TracedEvents);
            ((long*)(_memory + header->TraceRingsOffset))[seat] = ring;
        }

        _ = SpscRing<Request>.Create(_memory + header->RequestsOffset, 8);
        _ = SpscRing<Reply>.Create(_memory + header->RepliesOffset, 8);
        _ = SpscRing<ModuleEvent>.Create(_memory + header->EventsOffset, 64);
        _ = SpscRing<Notice>.Create(_memory + header->NoticesOffset, 64);
        header->Magic = AbiVersion.Magic;
        Map = RegionMap.Over(_memory, Bytes);
        _thread = new Thread(Loop) { IsBackground = true };
        _thread.Start();
    }

    public RegionMap Map { get; }

    /// <summary>Whether the "process" has ended.</summary>
    public bool Ended { get; set; }

    /// <summary>Blocks granted and not freed.</summary>
    public int Grants
    {
        get
        {
            lock (_granted) return _granted.Count;
        }
    }

    public List<Request> Seen { get; } = [];

    /// <summary>Writes a quantum into the trace; its cycle clock counts the ns of CLOCK_MONOTONIC.</summary>
    public void Trace(ulong quantum, uint load = 300_000)
    {
        var now = Linux.Now();
        var anchor = new ClockAnchor { Ticks = now, Nanoseconds = now, Frequency = 1e9 };
        Map.ClockAnchor->Write(in anchor);
        Assert.True(Map.TryTrace(0, out var ring));
        ring.TryPush(new TraceEvent { Ticks = now - 3000, Duration = 1000, Quantum = quantum, Kind = TraceKind.Module, Slot = 0, Value = 1, Core = 1 });
        ring.TryPush(new TraceEvent { Ticks = now - 4000, Duration = 3000, Quantum = quantum, Kind = TraceKind.Quantum, Slot = -1, Value = load, Core = 1 });
    }

    /// <summary>What a well-behaved engine answers.</summary>
    public Reply Serve(in Request r)
    {
        var reply = new Reply { Kind = r.Kind, Session = r.Session, Id = r.Id };
        lock (_granted)
        {
            switch (r.Kind)
            {
                case RequestKind.Attach:
                    reply.A = ++Map.Header->Session;
                    break;
                case RequestKind.Allocate when _next + r.A > Bytes:
                    (reply.Status, reply.A, reply.B, reply.C) = (ReplyStatus.OutOfMemory, r.A, Bytes - _next, Bytes - _next);
                    break;
                case RequestKind.Allocate:
                    reply.Offset = _next;
                    _granted[_next] = r.A;
                    _next = (_next + r.A + 63) & ~63L;
                    break;
                case RequestKind.Free:
                    if (!_granted.Remove(r.Offset)) reply.Status = ReplyStatus.BadRequest;
                    break;
                default:
                    break;
            }
        }

        return reply;
    }

    public void Send(in Reply reply)
    {
        _ = Map.Replies.TryPush(in reply);
        Interlocked.Increment(ref Map.Header->ReplyBell);
        Linux.Wake(&Map.Header->ReplyBell, 1);
    }

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        NativeMemory.AlignedFree(_memory);
    }

    private void Loop()
    {
        while (!_stop)
        {
            var bell = Volatile.Read(ref Map.Header->RequestBell);
            while (!_stop && Map.Requests.TryPop(out var request))
            {
                lock (Seen) Seen.Add(request);
                if (Answer(this, request) is { } reply) Send(in reply);
            }

            Linux.Wait(&Map.Header->RequestBell, bell, 5_000_000);
        }
    }
}
