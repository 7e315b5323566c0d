// The memory of traces: a ring for each seat that is ever filled, published once and never freed.
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Probes;

/// <summary>[steward]</summary>
public static unsafe class TraceRings
{
    /// <summary>
    /// Lets a seat's tape write to the seat's ring, which is made the first time. False: there is no memory for it, and the seat is not traced.
    /// </summary>
    public static bool Open(RegionMap map, Pool* pool, int seat, int core, Tape* tape)
    {
        var place = (long*)map.At(map.Header->TraceRingsOffset) + seat;
        if (*place == 0)
        {
            var memory = pool->Allocate(0, SpscRing<TraceEvent>.BytesFor(TraceLimits.RingEvents), 0);
            if (memory == null) return false;
            _ = SpscRing<TraceEvent>.Create(memory, TraceLimits.RingEvents);
            Volatile.Write(ref *place, map.OffsetOf(memory)); // after the header: who sees the offset sees a ring
        }

        tape->Open((RingHeader*)map.At(*place), core);
        return true;
    }
}
