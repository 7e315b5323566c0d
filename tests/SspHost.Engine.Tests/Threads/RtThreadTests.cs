// RT threads: what the kernel and the registers say of them, not what was asked.
using System.Runtime.CompilerServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Probes;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Tests.Threads;

public sealed unsafe class RtThreadTests
{
    private const ulong Second = 1_000_000_000;
    private static readonly bool CanFifo = Privileges.Probe(80).CanFifo;

    private struct Findings
    {
        public int Tid, Release, Runs;
        public float DenormalResult, DenormalOperand;
        public int FlushToZero;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Multiply(float a, float b) => a * b;

    private static void Look(void* argument)
    {
        var f = (Findings*)argument;
        f->DenormalResult = Multiply(1.17549435e-38f, 0.5f);
        f->DenormalOperand = Multiply(1e-40f, 1e30f);
        f->FlushToZero = FlushToZero.IsEnabled ? 1 : 0;
        f->Runs++;
        Volatile.Write(ref f->Tid, NativeCalls.GetTid());
        while (Volatile.Read(ref f->Release) == 0) Linux.Wait((uint*)&f->Release, 0, 10_000_000);
    }

    private static void Run(RtThreadSetup setup, ReadOnlySpan<byte> name, Action<RtThread, ThreadRecord, Findings> check, bool locked = true)
    {
        using var stack = new TestStack(locked: locked);
        var thread = default(RtThread);
        var record = default(ThreadRecord);
        var findings = default(Findings);
        setup.Stack = stack.Start;
        setup.StackBytes = stack.Bytes;
        setup.Record = &record;
        Assert.Equal(0, RtThread.Start(&thread, setup, name, &Look, &findings));
        try
        {
            while (Volatile.Read(ref findings.Tid) == 0) Thread.Sleep(1);
            record.StackLocked = StackLock.IsLocked(stack.Start, stack.Bytes) ? 1 : 0;
            check(thread, record, findings);
        }
        finally
        {
            Volatile.Write(ref findings.Release, 1);
            Linux.Wake((uint*)&findings.Release, 1);
            Assert.True(RtThread.TryEnd(&thread, 10 * Second));
        }

        Assert.Equal(1, findings.Runs);
        Assert.False(thread.IsRunning);
    }

    [Fact]
    public void It_runs_at_the_policy_priority_core_and_name_asked_for_and_the_kernel_agrees()
    {
        var core = Topology.Read()[^1].Number;
        Run(new RtThreadSetup { Priority = 77, Core = core }, "ssp-test-with-a-long-name"u8, (thread, record, _) =>
        {
            Assert.Equal(CanFifo, thread.RealTime);
            Assert.Equal(CanFifo ? 1 : 0, ThreadCalls.GetScheduler(record.Tid)); // the kernel's own answer, from outside
            Assert.Equal(CanFifo ? 1 : 0, record.Policy);
            Assert.Equal(CanFifo ? 77 : 0, record.Priority);
            Assert.Equal(core, record.Core);
            var task = $"/proc/self/task/{record.Tid}";
            Assert.Equal("ssp-test-with-a\n", File.ReadAllText($"{task}/comm"));
            Assert.Equal("ssp-test-with-a", Encoding.ASCII.GetString(new ReadOnlySpan<byte>(record.Name, 15)));
            Assert.Contains($"Cpus_allowed_list:\t{core}\n", File.ReadAllText($"{task}/status"), StringComparison.Ordinal);
            // Fields after the name in parentheses: 40 = rt_priority, 41 = policy, counted from 1 with the name as 2.
            var fields = File.ReadAllText($"{task}/stat").Split(") ")[1].Split(' ');
            Assert.Equal(CanFifo ? "77" : "0", fields[37]);
            Assert.Equal(CanFifo ? "1" : "0", fields[38]);
        });
    }

    [Fact]
    public void Without_a_priority_and_a_core_it_is_an_ordinary_thread_on_any_core()
    {
        Run(new RtThreadSetup { Core = -1 }, "ssp-plain"u8, (thread, record, _) =>
        {
            Assert.False(thread.RealTime);
            Assert.Equal(0, record.Policy);
            Assert.Equal(0, record.Priority);
            if (Environment.ProcessorCount > 1) Assert.Equal(-1, record.Core);
        });
    }

    [Fact]
    public void Denormals_are_zero_on_it_in_arithmetic_and_in_the_register_and_the_creator_is_untouched()
    {
        Run(new RtThreadSetup { Core = -1 }, "ssp-ftz"u8, (_, record, findings) =>
        {
            Assert.Equal(0f, findings.DenormalResult);
            Assert.Equal(0f, findings.DenormalOperand);
            Assert.Equal(1, findings.FlushToZero);
            Assert.Equal(1, record.FlushToZero);
        });
        Assert.True(Multiply(1.17549435e-38f, 0.5f) > 0, "the creating thread keeps IEEE arithmetic");
        Assert.False(FlushToZero.IsEnabled);
    }

    [Fact]
    public void Flush_to_zero_switches_on_and_off_and_leaves_the_other_control_bits_alone()
    {
        var before = FlushToZero.ControlRegister;
        Assert.True(FlushToZero.Enable());
        Assert.Equal(0f, Multiply(1.17549435e-38f, 0.5f));
        Assert.True(FlushToZero.Disable());
        Assert.True(Multiply(1.17549435e-38f, 0.5f) > 0);
        const ulong Sticky = 0x3F; // MXCSR's exception flags record what happened
        Assert.Equal(before & ~Sticky, FlushToZero.ControlRegister & ~Sticky);
    }

    [Fact]
    public void The_steward_sees_whether_its_stack_is_locked()
    {
        Run(new RtThreadSetup { Core = -1 }, "ssp-locked"u8, (_, record, _) => Assert.Equal(1, record.StackLocked));
        Run(new RtThreadSetup { Core = -1 }, "ssp-unlocked"u8, (_, record, _) => Assert.Equal(0, record.StackLocked), locked: false);
    }

    [Fact]
    public void A_stack_too_small_or_a_core_that_does_not_exist_is_an_errno_and_no_thread()
    {
        using var stack = new TestStack();
        var thread = default(RtThread);
        var setup = new RtThreadSetup { Stack = stack.Start, StackBytes = 4096, Core = -1 };
        Assert.Equal(22, RtThread.Start(&thread, setup, "x"u8, &Look, null));
        setup.StackBytes = stack.Bytes;
        foreach (var core in new[] { 1000, 5000 })
        {
            setup.Core = core;
            Assert.Equal(22, RtThread.Start(&thread, setup, "x"u8, &Look, null));
        }

        Assert.False(thread.IsRunning);
        Assert.True(RtThread.TryJoin(&thread, 0));
    }

    [Fact]
    public void Joining_a_thread_that_does_not_end_is_bounded_and_can_be_tried_again()
    {
        using var stack = new TestStack();
        var thread = default(RtThread);
        var findings = default(Findings);
        var setup = new RtThreadSetup { Stack = stack.Start, StackBytes = stack.Bytes, Core = -1 };
        Assert.Equal(0, RtThread.Start(&thread, setup, "ssp-stuck"u8, &Look, &findings));
        Assert.False(RtThread.TryJoin(&thread, 20_000_000));
        Assert.True(thread.IsRunning);
        Volatile.Write(ref findings.Release, 1);
        Assert.True(RtThread.TryEnd(&thread, 10 * Second));
    }

    [Fact]
    public void Making_and_joining_threads_allocates_nothing_managed()
    {
        using var stack = new TestStack();
        var thread = default(RtThread);
        var record = default(ThreadRecord);
        var setup = new RtThreadSetup { Stack = stack.Start, StackBytes = stack.Bytes, Priority = 50, Core = -1, Record = &record };
        long before = 0;
        for (var i = 0; i < 20; i++)
        {
            if (i == 2) before = GC.GetAllocatedBytesForCurrentThread();
            var findings = new Findings { Release = 1 };
            if (RtThread.Start(&thread, setup, "ssp-again"u8, &Look, &findings) != 0 || !RtThread.TryJoin(&thread, 10 * Second)) Assert.Fail("no thread");
            _ = StackLock.IsLocked(stack.Start, stack.Bytes);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(RtThread.TryEnd(&thread, 10 * Second));
    }

    [Fact]
    public void A_parked_thread_runs_again_as_somebody_else_and_is_the_same_thread()
    {
        using var stack = new TestStack();
        var thread = default(RtThread);
        var cores = Topology.Read();
        var tid = 0;
        for (var i = 0; i < 6; i++)
        {
            var record = default(ThreadRecord);
            var findings = new Findings { Release = 1 };
            var core = i % 3 == 2 ? -1 : cores[i % cores.Length].Number;
            var setup = new RtThreadSetup { Stack = stack.Start, StackBytes = stack.Bytes, Priority = i % 2 == 0 ? 60 + i : 0, Core = core, Record = &record };
            Assert.Equal(0, RtThread.Start(&thread, setup, i % 2 == 0 ? "ssp-even"u8 : "ssp-odd"u8, &Look, &findings));
            Assert.True(RtThread.TryJoin(&thread, 10 * Second));
            Assert.Equal(1, findings.Runs);
            if (tid == 0) tid = record.Tid;
            Assert.Equal(tid, record.Tid);
            var fifo = CanFifo && i % 2 == 0;
            Assert.Equal((fifo, fifo ? 1 : 0, fifo ? 60 + i : 0), (thread.RealTime, record.Policy, record.Priority));
            Assert.Equal(core < 0 && cores.Length > 1 ? -1 : core < 0 ? cores[0].Number : core, record.Core);
            Assert.Equal(1, record.FlushToZero);
            Assert.StartsWith(i % 2 == 0 ? "ssp-even\0" : "ssp-odd\0", Encoding.ASCII.GetString(new ReadOnlySpan<byte>(record.Name, 16)), StringComparison.Ordinal);
        }

        Assert.True(RtThread.TryEnd(&thread, 10 * Second));
        // Its memory is free when the kernel has cleared its number, which is a moment before it is gone from /proc.
        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists($"/proc/self/task/{tid}"), TimeSpan.FromSeconds(10)), "it is there still");
    }

    [Fact]
    public void A_thread_that_runs_is_not_started_twice()
    {
        using var stack = new TestStack();
        var thread = default(RtThread);
        var findings = default(Findings);
        var setup = new RtThreadSetup { Stack = stack.Start, StackBytes = stack.Bytes, Core = -1 };
        Assert.Equal(0, RtThread.Start(&thread, setup, "ssp-once"u8, &Look, &findings));
        Assert.Equal(16, RtThread.Start(&thread, setup, "ssp-twice"u8, &Look, &findings));
        Volatile.Write(ref findings.Release, 1);
        Assert.True(RtThread.TryEnd(&thread, 10 * Second));
        Assert.Equal(1, findings.Runs);
    }
}
