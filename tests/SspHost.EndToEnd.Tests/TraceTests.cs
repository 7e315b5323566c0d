// What a running engine tells of its quanta: read beside it, from the region, by somebody it does not know of.
using System.Diagnostics;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed unsafe class TraceTests : IDisposable
{
    private readonly Runtime _runtime = new();
    private Process? _ssp;

    public void Dispose()
    {
        if (_ssp is { HasExited: false }) _ssp.Kill();
        _ssp?.Dispose();
        _runtime.Dispose();
    }

    // A copy of what lies in a seat's ring, nothing taken out: somebody else may be its reader.
    private static List<TraceEvent> Copy(RegionMap map, int seat)
    {
        var ring = (RingHeader*)map.At(((long*)map.At(map.Header->TraceRingsOffset))[seat]);
        var events = (TraceEvent*)((byte*)ring + sizeof(RingHeader));
        var end = Volatile.Read(ref ring->Tail);
        var from = end - Math.Min(end, ring->Capacity / 2); // the older half may be overwritten meanwhile
        var copy = new List<TraceEvent>();
        for (var i = from; i < end; i++) copy.Add(events[i & (ring->Capacity - 1)]);
        return copy;
    }

    [Fact]
    public void A_playing_engine_traces_its_quanta_and_the_modules_in_them_without_a_managed_byte()
    {
        _ssp = Executables.Start(Executables.Ssp, _runtime.Directory, ["run", Executables.Patch("slow-drone"), "--device", "sim", .. Executables.NoPanel]);
        var lines = Executables.Follow(_ssp);
        var link = Eventually.Get(Playing, $"it plays\n{lines.Text}");
        using (link)
        {
            var events = Copy(link.Map, 0);
            var modules = events.Where(e => e.Kind == TraceKind.Module).ToLookup(e => e.Quantum);
            var quanta = events.Where(e => e.Kind == TraceKind.Quantum).ToDictionary(e => e.Quantum);
            Assert.InRange(quanta.Count, 100, int.MaxValue);
            var first = quanta.Keys.Min();
            Assert.Equal((ulong)quanta.Count, quanta.Keys.Max() - first + 1); // none is missing
            foreach (var (number, q) in quanta)
            {
                if (number == first) continue; // its modules may be older than what was copied
                Assert.InRange(modules[number].Sum(m => (long)m.Duration), 0, q.Duration);
                Assert.All(modules[number], m => Assert.InRange(m.Ticks + m.Duration, q.Ticks, q.Ticks + q.Duration));
            }

            Assert.Contains(quanta.Keys, q => modules[q].Any());
            foreach (var m in modules.SelectMany(m => m))
            {
                Assert.InRange(m.Slot, 0, Limits.MaxInstances - 1);
                Assert.Equal((uint)link.Map.Instances[m.Slot].Key, m.Value);
            }

            // The load by one clock is the length by the other: of the median, because a core may be taken away between two readings.
            Assert.True(link.Map.ClockAnchor->TryRead(out var anchor));
            Assert.True(link.TryAudio(out var audio));
            var budget = anchor.Frequency * audio.Quantum / audio.Rate;
            var ratios = quanta.Values.Select(q => q.Duration / (q.Value * 1e-6 * budget)).Order().ToArray();
            Assert.InRange(ratios[ratios.Length / 2], 0.8, 1.25);

            // By the anchor, the newest quantum was a moment ago or, where nobody reads and the ring is full, not before the engine started.
            var newest = quanta.Values.MaxBy(q => q.Quantum);
            var at = anchor.Nanoseconds + ((long)(newest.Ticks - anchor.Ticks) / anchor.Frequency * 1e9);
            Assert.InRange(at, link.Map.Header->StartedAt, Linux.Now());

            var record = link.Map.Instances[modules.First(m => m.Any()).First().Slot];
            Assert.InRange(((Histogram*)link.Map.At(record.Histogram))->Count, 1ul, ulong.MaxValue);
            Assert.InRange(link.Map.WorkerHistogram(0)->Count, 1ul, ulong.MaxValue);
            Assert.True(link.TrySteward(out var steward));
            Assert.Equal((0L, 0L), (steward.Collections, steward.AllocatedBytes));
        }
    }

    private EngineLink? Playing()
    {
        EngineLink link;
        try
        {
            link = EngineLink.Look(_runtime.Directory);
        }
        catch (Exception e) when (e is EngineGoneException or IOException or InvalidDataException)
        {
            return null;
        }

        if (link.State == EngineState.Playing && link.TryAudio(out var a) && a.Quanta > 1000 && link.Map.TryTrace(0, out _)
            && Copy(link.Map, 0).Count(e => e.Kind == TraceKind.Module) > 1000) return link;
        link.Dispose();
        return null;
    }
}
