// Two lists of the same system calls: what the proof lets real-time code reach, and what the checked build lets through as it runs.
using System.Text.RegularExpressions;

namespace SspHost.Proof.Tests;

[Collection("engine")]
public sealed partial class SystemCallTests
{
    // Calls on a thread whose guards are armed: the kernel's names of what they make.
    private static readonly (string Function, string Caller, string Call)[] Guarded =
    [
        ("syscall", "SspHost.Abi.Linux.Wait", "futex"),
        ("syscall", "SspHost.Abi.Linux.Wake", "futex"),
        ("syscall", "SspHost.Engine.Threads.StallLook.IsThread", "tgkill"),
        ("syscall", "ssp_sample_poke", "tgkill"),
        ("getpid", "ssp_sample_poke", "getpid"),
        ("clock_gettime", "*", "clock_gettime"),
        ("clock_nanosleep", "*", "clock_nanosleep"),
        ("getrusage", "*", "getrusage"),
        ("ppoll", "*", "ppoll"),
        ("read", "SspHost.Engine.Events.EventsThread.*", "read"),
        ("pread", "*", "pread64"),
        ("process_vm_readv", "*", "process_vm_readv"),
        ("sched_setscheduler", "*", "sched_setscheduler"),
        ("sched_setaffinity", "*", "sched_setaffinity"),
        ("sched_getaffinity", "SspHost.Engine.Threads.RtThread.Resume", "sched_getaffinity"),
        ("RhFlushProcessWriteBuffers", "*", "membarrier"),
    ];

    // On the proof's list, and not let through by the guards; and why nobody misses them there.
    private static readonly (string Function, string Caller, string Why)[] NotGuarded =
    [
        ("syscall", "ssp_gettid", "before RtGuard.Enter"),
        ("prctl", "SspHost.Engine.Threads.RtThread.*", "before RtGuard.Enter"),
        ("open", "SspHost.Engine.Threads.ThreadFiles.Open", "before RtGuard.Enter"),
        ("sigaltstack", "ssp_faults_*", "before RtGuard.Enter, after RtGuard.Leave"),
        ("sigaltstack", "ssp_attach", "RtGuard.Permit: once for each library with a runtime, between quanta"),
        ("close", "SspHost.Engine.Threads.ThreadFiles.Close", "after RtGuard.Leave"),
        ("sched_get*", "SspHost.Engine.Threads.RtThread.Describe", "before RtGuard.Enter"),
        ("sched_getaffinity", "SspHost.Engine.Threads.RtThread.PinnedCore", "before RtGuard.Enter"),
        ("pthread_*", "SspHost.Engine.Threads.RtThread.TryCreate", "the steward's branch of a start"),
        ("write", "SspHost.Engine.Service.Playback.GiveUp", "RtGuard.Permit: the process ends there"),
        ("_exit", "SspHost.Engine.Service.Playback.GiveUp", "likewise"),
        ("pause", "on_fault", "a thread that is held after a fault may pause and nothing else (on_trap)"),
        ("getpid", "on_fault", "only of an abort, which has been reported by then"),
        ("signal", "on_fault", "the process ends there"),
        ("raise", "on_fault", "likewise"),
        ("RhpPInvoke*", "*", "no system call while nothing is collected"),
        ("RhpGcPoll", "*", "likewise"),
        ("RhpFallbackFailFast", "*", "the process ends there"),
        ("RhGetAllocatedBytesForCurrentThread", "*", "no system call"),
        ("SystemNative_GetErrNo", "*", "no system call"),
        ("__errno_location", "*", "no system call"),
        ("__libc_current_sigrtmin", "*", "no system call"),
        ("__sigsetjmp", "*", "no system call: the mask is not asked for"),
        ("siglongjmp", "*", "no system call: no mask was stored"),
        ("backtrace", "*", "no system call once its library is loaded"),
    ];

    // Let through by the guards, and nowhere to be seen in the engine.
    private static readonly Dictionary<string, string> OutsideTheProof = new(StringComparer.Ordinal)
    {
        ["ioctl"] = "libasound, behind native:snd_pcm_*",
        ["poll"] = "likewise",
        ["restart_syscall"] = "the kernel's own, after a signal",
    };

    [Fact]
    public void Every_outside_call_of_the_proof_is_a_system_call_the_guards_let_through_or_has_a_reason_not_to_be()
    {
        var rows = Guarded.Select(static g => (g.Function, g.Caller)).Concat(NotGuarded.Select(static n => (n.Function, n.Caller))).ToList();
        var used = new HashSet<(string, string)>();
        var verdict = Walk.Prove(Objects.EngineImage, Rules.Open(Objects.List));
        foreach (var ((kind, target), callers) in verdict.Allowed)
        {
            if (kind == "throw") continue; // managed code
            foreach (var caller in callers)
            {
                var fit = rows.Where(r => new Pattern(r.Function).Matches(target) && new Pattern(r.Caller).Matches(caller)).ToList();
                Assert.True(fit.Count == 1, $"{target} from {caller}: in {fit.Count} rows of this test; what does the checked build say to it?");
                _ = used.Add(fit[0]);
            }
        }

        Assert.Empty(rows.Except(used));
    }

    [Fact]
    public void The_guards_let_through_what_the_proof_lists_and_nothing_else()
    {
        var through = LetThrough();
        Assert.True(through.Count > 10, "the list of syscalls.c was read");
        var listed = Guarded.Select(static g => g.Call).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(listed.Intersect(OutsideTheProof.Keys));
        Assert.Equal(listed.Concat(OutsideTheProof.Keys).Order(StringComparer.Ordinal), through.Order(StringComparer.Ordinal));
    }

    /// <summary>The numbers the engine passes to syscall() itself are those of the kernel's headers, on the machine at hand.</summary>
    [Theory]
    [InlineData("src/SspHost.Abi/Linux.cs", "SysFutex", "futex")]
    [InlineData("src/SspHost.Engine/Threads/StallLook.cs", "TgKillNumber", "tgkill")]
    public void Numbers_written_in_the_engine_are_the_kernel_headers_own(string file, string name, string call)
    {
        var source = File.ReadAllText(Path.Combine(Objects.Root, file));
        var written = Regex.Match(source, name + @" =>? RuntimeInformation\.ProcessArchitecture == Architecture\.Arm64 \? (\d+) : (\d+);", RegexOptions.None, TimeSpan.FromSeconds(1));
        Assert.True(written.Success, $"{name} in {file}");
        var header = Objects.Run("sh", "-c", $"printf '#include <sys/syscall.h>\\nNUMBER SYS_{call}\\n' | cc -E -P -").Split('\n').Single(static l => l.StartsWith("NUMBER ", StringComparison.Ordinal));
        Assert.Equal(header["NUMBER ".Length..].Trim(), written.Groups[Objects.Rid == "linux-arm64" ? 1 : 2].Value);
    }

    private static List<string> LetThrough()
    {
        var source = File.ReadAllText(Path.Combine(Objects.Root, "src/SspHost.Native/checked/syscalls.c"));
        var start = source.IndexOf("} allowed[] = {", StringComparison.Ordinal);
        var list = source[start..source.IndexOf("};", start, StringComparison.Ordinal)];
        return [.. Entry().Matches(list).Select(static m => m.Groups["call"].Value)];
    }

    [GeneratedRegex(@"^\s*\{ SYS_(?<call>\w+), ""[^""]+"" \},$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Entry();
}
