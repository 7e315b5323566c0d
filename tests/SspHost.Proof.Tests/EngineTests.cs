// The proof of the engine that ships.
using SspHost.Abi;
using SspHost.Modules;

namespace SspHost.Proof.Tests;

[Collection("engine")]
public sealed class EngineTests
{
    [Fact]
    public void No_path_leads_from_real_time_code_to_an_allocation_a_lock_a_throw_or_a_wait_that_is_not_listed()
    {
        var verdict = Walk.Prove(Objects.EngineImage, Rules.Open(Objects.List), null, Catalogue().Count);
        Assert.True(verdict.Holds, Report.Text(verdict, all: false));
    }

    [Fact]
    public void Every_module_of_the_catalogue_is_a_root_and_nothing_else_that_could_play()
    {
        var verdict = Walk.Prove(Objects.EngineImage, Rules.Open(Objects.List));
        Assert.Equal(Catalogue().Order(StringComparer.Ordinal), verdict.ModuleTypes.Order(StringComparer.Ordinal));
        foreach (var type in Catalogue())
            foreach (var function in new[] { "Process", "Reset", "SaveState", "LoadState", "AssetChanged" })
                Assert.Contains($"SspHost.Engine.Graph.ModuleEntry.Thunk<{type}>.{function}", verdict.Roots);
    }

    [Fact]
    public void A_catalogue_of_another_length_fails()
    {
        var verdict = Walk.Prove(Objects.EngineImage, Rules.Open(Objects.List), null, Catalogue().Count + 1);
        Assert.Contains(verdict.Findings, static f => f.Kind == "list" && f.What.Contains("module types found in the object", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_any_one_of_its_permissions_the_proof_fails()
    {
        var lines = File.ReadAllLines(Objects.List);
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("allow ", StringComparison.Ordinal) && !lines[i].StartsWith("calls ", StringComparison.Ordinal)) continue;
            var without = lines.Where((_, n) => n != i);
            var verdict = Walk.Prove(Objects.EngineImage, Rules.Parse("list", string.Join('\n', without)));
            Assert.False(verdict.Holds, $"line {i + 1} is not needed: {lines[i]}");
        }
    }

    [Fact]
    public void What_start_up_does_would_not_pass()
    {
        // The same engine from where it may allocate: if this held, the proof would be blind.
        var verdict = Walk.Prove(Objects.EngineImage, Rules.Open(Objects.List), [new Pattern("*Program.*Main*")]);
        Assert.Contains(verdict.Findings, static f => f.Kind == "allocation");
        Assert.Contains(verdict.Findings, static f => f.Kind == "lock" || f.Kind == "lazy-static");
    }

    [Theory]
    [InlineData("SspHost.Engine.Graph.NodeRunner.Run")]
    [InlineData("SspHost.Engine.Threads.RtThread.Live")]
    [InlineData("SspHost.Engine.Threads.Watchdog.TakeOverWith")]
    [InlineData("SspHost.Modules.Vco.Process")]
    [InlineData("SspHost.Modules.Lfo.Segment")]
    [InlineData("SspHost.Engine.Audio.AlsaDevice.Begin")]
    public void Calls_are_the_ones_objdump_sees(string method)
    {
        var image = Objects.EngineImage;
        var function = Assert.Single(image.Functions, f => f.Name == method);
        var flows = image.FlowsOf(function);
        var ours = new SortedSet<string>(flows.Where(static f => f.Kind == FlowKind.Direct).Select(static f => f.Target?.Symbol ?? f.External!), StringComparer.Ordinal);
        var listing = Objects.Run("objdump", "-dr", "--no-show-raw-insn", $"--disassemble={function.Symbol}", Objects.Engine);
        var (theirs, indirect) = Objdump.Calls(listing, function.Symbol);
        Assert.NotEmpty(theirs);
        Assert.Equal(theirs, ours);
        Assert.Equal(indirect, flows.Count(static f => f.Kind == FlowKind.Indirect));
        Assert.DoesNotContain(flows, static f => f.Kind == FlowKind.Unknown);
    }

    private static List<string> Catalogue()
    {
        var names = new Names();
        Catalog.VisitAll(ref names);
        return names.Types;
    }

    private readonly struct Names() : IModuleVisitor
    {
        public List<string> Types { get; } = [];

        public void Visit<T>() where T : unmanaged, IModule<T> => Types.Add(typeof(T).FullName!.Replace('+', '.'));
    }
}
