// A region, a renderer and its real threads over a card without time: whatever the threads do, every quantum that is rendered can be compared.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Engine.Service;
using SspHost.Engine.Tests.Graph;

namespace SspHost.Engine.Tests.Containment;

internal sealed unsafe class ContainmentRig : IDisposable
{
    public const int Jacks = 4, Quantum = 32, Rate = 48_000;
    private const int Capacity = 1 << 13;
    private const int TrapSlot = 3;
    private readonly Region _region;
    private readonly StreamRing* _ring;
    private bool _running;

    public ContainmentRig(TrapKind kind, int at, int threads, int seed = 1, CardKind card = CardKind.Stream, ulong limitNs = 10_000_000)
        : this(Patch(kind, at, seed), threads, card, limitNs)
    {
    }

    public ContainmentRig(PatchDraft draft, int threads, CardKind card = CardKind.Stream, ulong limitNs = 10_000_000)
    {
        _region = Region.Create(Region.MinBytes, [], "test", out var error, PoolFlags.Checks) ?? throw new InvalidOperationException(error);
        Renderer = new Renderer(_region.Map, _region.Pool, TestRegistry.Make(), (float*)_region.Silence);
        Playback = new Playback(_region, Renderer) { StuckLimitNs = limitNs };
        var bytes = sizeof(StreamRing) + (Capacity * Jacks * (long)sizeof(float));
        _ring = (StreamRing*)_region.Pool->Allocate(0, bytes, 0);
        new Span<byte>(_ring, (int)bytes).Clear();
        (_ring->Channels, _ring->Capacity) = (Jacks, Capacity);
        Assert.Equal(ReplyStatus.Ok, Renderer.Configure(Rate, Quantum, threads));
        Baseline = Live;
        Install(draft);
        Threads = threads;
        Card = card;
    }

    public int Threads { get; }
    public CardKind Card { get; }
    public Renderer Renderer { get; }
    public Playback Playback { get; }
    public RegionMap Map => _region.Map;
    public Pool* Pool => _region.Pool;
    public long Baseline { get; }

    public long Live
    {
        get
        {
            PoolStats stats = default;
            Pool->ReadStats(ref stats);
            for (var t = 0; t < Limits.MaxThreads; t++)
            {
                if (Map.TryTrace(t, out var ring)) stats.Requested -= SpscRing<TraceEvent>.BytesFor(ring.Capacity); // stays with the seat
            }

            return stats.Requested;
        }
    }

    public InstanceRecord Trapped => Map.Instances[TrapSlot];

    public static uint TrapKey => TrapSlot + 1;

    /// <summary>A random patch with up to four traps anywhere, some at the same time; with the same seed, they are at the same times.</summary>
    public static PatchDraft Traps(int seed, bool silent)
    {
        var random = new Random(seed);
        var draft = new PatchDraft { Quantum = Quantum, Width = 4 };
        var nodes = random.Next(8, 30);
        var traps = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(1, nodes)).ToHashSet();
        var at = 0;
        for (var i = 0; i < nodes; i++)
        {
            var module = traps.Contains(i) ? TestRegistry.Trap : random.Next(4) switch { 0 => TestRegistry.Wire, 1 => TestRegistry.Sleeper, _ => TestRegistry.Blend };
            var node = draft.Nodes[draft.Add(i == 0 ? TestRegistry.Blend : module)];
            if (node.Module == TestRegistry.Trap)
            {
                at = at > 0 && random.Next(2) == 0 ? at : random.Next(3, 30);
                var kind = random.Next(4) switch { 0 => TrapKind.Spin, 1 => TrapKind.Sleep, _ => TrapKind.Scribble };
                node.Settings = [silent ? 0 : (int)kind, at];
            }

            foreach (var input in node.Inputs)
            {
                for (var c = random.Next(3); c > 0 && i > 0; c--) input.Add(Cable(draft, random, random.Next(Math.Max(0, i - 6), i)));
            }

            if (i > 0 && random.Next(4) == 0 && node.Module == TestRegistry.Blend)
            {
                node.Follow = random.Next(1, 4);
                draft.Nodes[random.Next(1, i + 1)].Inputs[0].Add(new DraftCable(i, 0, 0.3f, Delayed: true));
            }
        }

        Modulate(draft, new Random(seed + 1));
        for (var j = 0; j < Jacks; j++)
        {
            var node = draft.Nodes[draft.Add(TestRegistry.JackOut)];
            node.JackIndex = j;
            for (var c = 0; c < 3; c++) node.Inputs[0].Add(Cable(draft, random, random.Next(nodes)));
        }

        return draft;
    }

    // Voltages on parameters: what they read moves with everything else when a thread gets stuck.
    private static void Modulate(PatchDraft draft, Random random)
    {
        for (var i = 1; i < draft.Nodes.Count; i++)
        {
            if (draft.Nodes[i].Module != TestRegistry.Blend || random.Next(2) == 0) continue;
            draft.Nodes[i].Voltages[random.Next(3)] = [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => Cable(draft, random, random.Next(i)))];
        }
    }

    private static DraftCable Cable(PatchDraft draft, Random random, int from)
    {
        var outputs = draft.Nodes[from].Module is TestRegistry.Trap or TestRegistry.Blend ? 2 : 1;
        return new DraftCable(from, random.Next(outputs), random.Next(2) == 0 ? 1 : 0.4f);
    }

    /// <summary>A random patch with loops, sums and reused buffers around one trap in the middle.</summary>
    public static PatchDraft Patch(TrapKind kind, int at, int seed)
    {
        var random = new Random(seed);
        var draft = new PatchDraft { Quantum = Quantum, Width = 4 };
        for (var i = 0; i < 22; i++)
        {
            var module = i == TrapSlot ? TestRegistry.Trap : i < 2 ? TestRegistry.Blend : random.Next(4) switch
            {
                0 => TestRegistry.Wire, 1 => TestRegistry.Sleeper, _ => TestRegistry.Blend,
            };
            var index = draft.Add(module);
            var node = draft.Nodes[index];
            if (module == TestRegistry.Trap) node.Settings = [(int)kind, at];
            foreach (var input in node.Inputs)
            {
                for (var c = random.Next(i == TrapSlot ? 1 : 0, 3); c > 0 && i > 0; c--)
                {
                    var from = random.Next(3) == 0 && i > TrapSlot ? TrapSlot : random.Next(i);
                    var outputs = from == TrapSlot || draft.Nodes[from].Module == TestRegistry.Blend ? 2 : 1;
                    input.Add(new DraftCable(from, random.Next(outputs), random.Next(2) == 0 ? 1 : 0.4f));
                }
            }
        }

        var loop = draft.Nodes.FindIndex(TrapSlot + 1, n => n.Module == TestRegistry.Blend);
        draft.Nodes[loop].Follow = 2;
        draft.Nodes[1].Inputs[2].Add(new DraftCable(loop, 0, 0.3f, Delayed: true));
        draft.Nodes[TrapSlot].Follow = 3;
        draft.Nodes[2].Inputs[0].Add(new DraftCable(TrapSlot, 1, 0.2f, Delayed: true));
        Modulate(draft, new Random(seed + 1));
        draft.Nodes[0].Voltages[0] = [new DraftCable(TrapSlot, 1, 0.5f, Delayed: true)];
        for (var j = 0; j < Jacks; j++)
        {
            var index = draft.Add(TestRegistry.JackOut);
            draft.Nodes[index].JackIndex = j;
            draft.Nodes[index].Inputs[0].Add(new DraftCable(j == 0 ? TrapSlot : random.Next(TrapSlot + 1, 22), 0));
            draft.Nodes[index].Inputs[0].Add(new DraftCable(j == 3 ? 0 : random.Next(22), 0, 0.5f));
        }

        return draft;
    }

    public void Install(PatchDraft draft)
    {
        var blob = draft.Compile();
        var copy = (byte*)NativeMemory.AlignedAlloc((nuint)blob.Length, 64);
        blob.CopyTo(new Span<byte>(copy, blob.Length));
        var status = Renderer.Install((PlanHeader*)copy, blob.Length, out var error);
        NativeMemory.AlignedFree(copy);
        Assert.True(status == ReplyStatus.Ok, $"{status}: {error.Part} at {error.Index}, value {error.Value}");
    }

    public void Start(int wanted = 0, int audioCore = 0)
    {
        var config = new AudioConfig
        {
            Card = Card, Rate = Rate, Quantum = Quantum, Period = Quantum * 2, Periods = 2, Outputs = Jacks, Threads = Threads,
            OutputStream = Card is CardKind.Stream or CardKind.PacedStream ? Map.OffsetOf(_ring) : 0,
        };
        for (var t = 0; t < Limits.MaxThreads; t++) config.Cores[t] = t < Environment.ProcessorCount ? (t + audioCore) % Environment.ProcessorCount : -1;
        Trap.Set(wanted, Map.Threads);
        var reply = default(Reply);
        Playback.Start(&config, ref reply);
        Assert.Equal((ReplyStatus.Ok, 0L), (reply.Status, reply.A));
        _running = true;
    }

    /// <summary>The next quanta as they were played, one array a quantum, jack by jack; does the steward's part meanwhile.</summary>
    public float[][] Play(int quanta)
    {
        var played = new float[quanta][];
        for (var q = 0; q < quanta; q++)
        {
            Wait(() => Volatile.Read(ref _ring->Tail) - _ring->Head >= Quantum, $"quantum {q} of {quanta}");
            played[q] = new float[Quantum * Jacks];
            for (var i = 0; i < Quantum; i++)
            {
                var frame = (uint)(_ring->Head + (ulong)i) & (Capacity - 1);
                for (var j = 0; j < Jacks; j++) played[q][(j * Quantum) + i] = ((float*)((byte*)_ring + sizeof(StreamRing)))[(frame * Jacks) + j];
            }

            Volatile.Write(ref _ring->Head, _ring->Head + Quantum);
        }

        return played;
    }

    /// <summary>Asks something of the renderer while somebody listens, as the steward would.</summary>
    public ReplyStatus Ask(Func<ReplyStatus> request)
    {
        var listening = 1;
        var listener = new Thread(() =>
        {
            for (; Volatile.Read(ref listening) != 0; Thread.Sleep(1)) Volatile.Write(ref _ring->Head, Volatile.Read(ref _ring->Tail) & ~(ulong)(Quantum - 1));
        });
        listener.Start();
        var status = request();
        Volatile.Write(ref listening, 0);
        listener.Join();
        return status;
    }

    public ReplyStatus Restore() => Ask(() => Renderer.Restore(TrapSlot, TrapKey));

    public void Wait(Func<bool> condition, string what)
    {
        var end = Linux.Now() + 120_000_000_000; // for a hang, not for a measure
        while (!condition())
        {
            _ = Renderer.Collect();
            if (Linux.Now() > end) throw new TimeoutException($"{what}; trap at {Trap.SprungAt}, takeovers {Playback.Watch->Takeovers}, stuck {Renderer.StuckThreads}");
            Thread.Sleep(1);
        }
    }

    public List<Notice> Notices()
    {
        var list = new List<Notice>();
        while (Map.Notices.TryPop(out var n)) list.Add(n);
        return list;
    }

    /// <summary>What a patch plays, stepped by hand on the test's own thread.</summary>
    public static float[][] Reference(PatchDraft draft, int quanta)
    {
        using var rig = new Rig(Quantum, 1, Rate, poolBytes: 8 << 20);
        rig.Install(draft.Compile());
        var played = new float[quanta][];
        for (var q = 0; q < quanta; q++)
        {
            _ = rig.Step();
            played[q] = new float[Quantum * Jacks];
            for (var i = 0; i < played[q].Length; i++) played[q][i] = rig.Out(i / Quantum)[i % Quantum] * Engine.Audio.Volts.PerVolt;
        }

        return played;
    }

    public static void AssertSame(float[][] expected, float[][] played, int from = 0)
    {
        for (var q = from; q < played.Length; q++)
        {
            for (var i = 0; i < played[q].Length; i++)
            {
                if (BitConverter.SingleToUInt32Bits(expected[q][i]) != BitConverter.SingleToUInt32Bits(played[q][i]))
                    Assert.Fail($"quantum {q}, jack {i / Quantum}, frame {i % Quantum}: {played[q][i]} instead of {expected[q][i]}; the trap sprang at {Trap.SprungAt}");
            }
        }
    }

    public void Stop()
    {
        if (!_running) return;
        _running = false;
        for (var tries = 0; ; tries++)
        {
            Volatile.Write(ref _ring->Head, Volatile.Read(ref _ring->Tail)); // room, so that it can end
            if (Playback.Stop(0)) break;
            Assert.True(tries < 3, "it stops");
        }
    }

    public void Dispose()
    {
        Volatile.Write(ref Trap.Release, 1);
        Stop();
        var held = Enumerable.Range(0, Watched).Any(t => Playback.Threads[t].Fault != 0);
        if (!held)
        {
            Wait(() => Renderer.StuckThreads == 0, "whoever was stuck comes back");
            for (var t = 0; t < Watched; t++) Assert.True(RtThread(t), $"thread {t} ends");
            Renderer.Dispose();
            Assert.Equal(Baseline, Live);
        }

        PoolStats stats = default;
        Pool->ReadStats(ref stats);
        Assert.Equal(0, stats.Faults);
        if (!held) _region.Dispose(); // a thread that is held for ever keeps its stack
    }

    private static int Watched => Engine.Threads.Watchdog.Threads + 1;

    private bool RtThread(int t) => Engine.Threads.RtThread.TryEnd(Playback.Threads + t, 5_000_000_000);
}
