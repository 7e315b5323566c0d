// The list: where proofs begin, what must not be reached, and what may be, each with its reason.
namespace SspHost.Proof;

/// <summary>A text with '*' for any characters.</summary>
internal sealed class Pattern(string text)
{
    private readonly string[] _parts = text.Split('*');

    public string Text => text;

    public bool Matches(string name)
    {
        if (_parts.Length == 1) return name == text;
        if (!name.StartsWith(_parts[0], StringComparison.Ordinal)) return false;
        var at = _parts[0].Length;
        for (var i = 1; i < _parts.Length - 1; i++)
        {
            var found = name.IndexOf(_parts[i], at, StringComparison.Ordinal);
            if (found < 0) return false;
            at = found + _parts[i].Length;
        }

        return name.Length - at >= _parts[^1].Length && name.EndsWith(_parts[^1], StringComparison.Ordinal);
    }
}

/// <summary>root: functions where RT code begins.</summary>
internal sealed record Root(Pattern Of, string Reason, int Line);

/// <summary>forbid: a kind of thing no RT path may reach. Names nobody defines need no such line: they are forbidden unless allowed.</summary>
internal sealed record Forbidden(string Kind, Pattern Of, int Line);

/// <summary>exempt: module types that are in the object and never play.</summary>
internal sealed record Exempt(Pattern Type, string Reason, int Line)
{
    public int Uses { get; set; }
}

/// <summary>allow: something forbidden that these callers may call.</summary>
internal sealed record Allowed(Pattern Target, Pattern Caller, string Reason, int Line)
{
    public int Uses { get; set; }
}

/// <summary>calls: the targets of a method's indirect calls, and how many of them the compiler made.</summary>
internal sealed record Listed(Pattern Caller, int Count, List<string> Targets, string Reason, int Line)
{
    public HashSet<Function> Callers { get; } = [];
}

/// <summary>allowed.txt.</summary>
internal sealed class Rules
{
    private readonly string _file;

    private Rules(string file) => _file = file;

    public List<Root> Roots { get; } = [];

    public List<Root> Modules { get; } = [];

    public List<Exempt> Exempts { get; } = [];

    /// <summary>pure: names of C that compute and do nothing else. They may be called from anywhere, and need not be.</summary>
    public HashSet<string> Pure { get; } = new(StringComparer.Ordinal);

    public List<Forbidden> Forbids { get; } = [];

    public List<Allowed> Allows { get; } = [];

    public List<Listed> Calls { get; } = [];

    public static Rules Open(string path)
    {
        try
        {
            return Parse(path, File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProofException($"{path}: {e.Message}");
        }
    }

    public static Rules Parse(string file, string text)
    {
        var rules = new Rules(file);
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length > 0 && line[0] != '#') rules.Add(line, number);
        }

        return rules;
    }

    private void Add(string line, int number)
    {
        var cut = line.IndexOf(" -- ", StringComparison.Ordinal);
        var reason = cut < 0 ? "" : line[(cut + 4)..].Trim();
        var words = (cut < 0 ? line : line[..cut]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words[0] != "forbid" && reason.Length == 0) throw Bad(number, "has no reason; write it behind ' -- '");
        switch (words)
        {
            case ["root", var of]:
                Roots.Add(new Root(new Pattern(of), reason, number));
                break;
            case ["module", var of] when of.Contains("{type}", StringComparison.Ordinal):
                Modules.Add(new Root(new Pattern(of.Replace("{type}", "*", StringComparison.Ordinal)), reason, number));
                break;
            case ["exempt", var type]:
                Exempts.Add(new Exempt(new Pattern(type), reason, number));
                break;
            case ["pure", .. var names] when names.Length > 0:
                Pure.UnionWith(names);
                break;
            case ["forbid", var kind, var of]:
                Forbids.Add(new Forbidden(kind, new Pattern(of), number));
                break;
            case ["allow", var target, "from", var caller]:
                Allows.Add(new Allowed(new Pattern(target), new Pattern(caller), reason, number));
                break;
            case ["calls", var caller, var count, "->", .. var targets] when targets.Length > 0 && int.TryParse(count, out var n) && n > 0:
                Calls.Add(new Listed(new Pattern(caller), n, [.. targets], reason, number));
                break;
            default:
                throw Bad(number, "is none of: root METHOD | module METHOD<{type}> | exempt TYPE | pure NAME... | forbid KIND NAME | allow NAME from METHOD | calls METHOD COUNT -> TARGET...");
        }
    }

    private ProofException Bad(int line, string what) => new($"{_file}:{line}: {what}");
}
