// When a device has ended or is gone, everything but sound goes on: patches are edited, states are saved, audio starts again.
using System.Diagnostics;
using System.Text;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Patching;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class EndedDeviceTests : IDisposable
{
    private const int Rate = 48_000;
    private const ulong Frames = 4800;

    private readonly Runtime _runtime = new();

    public void Dispose() => _runtime.Dispose();

    [Fact]
    public void After_a_recording_ended_a_plan_installs_a_state_is_saved_and_audio_starts_again()
    {
        using var engine = Process.GetProcessById(StartEngine());
        using var link = EngineLink.Attach(_runtime.Directory);
        var plan = Compile(link);
        link.InstallPlan(plan.Description.AsSpan(), Rate);
        for (var round = 0; round < 3; round++)
        {
            using var ring = link.Allocate(StreamPipe.BytesFor(2, 8192));
            Play(link, ring);
            Eventually.True(() => link.State == EngineState.DeviceLost, "the stream ended");

            link.InstallPlan(plan.Description.AsSpan(), Rate);
            var sequencer = plan.Instances.Single(i => i.Module == "seq");
            var (state, version) = link.SaveState(sequencer.Slot, sequencer.Key, 1024);
            Assert.NotEmpty(state);
            link.LoadState(sequencer.Slot, sequencer.Key, state, version);
            link.StopAudio(0);
            Assert.Equal(EngineState.Stopped, link.State);
        }

        EngineProcessTests.AssertHeapStoodStill(link);
        link.Shutdown(0);
    }

    [Fact]
    public void A_session_that_dies_while_streaming_leaves_no_card_that_plays_from_freed_memory()
    {
        _ = StartEngine();
        using (var first = EngineLink.Attach(_runtime.Directory))
        {
            first.InstallPlan(Compile(first).Description.AsSpan(), Rate);
            Play(first, first.Allocate(StreamPipe.BytesFor(2, 8192)), endless: true); // never drained: the card waits in it
        }

        using var second = EngineLink.Attach(_runtime.Directory);
        Assert.Equal(EngineState.Stopped, second.State);
        for (var i = 0; i < 100; i++) second.Allocate(100_000).Bytes.Fill(0xFF);
        Assert.True(second.TrySteward(out _));
        second.Shutdown(0);
    }

    [Fact]
    public void A_card_that_nothing_would_ever_hold_back_is_refused()
    {
        _ = StartEngine();
        using var link = EngineLink.Attach(_runtime.Directory);
        var config = Config();
        config.Frames = 0;
        Assert.Throws<EngineRefusedException>(() => link.StartAudio(config));
    }

    private static AudioConfig Config() => new()
    {
        Card = CardKind.Stream, Rate = Rate, Quantum = 32, Period = 32, Periods = 4, Inputs = 0, Outputs = 2, Threads = 1, Frames = Frames,
    };

    private static unsafe void Play(EngineLink link, Grant ring, bool endless = false)
    {
        _ = StreamPipe.Create(ring.Pointer, 2, 8192);
        var config = Config();
        config.OutputStream = ring.Offset;
        if (endless) config.Frames = 0;
        config.Cores[0] = -1;
        link.StartAudio(config);
    }

    private static CompiledPlan Compile(EngineLink link)
    {
        var modules = DescriptorIndex.Read(link.Map.Descriptors);
        var json = """
            {"format":1,"id":"ended","name":"Ended","quantum":32,
             "modules":[{"id":"seq","type":"seq8"},{"id":"out","type":"audio-out"}],
             "cables":[{"from":"seq.gate","to":"out.in1"}]}
            """;
        var load = PatchJson.Read(Encoding.UTF8.GetBytes(json), "test", modules);
        Assert.True(load.Patch != null, load.Error?.ToString());
        var plan = PlanCompiler.Compile(load.Patch!, modules, new SlotMap(), new CompileOptions(), out var error);
        Assert.True(plan != null, error?.ToString());
        return plan!;
    }

    private int StartEngine()
    {
        var process = Executables.Start(Executables.Engine, _runtime.Directory, "--runtime", _runtime.Directory, "--region-mib", "64");
        _ = Eventually.Get(() => EngineFile.TryRead(_runtime.Directory) is { } f && f.Pid == process.Id ? f : null, "the engine serves");
        return process.Id;
    }
}
