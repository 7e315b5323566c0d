// Modules that reach what they must not, each in its own way: every one fails with the path, and the good ones pass.
namespace SspHost.Proof.Tests;

public sealed class BadModulesTests
{
    private const string Prefix = "SspHost.Engine.Graph.ModuleEntry.Thunk<bad.modules.SspHost.Proof.BadModules.";

    private static readonly Lazy<Image> Bad = new(static () => new Image(Archive.Open(Objects.Bad)));

    private static readonly Lazy<Image> Other = new(static () => new Image(Archive.Open(Objects.BadForTheOther)));

    // The engine's own list, without what it says of the engine.
    private static readonly Lazy<string> Forbidden = new(static () => string.Join(
        '\n',
        File.ReadLines(Objects.List).Where(static l => l.StartsWith("forbid ", StringComparison.Ordinal) || l.StartsWith("pure ", StringComparison.Ordinal)
            || l.StartsWith("allow RhpPInvoke", StringComparison.Ordinal) || l.StartsWith("allow RhpGcPoll", StringComparison.Ordinal)
            || l.StartsWith("allow RhpFallbackFailFast", StringComparison.Ordinal))));

    [Theory]
    [InlineData("DirectCall", "allocation", "RhpNewArray", "DirectCall.Copy")]
    [InlineData("VirtualCall", "indirect", "a virtual call", "VirtualCall")]
    [InlineData("InterfaceCall", "indirect", "an interface call", "InterfaceCall")]
    [InlineData("ConstrainedCall", "allocation", "RhpNew", "Doubling.Scale")]
    [InlineData("SharedGeneric", "allocation", "RhpNewArray", "SharedGeneric.Many<System.Canon>")]
    [InlineData("GenericVirtual", "indirect", "a function pointer", "GenericVirtual")]
    [InlineData("DelegateCall", "indirect", "a delegate", "DelegateCall")]
    [InlineData("Interpolation", "allocation", "RhNewString", "Interpolation")]
    [InlineData("Closure", "allocation", "RhpNewFast", "Closure")]
    [InlineData("Locking", "lock", "System.Threading.Monitor.Enter", "Locking")]
    [InlineData("Sleeping", "blocking", "nanosleep", "Sleeping")]
    [InlineData("SleepingManaged", "lock", "LowLevelMonitor", "Thread.Sleep")]
    [InlineData("LateBound", "library-lookup", "ResolvePInvoke", "Calls.Late")]
    [InlineData("Throwing", "throw", "RhpThrowEx", "Throwing")]
    [InlineData("OutOfBounds", "throw", "ThrowIndexOutOfRangeException", "OutOfBounds")]
    [InlineData("LazyStatic", "lazy-static", "StaticBase:bad_modules_SspHost_Proof_BadModules_Lazy", "LazyStatic")]
    [InlineData("PerThread", "unlisted", "__tls_get_addr", "PerThread")]
    [InlineData("Collecting", "collection", "RhpCollect", "Collecting")]
    [InlineData("UnlistedPointer", "indirect", "a function pointer", "UnlistedPointer")]
    public void A_bad_module_fails_and_the_path_to_what_is_bad_is_named(string module, string kind, string what, string through)
    {
        var verdict = Prove(module, "");
        var found = verdict.Findings.Where(f => f.Kind == kind && f.What.Contains(what, StringComparison.Ordinal)).ToList();
        Assert.True(found.Count > 0, Report.Text(verdict, all: false));
        Assert.All(found, f => Assert.Equal($"{Prefix}{module}>.Process", f.Path[0].Method));
        Assert.Contains(found, f => f.Path.Any(s => s.Method.Contains(through, StringComparison.Ordinal)));
        Assert.Contains("root ", Report.Text(verdict, all: false), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DirectCall", "allocation", "RhpNewArray")]
    [InlineData("VirtualCall", "indirect", "blr")]
    [InlineData("InterfaceCall", "indirect", "blr")]
    [InlineData("ConstrainedCall", "allocation", "RhpNew")]
    [InlineData("SharedGeneric", "allocation", "RhpNewArray")]
    [InlineData("GenericVirtual", "indirect", "blr")]
    [InlineData("DelegateCall", "indirect", "b")]
    [InlineData("Locking", "lock", "System.Threading.Monitor.Enter")]
    [InlineData("Sleeping", "blocking", "nanosleep")]
    [InlineData("Throwing", "throw", "RhpThrowEx")]
    [InlineData("LazyStatic", "lazy-static", "StaticBase:bad_modules_SspHost_Proof_BadModules_Lazy")]
    [InlineData("UnlistedPointer", "indirect", "b")]
    [InlineData("PureDsp", null, null)]
    [InlineData("Switching", null, null)]
    public void Compiled_for_the_other_processor_they_fail_and_pass_alike(string module, string? kind, string? what)
    {
        var verdict = Prove(module, "", Other.Value);
        if (kind == null) Assert.True(verdict.Holds, Report.Text(verdict, all: false));
        else Assert.Contains(verdict.Findings, f => f.Kind == kind && f.What.Contains(what!, StringComparison.Ordinal));
        Assert.DoesNotContain(verdict.Findings, static f => f.Kind == "undecoded");
    }

    [Fact]
    public void Objects_for_different_processors_are_not_one_program()
    {
        var error = Assert.Throws<ProofException>(static () => new Image(Archive.Open(Objects.Bad).Concat(Archive.Open(Objects.BadForTheOther))));
        Assert.Contains("Arm64", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PureDsp")]
    [InlineData("Switching")]
    public void A_good_module_passes(string module)
    {
        var verdict = Prove(module, "");
        Assert.True(verdict.Holds, Report.Text(verdict, all: false));
    }

    [Fact]
    public void A_function_pointer_passes_where_the_list_names_its_targets()
    {
        Assert.False(Prove("ListedPointer", "").Holds);
        var listed = Prove("ListedPointer", $"calls {Prefix}ListedPointer>.Process 2 -> *.ListedPointer.Half *.ListedPointer.Twice -- chosen by Either");
        Assert.True(listed.Holds, Report.Text(listed, all: false));
        Assert.Contains(listed.Reached, static f => f.Name.EndsWith(".ListedPointer.Twice", StringComparison.Ordinal));
    }

    [Fact]
    public void A_listed_target_is_followed_and_can_fail()
    {
        var verdict = Prove("ListedPointer", $"calls {Prefix}ListedPointer>.Process 2 -> *.DirectCall.Grow -- a wrong list");
        var allocation = Assert.Single(verdict.Findings, static f => f.Kind == "allocation");
        Assert.Contains(allocation.Path, static s => s.Method.EndsWith(".DirectCall.Grow", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("1", "makes 2")]
    [InlineData("3", "makes 2")]
    public void A_line_that_lists_another_number_of_calls_fails(string count, string says)
    {
        var verdict = Prove("ListedPointer", $"calls {Prefix}ListedPointer>.Process {count} -> *.ListedPointer.Half -- miscounted");
        Assert.Contains(verdict.Findings, f => f.What.Contains(says, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("allow RhpNewFinalizable from *Nobody* -- never")]
    [InlineData("calls *Nobody.Process 2 -> *.ListedPointer.Half -- never")]
    [InlineData("root *.Nobody.Process -- never")]
    [InlineData("exempt Nobody -- never")]
    public void A_line_that_matches_nothing_fails(string line)
    {
        var verdict = Prove("PureDsp", line);
        Assert.Contains(verdict.Findings, static f => f.Kind == "list");
    }

    [Fact]
    public void A_target_that_does_not_exist_fails()
    {
        var verdict = Prove("ListedPointer", $"calls {Prefix}ListedPointer>.Process 2 -> *.ListedPointer.Third native:no_such_function -- gone");
        Assert.Equal(2, verdict.Findings.Count(static f => f.Kind == "list" && f.What.Contains("exists nowhere", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_permission_holds_for_its_caller_only()
    {
        Assert.True(Prove("OutOfBounds", $"allow *.ThrowIndexOutOfRangeException from {Prefix}OutOfBounds>.Process -- a test").Holds);
        Assert.False(Prove("OutOfBounds", $"allow *.ThrowIndexOutOfRangeException from {Prefix}PureDsp>.Process -- another").Holds);
    }

    [Theory]
    [InlineData("allow X from Y", "has no reason")]
    [InlineData("permit X -- why", "is none of")]
    [InlineData("calls X many -> Y -- why", "is none of")]
    [InlineData("module Thunk.Process -- why", "is none of")]
    public void A_line_that_is_not_understood_is_one_clear_error(string line, string says)
    {
        var error = Assert.Throws<ProofException>(() => Rules.Parse("list.txt", "# comment\n" + line));
        Assert.StartsWith("list.txt:2: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    // One module as the only root, under the engine's own rules.
    private static Verdict Prove(string module, string more, Image? image = null)
    {
        var verdict = Walk.Prove(image ?? Bad.Value, Rules.Parse("list", $"root {Prefix}{module}>.Process -- test\n{more}\n{Forbidden.Value}"));
        // The three permissions of the runtime are not needed by every module.
        _ = verdict.Findings.RemoveAll(static f => f.Kind == "list" && f.What.Contains(" from *: ", StringComparison.Ordinal));
        return verdict;
    }
}
