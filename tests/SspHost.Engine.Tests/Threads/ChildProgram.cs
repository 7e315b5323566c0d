// Entry point of the test assembly as a child process: what must be tried with other rights than the test run has, or ends it.
using SspHost.Abi;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Tests.Threads;

internal static unsafe class ChildProgram
{
    public static int Main(string[] arguments)
    {
        if (arguments is ["fault", var kind]) return Containment.FaultProgram.Run(kind);
        if (arguments is ["debug", var tid]) return Containment.StallTests.Debug(int.Parse(tid, System.Globalization.CultureInfo.InvariantCulture));
        if (arguments is not ["unprivileged"]) return 2;
        var rights = Privileges.Probe(80);
        using var stack = new TestStack(256 * 1024);
        var thread = default(RtThread);
        var record = default(ThreadRecord);
        var setup = new RtThreadSetup { Stack = stack.Start, StackBytes = stack.Bytes, Priority = 80, Core = Topology.Read()[^1].Number, Record = &record };
        var ran = 0;
        var error = RtThread.Start(&thread, setup, "ssp-audio"u8, &Count, &ran);
        var joined = RtThread.TryEnd(&thread, 10_000_000_000);
        Console.WriteLine(
            $"fifo={rights.CanFifo} limit={rights.RtPriorityLimit} root={rights.Root} error={error} realtime={thread.RealTime} policy={record.Policy} " +
            $"ftz={record.FlushToZero} pinned={record.Core == setup.Core} joined={joined} ran={ran}");
        return 0;
    }

    private static void Count(void* ran) => ++*(int*)ran;
}
