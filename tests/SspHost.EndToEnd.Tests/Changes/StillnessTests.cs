// While a patch is edited, neither the audio thread's heap nor the steward's moves, and the pool gets back what it gave.
using SspHost.Engine.Memory;
using SspHost.Patching;
using Xunit.Abstractions;

namespace SspHost.EndToEnd.Tests.Changes;

public sealed unsafe class StillnessTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_thousand_edits_take_no_managed_byte_in_the_engine(int threads)
    {
        var home = DemoPatches.Load(DemoPatches.Files[0]);
        using var duet = new Duet(home, new ChainOptions { Threads = threads }) { Compares = false };
        var random = new RandomEdits(5, duet.Chain.Modules, DemoPatches.All, home);
        var (before, worker, plans) = (0L, 0UL, 0);
        for (var n = 0; n < 1300; n++)
        {
            if (n == 300) (before, worker, plans) = (duet.Chain.AllocatedBytes, duet.Chain.Map.Threads[1].AllocatedBytes, duet.Chain.Installed);
            random.Do(duet);
            duet.Quantum();
            for (var q = random.Pause(12); q > 0; q--) duet.Quantum();
            duet.Pump();
        }

        Assert.Equal(0, duet.Chain.AllocatedBytes - before);
        Assert.Equal(0ul, duet.Chain.Map.Threads[1].AllocatedBytes - worker);
        Assert.InRange(duet.Chain.Installed - plans, 500, 5000); // it was about plans
    }

    [Fact]
    public void Whatever_was_edited_the_pool_holds_the_same_once_the_patch_is_the_same()
    {
        var home = DemoPatches.Load("clockwork-drums.json");
        using var duet = new Duet(home, new ChainOptions { PoolFlags = PoolFlags.Checks }) { Compares = false };
        var random = new RandomEdits(9, duet.Chain.Modules, DemoPatches.All, home);
        var live = new List<long>();

        // Tables that instances of a type share stay from the first use on: here all of them.
        foreach (var type in duet.Chain.Modules.Types)
        {
            Assert.True(duet.Apply(new ReplacePatch(ChangeTests.Patch("tables", [$"one:{type.Descriptor.Id}"]))));
            Assert.True(duet.Settle());
        }
        for (var round = 0; round < 6; round++)
        {
            for (var n = 0; n < 150; n++)
            {
                random.Do(duet);
                duet.Run(1 + random.Pause(12));
                if (random.OneIn(3)) duet.Pump();
            }

            // Another patch first, so that every module of this one is made anew.
            Assert.True(duet.Apply(new ReplacePatch(DemoPatches.Load("tape-room.json"))));
            Assert.True(duet.Settle());
            Assert.True(duet.Apply(new ReplacePatch(home)));
            Assert.True(duet.Settle());
            duet.Run(4);
            live.Add(duet.Chain.Stats.Requested);
        }

        output.WriteLine($"bytes: {string.Join(' ', live)}");
        Assert.All(live.Skip(1), bytes => Assert.Equal(live[1], bytes));
        Assert.Equal(0, duet.Chain.Stats.Faults);
    }
}
