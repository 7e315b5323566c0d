// Why a thread is late: every way of holding one, on real threads, is told for what it is, every time.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Diagnostics.Stalls;
using SspHost.Engine.Probes;
using SspHost.Engine.Tests.Graph;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Tests.Containment;

[Collection(nameof(ContainmentCollection))]
public sealed unsafe partial class StallTests
{
    private const int Times = 20;
    private const ulong Patience = 3_000_000; // ns a quantum may take: several times what the machine beneath takes away now and then

    private static readonly bool CanFifo = Privileges.Probe(90).CanFifo;

    [Fact]
    public void A_module_that_spins_is_spinning()
    {
        using var rig = Rig();
        for (var undisturbed = new Undisturbed(); undisturbed.Next(rig);)
        {
            Volatile.Write(ref Held.Kind, (int)HoldKind.Spin);
            var record = Stall(rig, out var tid);
            Release(rig);
            if (undisturbed.Counts(rig, in record)) AssertCause(StallCause.Spinning, in record, tid);
        }
    }

    [Fact]
    public void A_module_that_sleeps_is_blocked_in_that_call()
    {
        using var rig = Rig();
        for (var undisturbed = new Undisturbed(); undisturbed.Next(rig);)
        {
            Volatile.Write(ref Held.Kind, (int)HoldKind.Sleep);
            var record = Stall(rig, out var tid);
            Release(rig);
            if (!undisturbed.Counts(rig, in record)) continue;
            var verdict = AssertCause(StallCause.Blocked, in record, tid);
            Assert.Contains("nanosleep", verdict.Call, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_module_that_waits_for_a_mutex_is_blocked_by_the_thread_that_holds_it()
    {
        using var rig = Rig();
        for (var undisturbed = new Undisturbed(); undisturbed.Next(rig);)
        {
            var holder = NativeCalls.GetTid();
            _ = Trap.MutexLock(Held.Mutex);
            Volatile.Write(ref Held.Kind, (int)HoldKind.Mutex);
            StallRecord record;
            int tid;
            try
            {
                record = Stall(rig, out tid);
            }
            finally
            {
                Volatile.Write(ref Held.Kind, 0);
                _ = Trap.MutexUnlock(Held.Mutex);
            }

            Release(rig);
            if (!undisturbed.Counts(rig, in record)) continue;
            Assert.Equal("futex", AssertCause(StallCause.Blocked, in record, tid).Call);
            Assert.Equal(holder, record.Owner);
        }
    }

    [Fact]
    public void A_module_whose_memory_is_taken_away_waits_for_page_faults()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "paged-out.tmp");
        using (var file = File.Create(path)) file.Write(Enumerable.Repeat((byte)1, Held.Pages * Held.Page).ToArray());
        int fd;
        fixed (byte* p = Encoding.UTF8.GetBytes(path + "\0")) fd = Linux.Open(p, 0, 0);
        Held.Memory = (byte*)Linux.Mmap(null, Held.Pages * Held.Page, Linux.ProtRead, Linux.MapShared, fd, 0);
        _ = FSync(fd); // what is not on the disk yet cannot be taken away
        try
        {
            _ = MAdvise(Held.Memory, Held.Pages * Held.Page, Random); // nothing is read ahead
            using var rig = Rig();
            for (var undisturbed = new Undisturbed(); undisturbed.Next(rig);)
            {
                Assert.Equal((0, 0), (MAdvise(Held.Memory, Held.Pages * Held.Page, NotNeeded), FAdvise(fd, 0, 0, NotNeeded))); // out of the table, then out of the cache
                Volatile.Write(ref Held.Kind, (int)HoldKind.PageFault);
                var record = Stall(rig, out var tid);
                Release(rig);
                if (undisturbed.Counts(rig, in record)) AssertCause(StallCause.PageFault, in record, tid);
            }
        }
        finally
        {
            _ = Linux.Munmap(Held.Memory, Held.Pages * Held.Page);
            _ = Linux.Close(fd);
            File.Delete(path);
        }
    }

    [Fact]
    public void A_thread_that_another_one_keeps_from_its_core_is_preempted()
    {
        if (!CanFifo || Environment.ProcessorCount < 2) return; // nobody can be kept from anything
        using var rig = Rig();
        var stop = 0;
        var seen = 0;
        var hog = new Thread(() =>
        {
            var core = default(ThreadCalls.CoreSet);
            core.Add(1);
            var priority = 85;
            Assert.Equal(0, ThreadCalls.SetAffinity(0, (nuint)sizeof(ThreadCalls.CoreSet), &core));
            Assert.Equal(0, ThreadCalls.SetScheduler(0, ThreadCalls.SchedFifo, &priority));
            Volatile.Write(ref seen, 2);
            fixed (uint* bell = &Held.Bell)
            {
                while (Volatile.Read(ref stop) == 0)
                {
                    Linux.Wait(bell, 0, 100_000_000);
                    if (Interlocked.Exchange(ref *bell, 0) == 0) continue;
                    // From the moment the module is inside until the watchdog has looked.
                    while (Volatile.Read(ref seen) == 0 && Volatile.Read(ref stop) == 0) { }
                    Volatile.Write(ref seen, 0);
                }
            }
        }) { IsBackground = true };
        Held.Bell = 0;
        hog.Start();
        try
        {
            rig.Wait(() => Volatile.Read(ref seen) == 2, "the other thread is ready");
            Volatile.Write(ref seen, 0);
            for (var i = 0; i < Times; i++)
            {
                Volatile.Write(ref Held.Kind, (int)HoldKind.Spin);
                var record = Stall(rig, out var tid);
                Volatile.Write(ref Held.Kind, 0);
                Volatile.Write(ref seen, 1);
                Release(rig);
                rig.Wait(() => Volatile.Read(ref seen) == 0, "the other thread lets go");
                if (record.SampleCount > 0) AssertCause(StallCause.Preempted, in record, tid);
            }
        }
        finally
        {
            Volatile.Write(ref stop, 1);
            Volatile.Write(ref seen, 1);
            hog.Join();
        }
    }

    [Fact]
    public void A_thread_that_a_debugger_stops_is_stopped()
    {
        const ulong Long = 500_000_000; // time to stop it in: by then it must be
        const long Uncollected = 64 << 20;
        _ = ThreadCalls.Prctl(0x59616d61, (byte*)-1, 0, 0, 0); // PR_SET_PTRACER, any
        using var rig = Rig(Long);
        using var debugger = Debugger();
        for (var (stalls, tries) = (0, 0); stalls < Times / 4 && tries < Times; tries++)
        {
            Volatile.Write(ref Held.Kind, (int)HoldKind.Spin);
            rig.Wait(() => Volatile.Read(ref Held.Caught) != 0, "it is inside");
            var tid = Held.Caught;
            // Under the JIT a collection would wait for the stopped thread, and everybody, this one too, for the collection.
            Assert.True(GC.TryStartNoGCRegion(Uncollected));
            debugger.StandardInput.WriteLine(tid);
            if (debugger.StandardOutput.ReadLine() != "stopped") return; // not allowed here
            var early = rig.Map.Stalls.Count == 0;
            StallRecord record = default;
            rig.Wait(() => rig.Map.Stalls.TryPop(out record), "the watchdog looks");
            debugger.StandardInput.WriteLine();
            Assert.Equal("let go", debugger.StandardOutput.ReadLine());
            if (System.Runtime.GCSettings.LatencyMode == System.Runtime.GCLatencyMode.NoGCRegion) GC.EndNoGCRegion();
            Release(rig);
            if (!early) continue;
            stalls++;
            if (record.SampleCount == 0) continue; // the watchdog had no core itself
            Assert.Equal((StallCause.Stopped, tid), (StallVerdict.Of(in record, []).Cause, record.Tid));
        }

        debugger.StandardInput.Close();
        Assert.True(debugger.WaitForExit(120_000));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_storm_of_walks_changes_no_sample(int threads)
    {
        float[][] played;
        var walks = 0;
        using (var rig = new ContainmentRig(ContainmentRig.Traps(3, silent: true), threads, limitNs: 60_000_000_000))
        {
            rig.Start();
            var quanta = new List<float[]>();
            for (var poke = 0; poke < 400; poke++)
            {
                quanta.AddRange(rig.Play(5));
                for (var t = 0; t < threads; t++)
                {
                    var thread = rig.Playback.Threads + t;
                    if (!Samples.Take(thread->Sample, thread->Tid, ref thread->SamplesAsked, 5_000_000)) continue;
                    Samples.Release(thread->Sample);
                    walks++;
                }
            }

            played = [.. quanta];
        }

        Assert.True(walks > 0, "threads walked");
        ContainmentRig.AssertSame(ContainmentRig.Reference(ContainmentRig.Traps(3, silent: true), played.Length), played);
    }

    [Fact]
    public void One_stall_a_second_is_told_all_are_counted_and_a_full_ring_is_nobodys_trouble()
    {
        using var rig = Rig();
        rig.Playback.Watch->QuietNs = 1_000_000_000_000;
        Volatile.Write(ref Held.Kind, (int)HoldKind.Spin);
        _ = Stall(rig, out _);
        Release(rig);
        for (var i = 0; i < 3; i++)
        {
            var late = rig.Playback.Stalls;
            Volatile.Write(ref Held.Kind, (int)HoldKind.Spin);
            rig.Wait(() => rig.Playback.Stalls > late, "it is counted");
            Release(rig);
        }

        Assert.Equal(0, rig.Map.Stalls.Count);
        rig.Playback.Watch->QuietNs = 0;
    }

    private static ContainmentRig Rig(ulong patience = Patience)
    {
        Volatile.Write(ref Held.Kind, 0);
        Volatile.Write(ref Held.Caught, 0);
        var draft = new PatchDraft { Quantum = ContainmentRig.Quantum, Width = 1 };
        draft.Add(TestRegistry.Held);
        for (var j = 0; j < ContainmentRig.Jacks; j++)
        {
            var jack = draft.Nodes[draft.Add(TestRegistry.JackOut)];
            jack.JackIndex = j;
            jack.Inputs[0].Add(new DraftCable(0, 0));
        }

        var rig = new ContainmentRig(draft, 1, CardKind.Simulated, limitNs: 60_000_000_000);
        rig.Playback.LateLimitNs = patience;
        rig.Playback.Watch->QuietNs = 0;
        rig.Start(audioCore: Math.Min(1, Environment.ProcessorCount - 1));
        return rig;
    }

    // The stall of the quantum in which the module is held; those of before, if the machine was busy, are not of interest.
    private static StallRecord Stall(ContainmentRig rig, out int tid)
    {
        StallRecord record = default;
        rig.Wait(() => Volatile.Read(ref Held.Caught) != 0, "it is inside");
        tid = Held.Caught;
        rig.Wait(() => rig.Map.Stalls.TryPop(out record) && record.Time > Held.CaughtAt && record.Time - record.Elapsed <= Held.CaughtAt, "the watchdog looks");
        return record;
    }

    private static void Release(ContainmentRig rig)
    {
        Volatile.Write(ref Held.Kind, 0);
        rig.Wait(() => Volatile.Read(ref Held.Caught) == 0, "it comes back");
        var quanta = rig.Renderer.Quanta;
        rig.Wait(() => rig.Renderer.Quanta > quanta + 4, "it plays on");
        while (rig.Map.Stalls.TryPop(out _)) { }
    }

    private static StallVerdict AssertCause(StallCause cause, in StallRecord record, int tid)
    {
        var verdict = StallVerdict.Of(in record, []);
        var r = record;
        var states = $"{(char)(byte)r.States}{(char)(byte)(r.States >> 8)}{(char)(byte)(r.States >> 16)}";
        Assert.True(
            verdict.Cause == cause,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{verdict.Cause} instead of {cause}: states {states}, call {r.SystemCall}, window {r.Window}, cpu {r.CpuTime}, delay {r.RunDelay}, faults {r.MinorFaults}+{r.MajorFaults}, walks {r.FrameCounts[0]} {r.FrameCounts[1]} {r.FrameCounts[2]}"));
        Assert.Equal((tid, 0, 0), (record.Tid, record.Slot, record.Seat));
        Assert.InRange(record.Elapsed, Patience, ulong.MaxValue);
        return verdict;
    }

    // Other processes may really take the core away: the kernel's own account of that, kept apart from ours, says which times do not count.
    private sealed class Undisturbed
    {
        private const int MostTries = 200;
        private const ulong Taken = 500_000;
        private int _counted, _tries;
        private ulong _before;

        public bool Next(ContainmentRig rig)
        {
            _before = Delay(rig);
            if (_counted < Times && _tries++ < MostTries) return true;
            Assert.True(_counted > 0, "the thread got its core once in so many times");
            return false;
        }

        public bool Counts(ContainmentRig rig, in StallRecord record)
        {
            if (record.SampleCount == 0 || Delay(rig) - _before > Taken) return false;
            _counted++;
            return true;
        }

        private static ulong Delay(ContainmentRig rig) => ulong.Parse(
            File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{rig.Map.Threads->Tid}/schedstat")).Split(' ')[1],
            CultureInfo.InvariantCulture);
    }

    private static Process Debugger()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet" or "testhost") start.ArgumentList.Add(typeof(StallTests).Assembly.Location);
        start.ArgumentList.Add("debug");
        return Process.Start(start)!;
    }

    /// <summary>[child process] Stops the threads whose numbers come in, each until the next line does, or until nobody can be left to send one.</summary>
    internal static int Debug()
    {
        const nint Seize = 0x4206, Interrupt = 0x4207, Detach = 17;
        var lines = new System.Collections.Concurrent.BlockingCollection<string>();
        new Thread(() =>
        {
            while (Console.In.ReadLine() is { } line) lines.Add(line);
            lines.CompleteAdding();
        }) { IsBackground = true }.Start();
        int status;
        foreach (var line in lines.GetConsumingEnumerable())
        {
            var tid = int.Parse(line, CultureInfo.InvariantCulture);
            var stopped = PTrace(Seize, tid, 0, 0) == 0 && PTrace(Interrupt, tid, 0, 0) == 0 && WaitPid(tid, &status, 0x40000000) == tid;
            Console.Out.WriteLine(stopped ? "stopped" : "refused");
            if (!stopped) return 1;
            _ = lines.TryTake(out _, TimeSpan.FromSeconds(60)); // whoever waits for the thread may wait for us as well
            Console.Out.WriteLine(PTrace(Detach, tid, 0, 0) == 0 ? "let go" : "held");
        }

        return 0;
    }

    [LibraryImport("libc", EntryPoint = "ptrace")]
    private static partial nint PTrace(nint request, nint tid, nint address, nint data);

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitPid(int pid, int* status, int options);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MAdvise(void* address, nuint bytes, int advice);

    private const int Random = 1, NotNeeded = 4;

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int FAdvise(int fd, nint offset, nint bytes, int advice);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FSync(int fd);
}
