// The flight recorder's memory: nothing changes on its way through codec, drain, store and file, and nothing grows without end.
using System.Text;
using SspHost.Abi;
using SspHost.Diagnostics.Tracing;

namespace SspHost.Tests;

public sealed unsafe class TraceStoreTests
{
    [Fact]
    public void Any_event_comes_out_of_the_codec_as_it_went_in_whatever_went_before()
    {
        var random = new Random(1);
        var (writer, reader) = (new EventCodec(), new EventCodec());
        var buffer = new byte[EventCodec.MaxBytes];
        for (var i = 0; i < 100_000; i++)
        {
            if (random.Next(5000) == 0)
            {
                writer.Reset();
                reader.Reset();
            }

            var e = AnyEvent(random);
            fixed (byte* at = buffer)
            {
                var end = writer.Write(at, in e);
                if (end - at is < 3 or > EventCodec.MaxBytes || reader.Read(at, end, out var read) != end || !Same(in e, in read)) Assert.Fail($"event {i}");
            }
        }
    }

    [Fact]
    public void An_engine_s_events_take_eight_bytes_at_most()
    {
        using var store = new ChunkStore();
        foreach (var (seat, e) in SyntheticTrace.Events(2000, 40, 1)) store.Append(seat, in e);
        Assert.InRange(store.EncodedBytes / (double)store.Events, 4, 8);
    }

    [Fact]
    public void What_is_drained_is_what_was_pushed_and_what_was_lost_is_said_at_its_place()
    {
        var random = new Random(2);
        using var region = new TraceRegion(3, 256);
        using var store = new ChunkStore();
        using var loads = new LoadHistory();
        var drain = new TraceDrain(store, loads, new SpikeKeeper());
        var expected = new List<TraceEvent>[] { [], [], [] };
        for (var turn = 0; turn < 200; turn++)
        {
            for (var seat = 0; seat < 3; seat++)
            {
                uint missing = 0;
                for (var n = random.Next(400); n > 0; n--)
                {
                    var e = AnyEvent(random);
                    if (e.Kind == EventCodec.Missing) e.Kind = TraceKind.Module;
                    if (region.Push(seat, in e)) expected[seat].Add(e);
                    else missing++;
                }

                if (missing == 0) continue;
                var last = expected[seat][^1];
                expected[seat].Add(new TraceEvent { Ticks = last.Ticks + last.Duration, Quantum = last.Quantum, Core = last.Core, Slot = -1, Kind = EventCodec.Missing, Value = missing });
            }

            drain.Turn(region.Map);
        }

        using var snapshot = store.Snapshot();
        using var file = new MemoryStream();
        RawTraceWriter.Write(file, SyntheticTrace.Header(3), snapshot, []);
        var raw = RawTrace.Read(file.ToArray());
        for (var seat = 0; seat < 3; seat++)
        {
            var read = raw.EventsOf(seat);
            Assert.Equal(expected[seat].Count, read.Length);
            for (var i = 0; i < read.Length; i++)
                if (!Same(expected[seat][i], in read[i])) Assert.Fail($"seat {seat}, event {i}");
        }

        Assert.True(drain.Dropped > 0);
        Assert.Equal(drain.Dropped, (ulong)expected.Sum(s => s.Where(e => e.Kind == EventCodec.Missing).Sum(e => e.Value)));
    }

    [Fact]
    public void Draining_allocates_nothing_once_every_thread_was_seen()
    {
        using var region = new TraceRegion(2);
        using var store = new ChunkStore { MaxBytes = 8 * ChunkStore.ChunkBytes };
        using var loads = new LoadHistory();
        var drain = new TraceDrain(store, loads, new SpikeKeeper());
        var events = SyntheticTrace.Events(50, 10, 3);
        void Turn()
        {
            foreach (var (seat, e) in events) Assert.True(region.Push(seat, in e));
            drain.Turn(region.Map);
            store.Trim(0);
        }

        for (var i = 0; i < 400; i++) Turn(); // chunks go round by now
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 400; i++) Turn();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_store_keeps_the_newest_within_its_room_and_gives_memory_back()
    {
        using var store = new ChunkStore { MaxBytes = 10 * ChunkStore.ChunkBytes };
        ulong n = 0;
        for (; n < 300_000; n++) store.Append((int)(n % 3), SyntheticTrace.At(TraceKind.Module, n, n * 1000, 700, (uint)n * 77, (int)(n % 40)));
        Assert.InRange(store.MemoryBytes, 8 * ChunkStore.ChunkBytes, 10 * ChunkStore.ChunkBytes);
        TraceEvent[] Read(int seat)
        {
            using var file = new MemoryStream();
            using (var s = store.Snapshot()) RawTraceWriter.Write(file, new TraceHeader(), s, []);
            return RawTrace.Read(file.ToArray()).EventsOf(seat);
        }

        for (var seat = 0; seat < 3; seat++)
        {
            var kept = Read(seat).Select(e => e.Quantum).ToArray();
            Assert.True(kept.Length > 5000);
            Assert.Equal(Enumerable.Range(0, kept.Length).Select(i => n - 3 + (ulong)seat - (3 * (ulong)(kept.Length - 1 - i))), kept); // the newest without a gap
        }

        store.Trim(n * 1000 * TraceRegion.TicksPerNs);
        store.MaxBytes = 4 * ChunkStore.ChunkBytes;
        store.Trim(0);
        Assert.InRange(store.MemoryBytes, 3 * ChunkStore.ChunkBytes, 4 * ChunkStore.ChunkBytes);
    }

    [Fact]
    public void A_snapshot_stays_as_it_was_while_the_store_goes_on()
    {
        using var store = new ChunkStore { MaxBytes = 4 * ChunkStore.ChunkBytes };
        void Fill(ulong from)
        {
            for (var n = from; n < from + 100_000; n++) store.Append(0, SyntheticTrace.At(TraceKind.Module, n, n * 1000, 700, (uint)n * 77, 1));
        }

        Fill(0);
        using var snapshot = store.Snapshot();
        byte[] Write()
        {
            using var file = new MemoryStream();
            RawTraceWriter.Write(file, new TraceHeader(), snapshot, []);
            return file.ToArray();
        }

        var before = Write();
        Fill(100_000);
        Fill(200_000);
        Assert.Equal(before, Write());
        snapshot.Dispose();
        store.Trim(0);
        Assert.InRange(store.MemoryBytes, ChunkStore.ChunkBytes, 4 * ChunkStore.ChunkBytes);
    }

    [Fact]
    public void A_file_of_any_bytes_is_read_or_refused_in_one_line()
    {
        var good = SyntheticTrace.Raw(SyntheticTrace.Events(60, 12, 4), SyntheticTrace.Header(12), SyntheticTrace.Switches());
        Assert.False(RawTrace.Read(good).CutShort);
        Assert.Equal(5, RawTrace.Read(good).Switches.Count);
        var random = new Random(5);
        var (read, refused) = (0, 0);
        for (var i = 0; i < 1500; i++)
        {
            var bytes = (byte[])good.Clone();
            switch (random.Next(4))
            {
                case 0:
                    bytes = bytes[..random.Next(bytes.Length)];
                    break;
                case 1:
                    random.NextBytes(bytes.AsSpan(random.Next(bytes.Length)));
                    break;
                default:
                    for (var n = random.Next(1, 8); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                    break;
            }

            try
            {
                var trace = RawTrace.Read(bytes);
                var view = new TraceView(trace);
                if (i % 40 == 0)
                    foreach (var format in TraceFormat.Names.Where(f => f != "raw")) SyntheticTrace.Export(format, view);
                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }

        Assert.True(read > 50 && refused > 50, $"{read} read, {refused} refused");
    }

    [Fact]
    public void A_trace_that_was_cut_short_is_read_as_far_as_it_goes()
    {
        var events = SyntheticTrace.Events(3000, 20, 6);
        var good = SyntheticTrace.Raw(events, SyntheticTrace.Header(20));
        var cut = RawTrace.Read(good[..(good.Length * 2 / 3)]);
        Assert.True(cut.CutShort);
        Assert.InRange(cut.Events, 1, events.Count - 1);
    }

    [Theory]
    [InlineData("irq/35-eth0-1234  [001] d..2.  1234.567890: sched_switch: prev_comm=ssp-audio prev_pid=42 prev_prio=19 prev_state=R+ ==> next_comm=irq/35-eth0 next_pid=1234 next_prio=49", 1234567890000, 1, 42, 'R', "ssp-audio", 1234, "irq/35-eth0")]
    [InlineData("          <idle>-0       [000] d..2.   10.000001: sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=a b next_pid=7 next_prio=120", 10000001000, 0, 0, 'R', "swapper/0", 7, "a b")]
    [InlineData(" x [1] y-9 [003] d..2. 7.5: sched_switch: prev_comm= prev_pid=1 prev_pid=9 prev_prio=120 prev_state=S ==> next_comm= ==> next_comm= next_pid=8 next_prio=1", 7500000000, 3, 9, 'S', " prev_pid=1", 8, "")]
    public void A_line_of_the_kernel_s_trace_is_understood_also_where_names_look_like_fields(string line, ulong time, int core, int previous, char state, string from, int next, string to)
    {
        Assert.True(new SchedLines().TryParse(Encoding.UTF8.GetBytes(line), out var s));
        Assert.Equal((time, core, previous, state, from, next, to), (s.Time, s.Core, s.PreviousTid, s.PreviousState, s.PreviousName, s.NextTid, s.NextName));
    }

    [Fact]
    public void A_line_of_any_bytes_is_a_switch_or_none()
    {
        var good = "ssp-audio-42  [001] d..2.  1234.567890: sched_switch: prev_comm=ssp-audio prev_pid=42 prev_prio=19 prev_state=R+ ==> next_comm=irq next_pid=1234 next_prio=49"u8.ToArray();
        var lines = new SchedLines();
        var random = new Random(7);
        var none = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var line = random.Next(3) == 0 ? good[..random.Next(good.Length + 1)] : (byte[])good.Clone();
            for (var n = random.Next(1, 6); n > 0 && line.Length > 0; n--) line[random.Next(line.Length)] = (byte)random.Next(256);
            if (!lines.TryParse(line, out var s)) none++;
            else Assert.True(s.Core >= 0 && s.PreviousName != null && s.NextName != null);
        }

        Assert.InRange(none, 1000, 49_999);
        Assert.False(lines.TryParse("CPU:1 [LOST 12 EVENTS]"u8, out _));
        Assert.Equal(12, lines.Lost);
    }

    [Fact]
    public void Who_took_the_core_longest_is_named_and_sleep_is_nobody_s_fault()
    {
        SchedSwitch[] log =
        [
            new(100, 1, 42, 19, 'R', "ssp-audio", 7, 9, "irq/7"), new(130, 1, 7, 9, 'S', "irq/7", 42, 19, "ssp-audio"),
            new(200, 1, 42, 19, 'R', "ssp-audio", 8, 0, "migration/1"), new(500, 1, 8, 0, 'S', "migration/1", 42, 19, "ssp-audio"),
            new(600, 1, 42, 19, 'S', "ssp-audio", 9, 120, "cat"), new(900, 1, 9, 120, 'R', "cat", 42, 19, "ssp-audio"),
        ];
        Assert.Equal(new Preemption(8, "migration/1", 0, 300, 1), SwitchLog.Preempter(log, 42, 0, 1000));
        Assert.Equal(new Preemption(7, "irq/7", 9, 20, 1), SwitchLog.Preempter(log, 42, 110, 190));
        Assert.Equal(new Preemption(8, "migration/1", 0, 100, 1), SwitchLog.Preempter(log, 42, 150, 300)); // it is away still
        Assert.Null(SwitchLog.Preempter(log, 42, 550, 1000));
        Assert.Null(SwitchLog.Preempter(log, 43, 0, 1000));
    }

    [Fact]
    public void A_load_is_kept_within_four_per_mille_from_nothing_to_beyond_sixteen_times_the_budget()
    {
        var random = new Random(8);
        for (var i = 0; i < 60_000; i++)
        {
            var load = i < 10_000 ? (uint)i : (uint)Math.Exp(random.NextDouble() * Math.Log(32e6));
            var code = LoadHistory.Encode(load);
            var back = LoadHistory.Decode(code) * 1e6;
            if (code == 0 || back < (load * 0.9996) - 0.51 || back > (load * 1.0004) + 0.51) Assert.Fail($"{load} came back as {back}");
        }

        Assert.True(LoadHistory.Decode(LoadHistory.Encode(uint.MaxValue)) > 4000);
        for (uint load = 1; load < 30_000_000; load += 997)
            if (LoadHistory.Encode(load) < LoadHistory.Encode(load - 1)) Assert.Fail($"{load}: order is not kept, so the worst would not be the worst");
    }

    [Fact]
    public void The_history_knows_each_quantum_or_says_that_it_does_not()
    {
        using var history = new LoadHistory();
        var random = new Random(9);
        var model = new float[4_000_000];
        Array.Fill(model, float.NaN);
        ulong q = 1000;
        for (var i = 0; i < 2_500_000; i++)
        {
            q += random.Next(100_000) == 0 ? (ulong)random.Next(1, 5000) : 1;
            var load = (uint)random.Next(2_000_000);
            history.Record(q, load, q * 10);
            model[q] = LoadHistory.Decode(LoadHistory.Encode(load));
        }

        var (first, end) = history.Range;
        Assert.Equal(q + 1, end);
        Assert.Equal((ulong)LoadHistory.Capacity, end - first);
        var copy = new float[LoadHistory.Capacity];
        Assert.Equal(copy.Length, history.Copy(first, copy));
        Assert.True(model.AsSpan((int)first, copy.Length).SequenceEqual(copy));
        Assert.All(history.Times(), t => Assert.Equal(t.Quantum * 10, t.Ticks));
        Assert.InRange(history.Times().Count, 1800, 2048);
        history.Record(5, 7, 50); // an engine that counts anew
        Assert.Equal((5ul, 6ul), history.Range);
        history.Record(5 + (3ul * LoadHistory.Capacity), 7, 50);
        Assert.Equal((5 + (3ul * LoadHistory.Capacity), 6 + (3ul * LoadHistory.Capacity)), history.Range);
    }

    [Fact]
    public void The_worst_quanta_and_every_late_one_still_open_an_hour_later_with_their_neighbours()
    {
        using var store = new ChunkStore { MaxBytes = 64 * ChunkStore.ChunkBytes };
        using var loads = new LoadHistory();
        var spikes = new SpikeKeeper();
        using var region = new TraceRegion(2, 32_768);
        var drain = new TraceDrain(store, loads, spikes);
        var names = new ModuleNames();
        var clock = new TraceClock([new ClockAnchor { Ticks = 0, Nanoseconds = TraceRegion.Epoch, Frequency = 3e9 }]);
        var random = new Random(10);
        var heaviest = new List<(uint Load, ulong Quantum)>();
        var late = new HashSet<ulong>();
        for (ulong q = 0; q < 50_000; q++)
        {
            var ns = q * 700_000;
            var load = (uint)(random.NextDouble() * 500_000);
            if (q is 30_000 or 45_000) load = 3_000_000 + (uint)q;
            if (load > 1_000_000) late.Add(q);
            heaviest.Add((load, q));
            region.Push(1, SyntheticTrace.At(TraceKind.Work, q, ns + 100, 500, 1));
            region.Push(0, SyntheticTrace.At(TraceKind.Module, q, ns + 10, load / 2, 99, 3));
            if (q == 45_000) region.Push(0, SyntheticTrace.At(TraceKind.Faults, q, ns + 50, 0, 3));
            region.Push(0, SyntheticTrace.At(TraceKind.Quantum, q, ns, load / 2, load));
            if (q % 15 == 14) drain.Turn(region.Map);
            if (q % 150 == 149) spikes.Collect(store, () => clock, names);
        }

        for (var i = 0; i < 3; i++) spikes.Collect(store, () => clock, names);
        var kept = spikes.Spikes;
        Assert.Equal(heaviest.OrderByDescending(h => h.Load).Take(50).Select(h => h.Quantum).Except(kept.Select(s => s.Quantum)), []);
        Assert.All(late, q => Assert.True(kept.Single(s => s.Quantum == q).Late));
        var spike = kept.Single(s => s.Quantum == 45_000);
        Assert.Equal(3u, spike.Faults);
        Assert.Equal(TraceRegion.Epoch + (45_000ul * 700_000), spike.Time);
        Assert.Equal([44_999ul, 45_000, 45_001], spike.Zones.Where(z => z.Kind == TraceKind.Module).Select(z => z.Quantum));
        Assert.Equal(3, spike.Zones.Count(z => z is { Kind: TraceKind.Work, Seat: 1 }));
        Assert.Equal(spike.Zones.OrderBy(z => z.Start), spike.Zones);
    }

    [Fact]
    public void Ticks_become_nanoseconds_in_order_and_by_the_anchors_around_them()
    {
        // A clock that the kernel slews by up to 500 ppm, another way every tenth of a second.
        var random = new Random(11);
        var anchors = new List<ClockAnchor>();
        ulong ticks = 5_000_000_000;
        double ns = 9e9;
        for (var i = 0; i < 100; i++)
        {
            anchors.Add(new ClockAnchor { Ticks = ticks, Nanoseconds = (ulong)ns, Frequency = 3e9 });
            ticks += 300_000_000;
            ns += 1e8 * (1 + ((random.NextDouble() - 0.5) * 1e-3));
        }

        var clock = new TraceClock(anchors.ToArray());
        foreach (var a in anchors)
        {
            Assert.InRange(clock.Nanoseconds(a.Ticks), a.Nanoseconds - 1, a.Nanoseconds + 1);
            Assert.InRange(clock.Ticks(a.Nanoseconds), a.Ticks - 4, a.Ticks + 4);
        }

        ulong before = 0;
        for (ulong t = 4_000_000_000; t < 40_000_000_000; t += 77_777_777)
        {
            var now = clock.Nanoseconds(t);
            Assert.True(now > before);
            before = now;
        }

        Assert.Equal(9_000_000_000ul + 1_000_000, new TraceClock([anchors[0]]).Nanoseconds(5_003_000_000));
        Assert.Equal(42ul, new TraceClock([]).Nanoseconds(42));
    }

    private static TraceEvent AnyEvent(Random random)
    {
        var usual = random.Next(4) != 0;
        return new TraceEvent
        {
            Ticks = usual ? (ulong)random.Next() : (ulong)random.NextInt64(long.MinValue, long.MaxValue),
            Quantum = usual ? (ulong)random.Next(50) : (ulong)random.NextInt64(long.MinValue, long.MaxValue),
            Duration = usual ? (uint)random.Next(5000) : (uint)random.NextInt64(uint.MaxValue + 1L),
            Value = usual ? (uint)random.Next(100) : (uint)random.NextInt64(uint.MaxValue + 1L),
            Slot = usual ? random.Next(-1, 60) : random.Next(int.MinValue, int.MaxValue),
            Kind = usual ? TraceKind.Module : (TraceKind)random.Next(256),
            Core = (ushort)(usual ? 1 : random.Next(65536)),
        };
    }

    private static bool Same(in TraceEvent a, in TraceEvent b) =>
        (a.Ticks, a.Quantum, a.Duration, a.Value, a.Slot, a.Kind, a.Core) == (b.Ticks, b.Quantum, b.Duration, b.Value, b.Slot, b.Kind, b.Core);
}
