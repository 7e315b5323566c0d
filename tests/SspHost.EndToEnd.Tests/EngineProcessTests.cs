// The engine as a process: it is found, attached to, taken over and left, and neither side's death harms the other.
using System.Diagnostics;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class EngineProcessTests : IDisposable
{
    private readonly Runtime _runtime = new();

    public void Dispose() => _runtime.Dispose();

    [Fact]
    public async Task It_describes_its_modules_without_running()
    {
        using var process = Executables.Start(Executables.Engine, _runtime.Directory, "--describe");
        using var blob = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(blob);
        await process.WaitForExitAsync();
        var modules = DescriptorBlob.Read(blob.ToArray());
        Assert.Equal(0, process.ExitCode);
        Assert.Contains(modules, m => m.Id == "vco");
        Assert.Contains(modules, m => m.Id == "audio-out" && !m.Sheddable);
    }

    [Theory]
    [InlineData("--runtime")]
    [InlineData("--region-mib", "1", "--runtime", "/tmp")]
    [InlineData("--region-mib", "many", "--runtime", "/tmp")]
    [InlineData("--nonsense", "1")]
    public async Task A_wrong_argument_is_one_line_and_exit_code_2(params string[] arguments)
    {
        var outcome = await Executables.Run(Executables.Engine, _runtime.Directory, arguments);
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("ssp-engine: ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_found_by_its_file_and_ends_when_asked()
    {
        using var engine = StartEngine();
        using (var link = EngineLink.Attach(_runtime.Directory))
        {
            Assert.Equal(engine.Id, link.Process!.Pid);
            Assert.Equal(EngineState.Stopped, link.State);
            Assert.NotEmpty(link.ReadDescriptors());
            link.Shutdown(0);
        }

        Assert.True(engine.WaitForExit(120_000));
        Assert.Equal(0, engine.ExitCode);
        Assert.False(File.Exists(_runtime.File("engine.json")));
    }

    [Fact]
    public void SIGTERM_makes_it_leave_with_0()
    {
        using var engine = StartEngine();
        using var handle = EngineProcess.Open(engine.Id)!;
        handle.Signal(15);
        Assert.True(engine.WaitForExit(120_000));
        Assert.Equal(0, engine.ExitCode);
    }

    [Fact]
    public void A_second_control_process_is_refused_and_may_look()
    {
        using var engine = StartEngine();
        using var first = EngineLink.Attach(_runtime.Directory);
        Assert.Throws<EngineTakenException>(() => EngineLink.Attach(_runtime.Directory));
        using var looker = EngineLink.Look(_runtime.Directory);
        Assert.True(looker.TrySteward(out _));
    }

    [Fact]
    public void What_a_dead_session_was_granted_is_free_again()
    {
        using var engine = StartEngine();
        long before;
        using (var first = EngineLink.Attach(_runtime.Directory))
        {
            before = Live(first);
            for (var i = 0; i < 50; i++) _ = first.Allocate(100_000); // never freed: this process "dies"
            Eventually.True(() => Live(first) >= before + 5_000_000, "the grants show in the pool's account");
        }

        using var second = EngineLink.Attach(_runtime.Directory);
        Eventually.True(() => Live(second) <= before + 1000, "the dead session's grants are freed");
    }

    [Fact]
    public void Requests_that_make_no_sense_are_refused_with_a_reason_and_harm_nothing()
    {
        using var engine = StartEngine();
        using var link = EngineLink.Attach(_runtime.Directory);
        var random = new Random(20);
        for (var i = 0; i < 3000; i++)
        {
            var kind = (RequestKind)random.Next(0, 14);
            if (kind is RequestKind.Shutdown or RequestKind.Attach or RequestKind.Allocate) continue;
            var request = new Request
            {
                Kind = kind, Offset = Odd(random), A = Odd(random), B = Odd(random), C = Odd(random), D = Odd(random),
            };
            if (kind == RequestKind.SetDiagnostics) request.A = random.Next(0, 2);
            try
            {
                link.Ask(request);
            }
            catch (EngineRefusedException e)
            {
                Assert.False(string.IsNullOrWhiteSpace(e.Message));
            }
        }

        using var block = link.Allocate(4096);
        var garbage = new byte[4096];
        for (var i = 0; i < 2000; i++)
        {
            random.NextBytes(garbage);
            if (i % 2 == 0) System.Runtime.InteropServices.MemoryMarshal.Write(garbage, AbiVersion.Plan);
            garbage.CopyTo(block.Bytes);
            var kind = (i % 3) switch { 0 => RequestKind.InstallPlan, 1 => RequestKind.StartAudio, _ => RequestKind.SetAsset };
            Assert.Throws<EngineRefusedException>(() => link.Ask(new Request { Kind = kind, Offset = block.Offset, A = random.Next(0, 8) }));
        }

        Assert.Equal(EngineState.Stopped, link.State);
        AssertHeapStoodStill(link);
    }

    private static long Odd(Random random) => random.Next(6) switch
    {
        0 => 0,
        1 => random.Next(),
        2 => -random.NextInt64(),
        3 => random.NextInt64(),
        4 => long.MaxValue,
        _ => random.Next(0, 300 << 20),
    };

    /// <summary>The design's promise: nothing managed is allocated and nothing collected after start.</summary>
    internal static void AssertHeapStoodStill(EngineLink link)
    {
        var status = StatusFromNow(link);
        Assert.Equal(0, status.Collections);
        Assert.Equal(0, status.AllocatedBytes);
        if (link.TryAudio(out var audio)) Assert.Equal(0UL, audio.AllocatedBytes);
    }

    /// <summary>What the steward tells of a moment after this one.</summary>
    internal static StewardStatus StatusFromNow(EngineLink link)
    {
        var now = Linux.Now();
        StewardStatus status = default;
        Eventually.True(() => link.TrySteward(out status) && status.Time > now, "a status from now on");
        return status;
    }

    private static long Live(EngineLink link) => StatusFromNow(link).PoolLive;

    private Process StartEngine()
    {
        var process = Executables.Start(Executables.Engine, _runtime.Directory, "--runtime", _runtime.Directory, "--region-mib", "64");
        _ = Eventually.Get(() => EngineFile.TryRead(_runtime.Directory) is { } f && f.Pid == process.Id ? f : null, "the engine serves");
        return process;
    }
}
