// Rights: found by trying, and doing without them.
using SspHost.Engine.Threads;

namespace SspHost.Engine.Tests.Threads;

public sealed class PrivilegesTests
{
    [Fact]
    public void Probing_leaves_the_thread_as_it_was()
    {
        var before = ThreadCalls.GetScheduler(0);
        _ = Privileges.Probe(80);
        Assert.Equal(before, ThreadCalls.GetScheduler(0));
    }

    [Fact]
    public void Limits_are_those_the_kernel_lists()
    {
        var rights = Privileges.Probe(80);
        var line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max locked memory", StringComparison.Ordinal));
        var soft = line["Max locked memory".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        Assert.Equal(soft == "unlimited" ? ulong.MaxValue : ulong.Parse(soft, System.Globalization.CultureInfo.InvariantCulture), rights.MemlockBytes);
        Assert.Equal(File.Exists("/proc/sys/kernel/sched_rt_runtime_us"), rights.RtRuntimeMicroseconds != 0);
    }

    [UnprivilegedFact]
    public void Without_the_privilege_the_thread_runs_as_an_ordinary_one_pinned_and_flushing_denormals()
    {
        using var program = new UnprivilegedProgram();
        var (code, output, errors) = program.Run("unprivileged");
        Assert.True(code == 0, errors);
        Assert.Equal("fifo=False limit=0 root=False error=0 realtime=False policy=0 ftz=1 pinned=True joined=True ran=1\n", output);
    }

    [Fact]
    public void One_malloc_arena_is_accepted_by_the_C_library() => Assert.True(CLibrary.UseOneArena());
}
