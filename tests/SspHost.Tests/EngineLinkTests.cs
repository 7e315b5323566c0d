// The client of the region: what it asks, what it makes of each answer, and of none.
using System.Text;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Playing;

namespace SspHost.Tests;

public sealed unsafe class EngineLinkTests : IDisposable
{
    private readonly FakeEngine _engine = new();

    [Fact]
    public void A_session_is_taken_and_every_request_carries_it()
    {
        using var link = Attach();
        link.Allocate(100).Dispose();
        Assert.Equal(1u, link.Session);
        Assert.Equal([0u, 1u, 1u], _engine.Seen.Select(r => r.Session));
        Assert.Equal(3, _engine.Seen.Select(r => r.Id).Distinct().Count());
    }

    [Fact]
    public void A_plan_travels_in_a_block_that_is_given_back()
    {
        byte[]? arrived = null;
        _engine.Answer = (engine, r) =>
        {
            if (r.Kind == RequestKind.InstallPlan) arrived = new Span<byte>(engine.Map.At(r.Offset), 512).ToArray();
            return engine.Serve(r);
        };
        using var link = Attach();
        var plan = new byte[512];
        new Random(3).NextBytes(plan);
        link.InstallPlan(plan, 96_000);
        Assert.Equal(plan, arrived);
        Assert.Equal(0, _engine.Grants);
        Assert.Equal(96_000, _engine.Seen.Single(r => r.Kind == RequestKind.InstallPlan).A);
    }

    [Fact]
    public void An_asset_is_planar_aligned_and_the_engines_once_it_was_handed_over()
    {
        using var link = Attach();
        using (var upload = AssetUpload.Create(link, 3, 1000, 44_100))
        {
            var frames = new float[3000];
            for (var i = 0; i < frames.Length; i++) frames[i] = i;
            upload.WriteInterleaved(0, frames.AsSpan(0, 1500));
            upload.WriteInterleaved(500, frames.AsSpan(1500));
            var asset = (Asset*)upload.Block.Pointer;
            for (var c = 0; c < 3; c++)
            {
                Assert.Equal(0, (long)Asset.Channel(asset, c) % 64);
                for (var f = 0; f < 1000; f++) Assert.Equal((3 * f) + c, Asset.Channel(asset, c)[f]);
            }

            Assert.Throws<ArgumentOutOfRangeException>(() => upload.WriteInterleaved(999, new float[6]));
            link.SetAsset(5, 0x1_2345_6789, 2, upload.Block);
        }

        Assert.Equal(1, _engine.Grants);
        var set = _engine.Seen.Single(r => r.Kind == RequestKind.SetAsset);
        Assert.Equal((5, 2, 0x2345_6789), (set.A, set.B, set.C));
    }

    [Fact]
    public void An_asset_says_what_its_file_says_of_it_and_nothing_outside_its_frames()
    {
        using var link = Attach();
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, WavFactsTests.File(400, WavFactsTests.Sampler(69, 0x4000_0000, (0, 100, 299)), WavBytes.Chunk("clm ", "<!>128 10000000 x"u8.ToArray())));
            var said = new List<string>();
            using var upload = AssetFiles.Upload(link, file, said.Add);
            var asset = (Asset*)upload.Block.Pointer;
            Assert.Equal((100L, 300L, 128), (asset->LoopStart, asset->LoopEnd, asset->CycleFrames));
            Assert.Equal(9.25f / 12f, asset->Root, 1e-6f);
            Assert.Empty(said);
            Assert.Throws<ArgumentOutOfRangeException>(() => upload.Describe(0, 401, 0, 0));
            Assert.Throws<ArgumentOutOfRangeException>(() => upload.Describe(5, 5, 0, 0));
            Assert.Throws<ArgumentOutOfRangeException>(() => upload.Describe(0, 0, 0, 401));

            File.WriteAllBytes(file, WavFactsTests.File(400, WavFactsTests.Sampler(69, 0, (0, 100, 400))));
            using var damaged = AssetFiles.Upload(link, file, said.Add);
            Assert.Equal(0, ((Asset*)damaged.Block.Pointer)->LoopEnd);
            Assert.Contains("expected a loop within the 400 frames, not 100 to 400; it is ignored", Assert.Single(said), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void An_asset_that_was_refused_is_given_back()
    {
        Refuse(RequestKind.SetAsset, ReplyStatus.BadRequest, (int)BadPart.Slot, 0, 5);
        using var link = Attach();
        using (var upload = AssetUpload.Create(link, 1, 10, 44_100))
            Assert.Throws<EngineRefusedException>(() => link.SetAsset(5, 1, 0, upload.Block));
        Assert.Equal(0, _engine.Grants);
    }

    [Fact]
    public void Every_refusal_is_one_line_that_says_what_where_and_what_was_expected()
    {
        foreach (var status in Enum.GetValues<ReplyStatus>().Where(s => s != ReplyStatus.Ok).Append((ReplyStatus)99))
        {
            foreach (var part in Enum.GetValues<BadPart>())
            {
                foreach (var kind in Enum.GetValues<RequestKind>())
                {
                    var reply = new Reply { Kind = kind, Status = status, A = (long)part, B = 3, C = -7 };
                    var message = EngineWords.Refusal(in reply).Message;
                    Assert.StartsWith("cannot ", message, StringComparison.Ordinal);
                    Assert.DoesNotContain('\n', message);
                    if (status == ReplyStatus.BadRequest) Assert.Contains(", expected ", message, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void A_module_that_could_not_be_made_is_called_by_its_name()
    {
        Refuse(RequestKind.InstallPlan, ReplyStatus.ModuleFailed, 1, (int)BadPart.Memory, 0);
        using var link = Attach();
        var e = Assert.Throws<EngineRefusedException>(() => link.InstallPlan(PlanWithNodes("bass", "echo")));
        Assert.Equal(1, e.Index);
        Assert.Contains("module 'echo': memory: expected no more than the module stated", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, _engine.Grants);
    }

    [Fact]
    public void Out_of_memory_gives_the_figures()
    {
        using var link = Attach();
        var e = Assert.Throws<EngineRefusedException>(() => link.Allocate(64 << 20));
        Assert.Equal(ReplyStatus.OutOfMemory, e.Status);
        Assert.Contains("64 MiB asked, 4096 KiB free, largest block 4096 KiB", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_engine_that_does_not_answer_is_a_timeout_and_a_late_grant_is_freed()
    {
        Reply late = default;
        var served = false;
        using var link = Attach();
        _engine.Answer = (engine, r) =>
        {
            if (r.Kind != RequestKind.Allocate) return engine.Serve(r);
            late = engine.Serve(r);
            Volatile.Write(ref served, true);
            return null;
        };
        link.Timeout = TimeSpan.FromMilliseconds(50);
        Assert.Contains("no answer from the engine within 0.05 s", Assert.Throws<EngineTimeoutException>(() => link.Allocate(100)).Message, StringComparison.Ordinal);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref served), 120_000)); // it may have had no core in all of that time
        Assert.Equal(1, _engine.Grants);
        _engine.Send(in late);
        link.Timeout = TimeSpan.FromSeconds(120);
        link.SetDiagnostics(DiagnosticFlags.None); // reads the late reply on its way, and the next one waits for the free to be served
        link.SetDiagnostics(DiagnosticFlags.None);
        Assert.Equal(0, _engine.Grants);
    }

    [Fact]
    public void An_engine_that_ends_while_it_is_asked_is_noticed_long_before_the_timeout()
    {
        using var link = Attach();
        _engine.Answer = (engine, _) =>
        {
            engine.Ended = true;
            return null;
        };
        Assert.Contains("has ended", Assert.Throws<EngineGoneException>(() => link.StopAudio(0)).Message, StringComparison.Ordinal);
        Assert.Throws<EngineGoneException>(() => link.StopAudio(0));
        link.Shutdown(0); // what was asked for has happened
    }

    [Fact]
    public void Replies_of_an_earlier_control_process_are_passed_over()
    {
        for (var i = 0; i < 5; i++) _engine.Send(new Reply { Kind = RequestKind.Allocate, Id = (ulong)i, Offset = 64 });
        using var link = Attach();
        Assert.Equal(1u, link.Session);
    }

    [Fact]
    public void A_session_that_was_taken_over_says_so_and_gives_back_in_silence()
    {
        using var link = Attach();
        var block = link.Allocate(10);
        Refuse(RequestKind.Free, ReplyStatus.StaleSession, 0, 0, 0);
        block.Dispose();
        Refuse(RequestKind.StopAudio, ReplyStatus.StaleSession, 0, 0, 0);
        Assert.Contains("another control process has taken over", Assert.Throws<EngineRefusedException>(() => link.StopAudio(0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void State_comes_back_as_it_was_written_and_no_more_than_was_asked_for()
    {
        _engine.Answer = (engine, r) =>
        {
            var reply = engine.Serve(r);
            if (r.Kind != RequestKind.SaveState) return reply;
            "sixteen steps"u8.CopyTo(new Span<byte>(engine.Map.At(r.Offset), 100));
            (reply.A, reply.B) = (13, 4);
            return reply;
        };
        using var link = Attach();
        var (state, version) = link.SaveState(1, 7, 100);
        Assert.Equal("sixteen steps", Encoding.UTF8.GetString(state));
        Assert.Equal(4u, version);
        Assert.Throws<InvalidDataException>(() => link.SaveState(1, 7, 12)); // an engine that says more than there was room for
        Assert.Equal(0, _engine.Grants);
    }

    [Fact]
    public void A_grant_outside_the_region_is_not_believed()
    {
        using var link = Attach();
        _engine.Answer = (engine, r) => engine.Serve(r) with { Offset = engine.Map.Bytes - 10 };
        Assert.Throws<InvalidDataException>(() => link.Allocate(100));
    }

    [Fact]
    public void Many_threads_ask_at_once_and_each_gets_its_own_answer()
    {
        using var link = Attach();
        _engine.Answer = (engine, r) => r.Kind == RequestKind.SaveState ? engine.Serve(r) with { A = 0, B = r.A } : engine.Serve(r);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            for (var i = 0; i < 50; i++) Assert.Equal((uint)((thread * 100) + i), link.SaveState((thread * 100) + i, 1, 8).Version);
        });
        Assert.Equal(0, _engine.Grants);
    }

    [Fact]
    public void Events_and_notices_pass_in_order_and_a_full_ring_is_told()
    {
        using var link = Attach();
        for (var i = 0; i < 64; i++) Assert.True(link.Push(new ModuleEvent { Index = i }));
        Assert.False(link.Push(new ModuleEvent { Index = 64 }));
        Assert.Equal(1ul, _engine.Map.Events.Dropped);
        _ = _engine.Map.Notices.TryPush(new Notice { Kind = NoticeKind.Dropout, A = 5 });
        Assert.True(link.TryTakeNotice(out var notice));
        Assert.Equal(5, notice.A);
        Assert.False(link.TryTakeNotice(out _));
    }

    public void Dispose() => _engine.Dispose();

    private EngineLink Attach() => EngineLink.Over(_engine.Map, () => _engine.Ended);

    private void Refuse(RequestKind kind, ReplyStatus status, long a, long b, long c) => _engine.Answer = (engine, r) =>
        r.Kind == kind ? new Reply { Kind = r.Kind, Id = r.Id, Session = r.Session, Status = status, A = a, B = b, C = c } : engine.Serve(r);

    private static byte[] PlanWithNodes(params string[] names)
    {
        var plan = new byte[sizeof(PlanHeader) + (names.Length * sizeof(PlanNode))];
        fixed (byte* start = plan)
        {
            *(PlanHeader*)start = new PlanHeader { Bytes = (uint)plan.Length, NodeCount = names.Length, NodesOffset = sizeof(PlanHeader) };
            var nodes = (PlanNode*)(start + sizeof(PlanHeader));
            for (var i = 0; i < names.Length; i++) Encoding.UTF8.GetBytes(names[i]).CopyTo(new Span<byte>(nodes[i].Name, InstanceRecord.NameBytes));
        }

        return plan;
    }
}
