// A module type is replaced while it plays: the instance is another one, with the state and the values of the one before.
using SspHost.Abi;

namespace SspHost.Patching.Tests;

public sealed class RenewTests
{
    private static ModuleDescriptor Box(int states, params string[] outputs) => new()
    {
        Id = "box", Name = "Box", Family = "Sources", Text = "", File = "/m/box.so", StateBytes = states,
        Outputs = [.. outputs.Select(o => new PortDescriptor(o, o))],
        Parameters = [new ParameterDescriptor("level", "Level", "", 0, 1, 0.5f)],
    };

    [Fact]
    public void The_last_of_several_types_of_one_id_counts_and_the_others_keep_their_numbers()
    {
        var index = new DescriptorIndex([Box(0, "out")]);
        var first = index.Find("box")!;
        index.Update([Box(0, "out"), Box(4, "out")]);
        Assert.Equal((0, 0u, 1, 1u), (first.Number, first.Revision, index.Find("box")!.Number, index.Find("box")!.Revision));
        Assert.Equal(2, index.Types.Count);
        Assert.Equal(4, Assert.Single(index.Current).StateBytes);
        Assert.NotEqual(PlanKey.Of("p", "box", "box", []), PlanKey.Of("p", "box", "box", [], revision: 1));
    }

    [Fact]
    public void A_renewed_module_is_another_instance_with_the_state_of_the_one_that_played()
    {
        var index = new DescriptorIndex([Box(4, "out")]);
        var sink = new FakeSink { LiveStates = { ["box1"] = [1, 2, 3, 4] } };
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = index, Sink = sink });
        Assert.Null(session.Apply(new AddModule(new Module { Id = "box1", Type = "box" }), new SetParameter("box1", "level", 0.25f)));
        var before = session.Current;
        var old = session.Plan!.Instances[0];
        Assert.Null(session.Renew(() => index.Update([Box(4, "out"), Box(4, "out")])));
        var fresh = session.Plan!.Instances[0];
        Assert.Equal(before, session.Current);
        Assert.Equal((0, 1), (old.Type, fresh.Type));
        Assert.NotEqual(old.Key, fresh.Key);
        Assert.Contains("\u0001\u0002\u0003\u0004", System.Text.Encoding.Latin1.GetString(session.Plan.Description.AsSpan()), StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_engine_refuses_leaves_the_types_as_they_were()
    {
        var index = new DescriptorIndex([Box(0, "out")]);
        var sink = new FakeSink();
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = index, Sink = sink });
        Assert.Null(session.Apply(new AddModule(new Module { Id = "box1", Type = "box" })));
        sink.Refuse = "no room";
        Assert.Contains("no room", session.Renew(() => index.Update([Box(0, "out"), Box(0, "out")]))!.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, index.Find("box")!.Number);
    }
}
