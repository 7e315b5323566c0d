// The proof itself: from the roots along every call to all that can be reached.
namespace SspHost.Proof;

/// <summary>Walks a program under a list of rules.</summary>
internal sealed class Walk
{
    private readonly Image _image;
    private readonly Rules _rules;
    private readonly Dictionary<Function, (Function? Caller, ulong At)> _cameFrom = [];
    private readonly Queue<Function> _todo = new();
    private readonly HashSet<(Function, string)> _reported = [];
    private readonly Verdict _verdict = new();

    private Walk(Image image, Rules rules) => (_image, _rules) = (image, rules);

    /// <summary>
    /// Proves, or says why not. <paramref name="only"/>: these roots instead of the list's, to explore; then nothing is said about lines of
    /// the list that are not used. <paramref name="modules"/>: how many module types there must be.
    /// </summary>
    public static Verdict Prove(Image image, Rules rules, IReadOnlyList<Pattern>? only = null, int? modules = null)
    {
        var walk = new Walk(image, rules);
        walk.Begin(only);
        while (walk._todo.TryDequeue(out var function)) walk.Visit(function);
        if (only == null) walk.FindStale();
        var found = walk._verdict.ModuleTypes.Count;
        if (modules is { } expected && expected != found)
            walk.Fail("list", $"{found} module types found in the object, {expected} in the catalogue: {string.Join(", ", walk._verdict.ModuleTypes)}", null, 0);
        return walk._verdict;
    }

    private void Begin(IReadOnlyList<Pattern>? only)
    {
        if (only != null)
        {
            foreach (var pattern in only) Enter(pattern, $"--root {pattern.Text}");
            return;
        }

        foreach (var root in _rules.Roots) Enter(root.Of, $"line {root.Line}: root {root.Of.Text}");
        var types = new List<(Root Rule, HashSet<string> Types)>();
        foreach (var rule in _rules.Modules) types.Add((rule, EnterModules(rule)));
        foreach (var (_, found) in types) _verdict.ModuleTypes.UnionWith(found);
        foreach (var (rule, found) in types)
        {
            foreach (var type in _verdict.ModuleTypes.Except(found))
                Fail("list", $"line {rule.Line}: module {rule.Of.Text} has no function for {type}, which others have", null, 0);
        }
    }

    private void Enter(Pattern pattern, string rule)
    {
        var any = false;
        foreach (var f in _image.Functions)
        {
            if (!pattern.Matches(f.Name)) continue;
            any = true;
            _verdict.Roots.Add(f.Name);
            Reach(f, null, 0);
        }

        if (!any) Fail("list", $"{rule} matches no function", null, 0);
    }

    private HashSet<string> EnterModules(Root rule)
    {
        var types = new HashSet<string>(StringComparer.Ordinal);
        var (before, after) = Around(rule);
        foreach (var f in _image.Functions)
        {
            if (!rule.Of.Matches(f.Name) || IsExempt(f)) continue;
            _ = types.Add(f.Name[before..^after]);
            _verdict.Roots.Add(f.Name);
            Reach(f, null, 0);
        }

        if (types.Count == 0) Fail("list", $"line {rule.Line}: module {rule.Of.Text} matches no function", null, 0);
        return types;
    }

    // A function of a module type that is in the program and never plays.
    private bool IsExempt(Function function)
    {
        foreach (var rule in _rules.Modules)
        {
            if (!rule.Of.Matches(function.Name)) continue;
            var (before, after) = Around(rule);
            var type = function.Name[before..^after];
            foreach (var exempt in _rules.Exempts)
            {
                if (!exempt.Type.Matches(type)) continue;
                exempt.Uses++;
                return true;
            }
        }

        return false;
    }

    private static (int Before, int After) Around(Root rule)
    {
        var at = rule.Of.Text.IndexOf('*', StringComparison.Ordinal);
        return (at, rule.Of.Text.Length - at - 1);
    }

    private void Reach(Function function, Function? caller, ulong at)
    {
        if (!_verdict.Reached.Add(function)) return;
        _cameFrom.Add(function, (caller, at));
        _todo.Enqueue(function);
    }

    private void Visit(Function function)
    {
        if (function.Size == 0)
        {
            Fail("undecoded", $"{function.Name}: its symbol says nothing about its length", function, function.Start);
            return;
        }

        var indirect = new List<Flow>();
        foreach (var flow in _image.FlowsOf(function))
        {
            switch (flow.Kind)
            {
                case FlowKind.Direct:
                    _verdict.DirectCalls++;
                    Follow(function, flow.At, flow.Target, flow.External);
                    break;
                case FlowKind.Indirect:
                    indirect.Add(flow);
                    break;
                default:
                    Fail("undecoded", $"at {flow.At - function.Start:x}h of it: {flow.Text}", function, flow.At);
                    break;
            }
        }

        if (indirect.Count > 0) FollowListed(function, indirect);
    }

    private void Follow(Function caller, ulong at, Function? target, string? external)
    {
        var name = target?.Name ?? external!;
        var kind = KindOf(target, external);
        if (kind == null)
        {
            if (target != null) Reach(target, caller, at);
            return;
        }

        var allowed = false;
        foreach (var rule in _rules.Allows)
        {
            if (!rule.Target.Matches(name) || !rule.Caller.Matches(caller.Name)) continue;
            rule.Uses++;
            allowed = true;
        }

        if (!allowed)
        {
            Fail(kind, name, caller, at);
            return;
        }

        if (!_verdict.Allowed.TryGetValue((kind, name), out var callers)) _verdict.Allowed.Add((kind, name), callers = new SortedSet<string>(StringComparer.Ordinal));
        _ = callers.Add(caller.Name);
    }

    // Null: a function whose code is looked at instead.
    private string? KindOf(Function? target, string? external)
    {
        foreach (var rule in _rules.Forbids)
        {
            if (external != null ? rule.Of.Matches(external) : rule.Of.Matches(target!.Name) || target.Symbols.Exists(rule.Of.Matches)) return rule.Kind;
        }

        return external == null || _rules.Pure.Contains(external) ? null : "unlisted";
    }

    private void FollowListed(Function function, List<Flow> calls)
    {
        var rule = _rules.Calls.Find(r => r.Caller.Matches(function.Name));
        if (rule == null)
        {
            foreach (var call in calls) Fail("indirect", call.Text, function, call.At);
            return;
        }

        _ = rule.Callers.Add(function);
        if (calls.Count != rule.Count)
        {
            var made = string.Join("; ", calls.Select(c => $"{_image.LineOf(function, c.At) ?? $"{c.At - function.Start:x}h"} {c.Text}"));
            Fail("indirect", $"line {rule.Line} lists {rule.Count} indirect calls of this method, it makes {calls.Count}: {made}", function, calls[0].At);
        }

        var reached = new List<string>();
        foreach (var target in rule.Targets)
        {
            var any = false;
            if (target.StartsWith("outside:", StringComparison.Ordinal))
            {
                any = true;
                reached.Add(target);
            }
            else if (target.StartsWith("native:", StringComparison.Ordinal))
            {
                any = _image.HoldsText(target[7..]);
                reached.Add(target[7..]);
            }
            else
            {
                var pattern = new Pattern(target);
                foreach (var f in _image.Functions)
                {
                    if (!pattern.Matches(f.Name) || IsExempt(f)) continue;
                    any = true;
                    reached.Add(f.Name);
                    Follow(function, calls[0].At, f, null);
                }
            }

            if (!any) Fail("list", $"line {rule.Line}: target {target} exists nowhere", null, 0);
        }

        _verdict.Indirect.Add((function.Name, calls.Count, reached));
    }

    private void FindStale()
    {
        foreach (var rule in _rules.Allows)
            if (rule.Uses == 0) Fail("list", $"line {rule.Line}: allow {rule.Target.Text} from {rule.Caller.Text}: no such call is reached; delete the line", null, 0);
        foreach (var rule in _rules.Exempts)
            if (rule.Uses == 0) Fail("list", $"line {rule.Line}: exempt {rule.Type.Text}: no such module type; delete the line", null, 0);
        foreach (var rule in _rules.Calls)
            if (rule.Callers.Count == 0) Fail("list", $"line {rule.Line}: calls {rule.Caller.Text}: no such method with indirect calls is reached; delete the line", null, 0);
    }

    private void Fail(string kind, string what, Function? where, ulong at)
    {
        if (where == null)
        {
            _verdict.Findings.Add(new Finding(kind, what, []));
            return;
        }

        if (!_reported.Add((where, what))) return; // the same call of the same method a second time
        var path = new List<Step>();
        for (var f = where; f != null;)
        {
            path.Add(new Step(f.Name, _image.LineOf(f, at)));
            var (caller, from) = _cameFrom[f];
            (f, at) = (caller, from);
        }

        path.Reverse();
        _verdict.Findings.Add(new Finding(kind, what, path));
    }
}
