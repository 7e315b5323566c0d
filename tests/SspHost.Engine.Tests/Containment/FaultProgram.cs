// Faults in managed code, in a process of their own: a thread held there would keep the collector of the test run waiting for ever.
using System.Diagnostics;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Tests.Containment;

[Collection(nameof(ContainmentCollection))]
public sealed class ManagedFaultTests
{
    [Theory]
    [InlineData(nameof(TrapKind.StackOverflow), 11)]
    [InlineData(nameof(TrapKind.ManagedWriteToNull), 11)]
    [InlineData(nameof(TrapKind.ManagedDivideByZero), 8)]
    public void A_fault_in_a_modules_managed_code_never_reaches_the_runtime_and_the_patch_plays_on(string kind, int signal)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet" or "testhost") start.ArgumentList.Add(typeof(FaultProgram).Assembly.Location);
        start.ArgumentList.Add("fault");
        start.ArgumentList.Add(kind);
        start.Environment["DOTNET_GCgen0size"] = "10000000"; // hexadecimal: 256 MiB, so that nothing is collected
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEnd() + child.StandardError.ReadToEnd();
        Assert.True(child.WaitForExit(120_000));
        Assert.Equal($"played on, fault {signal}", output.Trim());
        Assert.Equal(0, child.ExitCode);
    }
}

internal static unsafe partial class FaultProgram
{
    public static int Run(string kind)
    {
        var rig = new ContainmentRig(Enum.Parse<TrapKind>(kind), 20, 2, limitNs: 60_000_000_000);
        rig.Start();
        var played = rig.Play(100);
        var notice = rig.Notices().Single();
        Assert.Equal((NoticeKind.ModuleShed, 3, (long)ShedReason.Fault), (notice.Kind, notice.Slot, notice.A));
        ContainmentRig.AssertSame(ContainmentRig.Reference(ContainmentRig.Patch(TrapKind.Silence, 20, 1), played.Length), played);
        Console.Out.WriteLine($"played on, fault {notice.B}");
        Console.Out.Flush();
        Exit(GC.CollectionCount(0)); // a runtime that leaves in good order would wait for the thread
        return 0;
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);
}
