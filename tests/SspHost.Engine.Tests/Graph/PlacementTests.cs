// Two fast cores and four slow ones in virtual time: the placement rule against blind placement and against the fast cores alone.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using Xunit.Abstractions;

namespace SspHost.Engine.Tests.Graph;

public sealed unsafe class PlacementTests(ITestOutputHelper output)
{
    private static readonly byte[] TwoAndFour = [0, 0, 1, 1, 1, 1];

    // Costs such that two fast cores are busy for this part of the quantum: from light patches to some that they cannot render.
    private static PatchDraft Draft(Random random, float load, float slowest = 0.35f, float fastest = 0.5f)
    {
        var draft = PatchDraft.Random(random, random.Next(8, 120));
        var heavy = random.Next(3) + 1;
        foreach (var node in draft.Nodes)
        {
            var cost = MathF.Exp(heavy * (random.NextSingle() - 0.5f) * 2);
            node.Costs = [cost, cost / (slowest + ((fastest - slowest) * random.NextSingle())), 0];
        }

        var scale = load * 2 * 32e9f / 48_000 / draft.Nodes.Sum(n => n.Costs[0]);
        foreach (var node in draft.Nodes)
            for (var c = 0; c < 2; c++) node.Costs[c] *= scale;
        draft.PrioritiseByCost();
        return draft;
    }

    private sealed record Times(long Alone, long Blind, long Placed, int Budget);

    private static Times Measure(Rig rig, PatchDraft draft, byte[] classes, float[]? real = null)
    {
        rig.Configure(64, 1); // drops the plan before
        rig.Configure(32, classes.Length, startWorkers: false, classes: classes);
        rig.Install(draft.Compile());
        var plan = rig.Renderer.State->Current;
        fixed (float* given = real)
        {
            var costs = given == null ? plan->Costs : given;
            var target = plan->Target;
            var rehearsal = new Rehearsal(plan, classes, costs);
            var placed = rehearsal.Run();
            plan->Target = Placement.Never;
            var alone = rehearsal.Run();
            rehearsal.Blind = true;
            var blind = rehearsal.Run();
            plan->Target = target;
            return new Times(alone, blind, placed, (int)(32e9 / 48_000));
        }
    }

    private void Compare(int seed, float noise)
    {
        var random = new Random(seed);
        using var rig = new Rig(32, 1);
        var plans = 0;
        var (alone, blind, placed, worseThanBlind, lost) = (0, 0, 0, 0, 0);
        double sumAlone = 0, sumBlind = 0, sumPlaced = 0;
        for (var i = 0; i < 400; i++)
        {
            var draft = Draft(random, 0.2f + (random.NextSingle() * 1.4f));
            float[]? real = null;
            if (noise > 0)
            {
                real = [.. draft.Nodes.SelectMany(n =>
                {
                    var f = MathF.Exp(noise * ((random.NextSingle() + random.NextSingle() + random.NextSingle()) - 1.5f) * 2);
                    return new[] { n.Costs[0] * f, n.Costs[1] * f, 0 };
                })];
            }

            var t = Measure(rig, draft, TwoAndFour, real);
            plans++;
            alone += t.Alone <= t.Budget ? 1 : 0;
            blind += t.Blind <= t.Budget ? 1 : 0;
            placed += t.Placed <= t.Budget ? 1 : 0;
            worseThanBlind += t.Placed > t.Budget && t.Blind <= t.Budget ? 1 : 0;
            lost += t.Placed > t.Budget && t.Alone <= t.Budget ? 1 : 0;
            sumAlone += t.Alone;
            sumBlind += t.Blind;
            sumPlaced += t.Placed;
            if (noise == 0) Assert.True(t.Placed <= t.Alone);
        }

        output.WriteLine($"noise {noise}: {plans} plans; met: alone {alone}, blind {blind}, placed {placed}; lost to blind {worseThanBlind}, to alone {lost}; mean us: alone {sumAlone / plans / 1e3:F0}, blind {sumBlind / plans / 1e3:F0}, placed {sumPlaced / plans / 1e3:F0}");
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 0.1f)]
    [InlineData(4, 0.3f)]
    public void Two_plus_four(int seed, float noise) => Compare(seed, noise);
}
