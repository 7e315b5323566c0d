// The pool's own account of itself, published by the steward: how much, to whom, in what sizes, what was refused.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// Statistics of the pool allocator at one moment. Bytes "requested" are what callers asked for; a "fragment" is the
/// power of two of 64 bytes that serves a request.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct PoolStats
{
    /// <summary>Fragment classes: class k is 64 * 2^k bytes.</summary>
    public const int Classes = 27;

    /// <summary>Bytes the pool can ever offer, bytes offered so far, and bytes of those set aside as spans of RT arenas.</summary>
    public long Limit, Offered, Spans;

    /// <summary>Bytes requested by live blocks, and bytes of their fragments.</summary>
    public long Requested, Fragments;

    /// <summary>Bytes of free fragments kept at hand in magazines (and, with checks on, in quarantine).</summary>
    public long Cached;

    /// <summary>Free bytes of the steward's arena, and the largest request that it would serve now.</summary>
    public long Free, Largest;

    /// <summary>Free bytes within the spans of RT arenas.</summary>
    public long SpansFree;

    /// <summary>
    /// Most bytes ever in fragments at once: the sum of the arenas' own maxima, so exact for one arena and never too small for several.
    /// </summary>
    public long FragmentsPeak;

    /// <summary>Blocks handed out and given back since the start, and of the latter those freed by another thread than the owner's.</summary>
    public long Allocations, Frees, RemoteFrees;

    /// <summary>Requests refused, and the bytes of the last one.</summary>
    public long Failed, LastFailed;

    /// <summary>Wrong frees and damage found; each is a defect of a caller.</summary>
    public long Faults;

    /// <summary>Bytes requested by modules, by the engine, and by grants to control processes.</summary>
    public long ModuleBytes, EngineBytes, GrantBytes;

    /// <summary>Bytes of the region that are locked in memory.</summary>
    public long Locked;

    /// <summary>CLOCK_MONOTONIC of this snapshot in ns.</summary>
    public ulong Time;

    /// <summary>Live blocks by class, most ever live (sum over arenas), and handed out since the start.</summary>
    public fixed long ClassLive[Classes];

    /// <inheritdoc cref="ClassLive"/>
    public fixed long ClassPeak[Classes];

    /// <inheritdoc cref="ClassLive"/>
    public fixed long ClassTotal[Classes];

    /// <summary>Share of the live fragments that nobody asked for, 0..1: the price of powers of two.</summary>
    public readonly double InternalFragmentation => Fragments == 0 ? 0 : 1 - ((double)Requested / Fragments);

    /// <summary>Share of the free bytes that the largest possible request could not have, 0..1.</summary>
    public readonly double ExternalFragmentation => Free == 0 ? 0 : 1 - ((double)Largest / Free);
}
