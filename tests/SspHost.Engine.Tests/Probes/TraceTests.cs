// What the threads write of themselves: every quantum, module and swap exactly once, and nobody hears whether it is read.
using SspHost.Abi;
using SspHost.Engine.Probes;
using SspHost.Engine.Tests.Graph;

namespace SspHost.Engine.Tests.Probes;

[Collection("schedules")]
public sealed unsafe class TraceTests
{
    private const int Nodes = 14;

    // Any patch, some of it asleep, none of it bypassed; and something that is heard.
    private static PatchDraft Draft(ulong serial = 1)
    {
        var draft = PatchDraft.Random(new Random(8), Nodes - 2, TraceRig.Quantum);
        foreach (var node in draft.Nodes) node.Bypassed = false;
        var counter = draft.Add(TestRegistry.Faulty, 77);
        _ = draft.Add(TestRegistry.JackOut, 78, new DraftCable(counter, 0));
        draft.Serial = serial;
        return draft;
    }

    [Theory]
    [InlineData(1, TraceRig.Quantum)]
    [InlineData(2, 3 * TraceRig.Quantum)]
    [InlineData(3, TraceRig.Quantum)]
    public void Every_quantum_module_wait_and_swap_is_there_once_with_the_same_number_on_all_threads(int threads, int period)
    {
        const int WakeUps = 300;
        using var rig = new TraceRig(Draft().Compile(), threads, 1 << 16, period);
        rig.Flags = DiagnosticFlags.Usual;
        rig.Begin();
        for (ulong swap = 2; swap < 5; swap++)
        {
            rig.Play(WakeUps / 3);
            if (swap < 4) rig.Graph.Install(Draft(swap).Compile()); // taken at the next quantum
        }

        rig.Graph.Rest();
        var all = Enumerable.Range(0, threads).Select(rig.Take).ToArray();
        foreach (var events in all) TraceRig.AssertSound(events);
        var audio = all[0];
        int Count(TraceKind kind) => audio.Count(e => e.Kind == kind);

        var quanta = audio.Where(e => e.Kind == TraceKind.Quantum).ToArray();
        Assert.Equal(rig.Status.Quanta, (ulong)quanta.Length);
        Assert.Equal(Enumerable.Range(0, quanta.Length).Select(q => (ulong)q), quanta.Select(q => q.Quantum));
        Assert.Equal(WakeUps, Count(TraceKind.Wait));
        Assert.Equal(WakeUps, Count(TraceKind.Wake));
        Assert.Equal([2u, 3u], audio.Where(e => e.Kind == TraceKind.Swap).Select(e => e.Value));
        var joins = audio.Where(e => e.Kind == TraceKind.Join).ToArray();
        Assert.Equal(joins.Length, joins.Select(e => e.Quantum).Distinct().Count());
        Assert.Equal(threads > 1, joins.Length > 0);
        Assert.Equal(rig.Graph.Map.Histogram(HistogramKind.Join)->Sum, joins.Aggregate(0UL, (sum, e) => sum + CycleClock.ToNanoseconds(e.Duration)));

        var modules = all.SelectMany(e => e).Where(e => e.Kind == TraceKind.Module).ToArray();
        for (var slot = 0; slot < Nodes; slot++)
        {
            var record = rig.Graph.Map.Instances[slot];
            var own = modules.Where(e => e.Slot == slot).ToArray();
            Assert.Equal(record.Calls - record.Slept, (ulong)own.Length);
            Assert.Equal(own.Length, own.Select(e => e.Quantum).Distinct().Count());
            Assert.All(own, e => Assert.Equal((uint)record.Key, e.Value));
        }

        // The clock is one for all cores: what carries a quantum's number lies in that quantum's time.
        foreach (var e in all.SelectMany(e => e).Where(e => e.Kind is TraceKind.Module or TraceKind.Work or TraceKind.Join or TraceKind.Swap))
        {
            var q = quanta[(int)e.Quantum];
            Assert.True(e.Ticks >= q.Ticks && e.Ticks + e.Duration <= q.Ticks + q.Duration, $"{e.Kind} of quantum {e.Quantum} lies beside it");
        }

        for (var t = 0; t < threads; t++)
        {
            Assert.All(all[t], e => Assert.Equal(t + 5, e.Core));
            Assert.Equal(0ul, rig.Ring(t).Dropped);
            var works = all[t].Where(e => e.Kind == TraceKind.Work).ToArray();
            if (t == 0) Assert.Empty(works);
            else Assert.Equal(rig.Graph.Map.Threads[t].Nodes, (ulong)works.Sum(e => e.Value));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_histograms_of_a_module_and_of_a_thread_hold_one_value_a_quantum(int threads)
    {
        const int WakeUps = 400;
        using var rig = new TraceRig(Draft().Compile(), threads, 1 << 16);
        rig.Begin();
        rig.Play(10); // not counted: they are off
        rig.Flags = DiagnosticFlags.ModuleTimes | DiagnosticFlags.Histograms;
        rig.Play(WakeUps);
        rig.Graph.Rest();
        for (var slot = 0; slot < Nodes; slot++)
        {
            var record = rig.Graph.Map.Instances[slot];
            var histogram = (Histogram*)rig.Graph.Map.At(record.Histogram);
            Assert.Equal(((ulong)WakeUps, record.Calls, record.Nanoseconds, record.Longest), (histogram->Count, histogram->Count, histogram->Sum, histogram->Max));
        }

        // One that found nothing to run in a quantum took no part in it.
        for (var t = 0; t < threads; t++) Assert.InRange(rig.Graph.Map.WorkerHistogram(t)->Count, threads == 1 ? (ulong)WakeUps : 0, (ulong)WakeUps);
        Assert.Empty(rig.Take(0)); // no trace was asked for
        ulong inModules = 0, working = 0;
        for (var slot = 0; slot < rig.Graph.Renderer.InstanceCount; slot++) inModules += rig.Graph.Map.Instances[slot].Nanoseconds;
        for (var t = 0; t < threads; t++) working += rig.Graph.Map.WorkerHistogram(t)->Sum;
        Assert.InRange(inModules, 1ul, working + (WakeUps * (ulong)threads)); // each rounded down
    }

    [Fact]
    public void What_is_heard_is_the_same_bit_by_bit_with_traces_off_on_read_slowly_and_full()
    {
        const int WakeUps = 12_000, Frames = (WakeUps + 2) * TraceRig.Quantum; // more events than two rings hold, however they are shared
        float[] Run(Action<TraceRig> play, bool traced = true)
        {
            using var rig = new TraceRig(Draft().Compile(), 2, Frames, traced: traced);
            rig.Begin();
            play(rig);
            rig.Graph.Rest();
            return rig.Played.ToArray();
        }

        var off = Run(rig => rig.Play(WakeUps), traced: false);
        Assert.Contains(off, v => v != 0 && !float.IsNaN(v));
        void Same(float[] played) => Assert.True(off.AsSpan().SequenceEqual(played) || Bits(off).SequenceEqual(Bits(played)));
        Same(Run(rig =>
        {
            rig.Flags = DiagnosticFlags.Usual; // without a ring there is nothing to write to
            rig.Play(WakeUps);
            Assert.False(rig.Graph.Map.TryTrace(0, out _));
        }, traced: false));
        Same(Run(rig =>
        {
            rig.Flags = DiagnosticFlags.Usual;
            rig.Play(WakeUps); // nobody reads
            var least = (ulong)WakeUps * 3;
            for (var t = 0; t < 2; t++)
            {
                var ring = rig.Ring(t);
                Assert.InRange((ulong)ring.Count + ring.Dropped, t == 0 ? least : 0, ulong.MaxValue);
                if (ring.Dropped > 0) Assert.Equal(ring.Capacity, ring.Count);
                TraceRig.AssertSound(rig.Take(t)); // what was there first is kept whole
            }

            Assert.True(rig.Ring(0).Dropped + rig.Ring(1).Dropped > 0, "more events than two rings hold");
        }));
        Same(Run(rig =>
        {
            rig.Flags = DiagnosticFlags.Usual;
            var stop = 0;
            var read = new List<TraceEvent>();
            var reader = new Thread(() =>
            {
                var random = new Random(3);
                while (Volatile.Read(ref stop) == 0)
                {
                    read.AddRange(rig.Take(0));
                    Thread.Sleep(random.Next(8));
                }
            });
            reader.Start();
            rig.Play(WakeUps);
            Volatile.Write(ref stop, 1);
            reader.Join();
            read.AddRange(rig.Take(0));
            TraceRig.AssertSound(read);
            if (rig.Ring(0).Dropped == 0) Assert.Equal(WakeUps, read.Count(e => e.Kind == TraceKind.Quantum));
        }));
        Same(Run(rig =>
        {
            var stop = 0;
            var switcher = new Thread(() =>
            {
                var random = new Random(4);
                while (Volatile.Read(ref stop) == 0)
                {
                    rig.Flags = (DiagnosticFlags)random.Next(16);
                    Thread.SpinWait(random.Next(2000));
                }
            });
            switcher.Start();
            rig.Play(WakeUps);
            Volatile.Write(ref stop, 1);
            switcher.Join();
            var events = rig.Take(0);
            TraceRig.AssertSound(events);
            var quanta = events.Where(e => e.Kind == TraceKind.Quantum).Select(e => e.Quantum).ToArray();
            Assert.Equal(quanta.Distinct().Order(), quanta);
        }));
    }

    private static uint[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToUInt32Bits);

    [Fact]
    public void A_late_quantum_and_a_dropout_are_marked_with_their_incident_and_the_wake_says_how_late_it_was()
    {
        using var rig = new TraceRig(Draft().Compile(), 1, 1 << 16);
        rig.Flags = DiagnosticFlags.Usual;
        rig.Begin();
        rig.Play(100);
        rig.Time->Oversleep = 20_000_000; // more than the buffer holds
        rig.Play(20);
        var status = rig.Status;
        var notices = rig.Notices();
        var dropout = Assert.Single(notices, n => n.Kind == NoticeKind.Dropout);
        Assert.Equal((long)DropoutCause.LateWakeUp, dropout.B);
        var events = rig.Take(0);
        TraceRig.AssertSound(events);
        var mark = Assert.Single(events, e => e.Kind == TraceKind.Dropout);
        Assert.Equal(((uint)dropout.Incident, dropout.A), (mark.Value, mark.Slot));
        Assert.Equal(status.Dropouts, (ulong)events.Count(e => e.Kind == TraceKind.Dropout));
        Assert.Equal(status.Late, (ulong)events.Count(e => e.Kind == TraceKind.Late));
        Assert.Equal((uint)rig.Graph.Map.Histogram(HistogramKind.Wake)->Max, events.Where(e => e.Kind == TraceKind.Wake).Max(e => e.Value));
        var loads = events.Where(e => e.Kind == TraceKind.Quantum).ToArray();
        Assert.Equal(rig.Graph.Map.Histogram(HistogramKind.Load)->Sum, (ulong)loads.Sum(e => e.Value));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Tracing_allocates_no_managed_byte_whether_rings_have_room_or_are_full(int threads)
    {
        using var rig = new TraceRig(Draft().Compile(), threads, 64);
        rig.Flags = DiagnosticFlags.Usual;
        rig.Begin();
        for (var i = 0; i < 1000; i++) _ = rig.Step();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 4000; i++) _ = rig.Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(rig.Ring(0).Dropped > 0);
    }

    [Fact]
    public void A_seat_without_memory_for_its_ring_is_not_traced_and_plays()
    {
        using var rig = new Rig();
        var taken = new List<nint>();
        while (rig.Pool->Allocate(0, SpscRing<TraceEvent>.BytesFor(TraceLimits.RingEvents), 7) is var block && block != null) taken.Add((nint)block);
        Assert.False(rig.Renderer.OpenTrace(0, 0));
        rig.Install(new PatchDraft().Also(d => d.Add(TestRegistry.Tick, 1)).Compile());
        rig.Renderer.Diagnostics = DiagnosticFlags.Usual;
        _ = rig.Step();
        Assert.Equal(1ul, rig.Renderer.Quanta);
        Assert.False(rig.Map.TryTrace(0, out _));
        foreach (var block in taken) rig.Pool->Free(0, (void*)block);
    }
}

internal static class DraftExtensions
{
    public static PatchDraft Also(this PatchDraft draft, Action<PatchDraft> change)
    {
        change(draft);
        return draft;
    }
}
