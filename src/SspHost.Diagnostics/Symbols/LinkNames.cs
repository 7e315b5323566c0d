// Names as the compilers leave them in an image, made readable: those of .NET's native compiler, and C++'s simple ones.
using System.Globalization;
using System.Text;

namespace SspHost.Diagnostics.Symbols;

/// <summary>
/// The native compiler writes "Assembly_Namespace_Type__Method" with every character that C has no word for as '_', so the way back is not
/// unique: a dot, a nested type and an underscore look the same. What comes out reads as in the source where names have no underscores, and is
/// never worse than what went in.
/// </summary>
public static class LinkNames
{
    // Where a namespace begins: what stands before the second of them is the assembly's name.
    private static readonly string[] Roots = ["SspHost_", "System_", "Internal_", "Microsoft_", "Interop"];

    private const string Canon = "___Canon";

    private static readonly string[] Wrappers = ["unbox_", "__unbox_", "<Boxed>"];

    /// <summary>A linked name for people.</summary>
    public static string Readable(string name) => Plain(name) is { Length: > 0 } plain ? plain : name;

    private static string Plain(string name)
    {
        if (name.StartsWith("_ZN", StringComparison.Ordinal)) return NestedCpp(name) ?? name;
        foreach (var wrapper in Wrappers)
        {
            if (!name.StartsWith(wrapper, StringComparison.Ordinal)) continue;
            var inner = name[wrapper.Length..];
            var boxed = inner.IndexOf("__<unbox>", StringComparison.Ordinal);
            return Plain(boxed < 0 ? inner : Last(inner, boxed));
        }

        var method = MethodAt(name);
        if (method < 0 || !char.IsAsciiLetter(name[0])) return name; // C's, or the compiler's own helper
        var type = Type(name[..method]);
        return type.Length == 0 ? name : type + "." + Method(name[(method + 2)..]);
    }

    // "X__<unbox>Type__Method": the method's own name stands after the last type.
    private static string Last(string inner, int boxed) => inner[(boxed + "__<unbox>".Length)..];

    // The first "__" outside of type arguments that has a letter, '_' or '<' before and after it, and is not part of a generated type's name.
    private static int MethodAt(string name)
    {
        var depth = 0;
        for (var i = 1; i + 2 < name.Length; i++)
        {
            if (name[i] == '<') depth++;
            else if (name[i] == '>') depth--;
            if (depth != 0 || name[i] != '_' || name[i + 1] != '_' || name[i - 1] == '_') continue;
            var rest = name.AsSpan(i);
            if (!rest.StartsWith("___")) return i;
            if (rest.StartsWith("___ctor") || rest.StartsWith("___cctor") || rest.StartsWith("____")) return i;
            // "Outer___c__Method", "Outer___c__DisplayClass1_0__..." and the like are generated types; "Type___Main_g__Local" a generated method.
            if (rest.StartsWith("___c_") || rest.StartsWith(Canon) || Generated(rest)) i += 2;
            else return i;
            if (rest.StartsWith("___c__DisplayClass")) i += "_c__".Length - 1;
        }

        return -1;
    }

    // "<Method>d__1": an iterator's or an asynchronous method's own type.
    private static bool Generated(ReadOnlySpan<char> rest)
    {
        var end = rest[3..].IndexOf("_d__");
        return end > 0 && rest[3..(3 + end)].IndexOf('_') < 0;
    }

    private static string Type(string mangled)
    {
        var arguments = mangled.IndexOf('<', StringComparison.Ordinal);
        var head = arguments < 0 ? mangled : mangled[..arguments];
        var tail = arguments < 0 ? "" : Arguments(mangled[arguments..]);
        var start = 0;
        for (var i = 1; i < head.Length && start == 0; i++)
        {
            if (head[i - 1] != '_') continue;
            foreach (var root in Roots)
                if (string.CompareOrdinal(head, i, root, 0, root.Length) == 0) start = i;
        }

        if (start == 0 && head.StartsWith("S_P_", StringComparison.Ordinal)) start = Math.Max(0, head.IndexOf('_', 4) + 1);
        return Dotted(head[start..]) + tail;
    }

    // "<A__B<C>>": the arguments of a generic.
    private static string Arguments(string mangled)
    {
        var readable = new StringBuilder("<");
        var depth = 0;
        var from = 1;
        for (var i = 0; i < mangled.Length; i++)
        {
            if (mangled[i] == '<') depth++;
            else if (mangled[i] == '>') depth--;
            if (string.CompareOrdinal(mangled, i, Canon, 0, Canon.Length) == 0)
            {
                i += Canon.Length - 1;
                continue;
            }

            var between = depth == 1 && i > from && mangled[i] == '_' && i + 1 < mangled.Length && mangled[i + 1] == '_' && mangled[i - 1] != '_';
            if (!between && depth > 0) continue;
            readable.Append(Type(mangled[from..i])).Append(between ? ", " : ">");
            from = i + 2;
            if (!between) return readable.Append(mangled[(i + 1)..].Replace('_', '.')).ToString();
            i++;
        }

        return mangled;
    }

    private static string Method(string name)
    {
        if (name is "_ctor" || name.StartsWith("_ctor_", StringComparison.Ordinal)) return "ctor";
        if (name is "_cctor" || name.StartsWith("_cctor_", StringComparison.Ordinal)) return "cctor";
        var arguments = name.IndexOf('<', StringComparison.Ordinal);
        var head = arguments < 0 ? name : name[..arguments];
        var tail = arguments < 0 ? "" : Arguments(name[arguments..]);

        // "<Main>g__Local|0_1" and "<Main>b__0" come as "_Main_g__Local_0_1" and "_Main_b__0".
        if (head.StartsWith('_'))
        {
            var local = head.IndexOf("_g__", 1, StringComparison.Ordinal);
            if (local > 0) return head[1..local].Trim('_') + "." + head[(local + 4)..].Split('_')[0] + tail;
            var lambda = head.IndexOf("_b__", 1, StringComparison.Ordinal);
            if (lambda > 0) return head[1..lambda].Trim('_') + " (lambda)" + tail;
        }

        return WithoutNumber(head) + tail;
    }

    // Overloads get a number behind them.
    private static string WithoutNumber(string name)
    {
        var end = name.LastIndexOf('_');
        return end > 0 && int.TryParse(name.AsSpan(end + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _) ? name[..end] : name;
    }

    private static string Dotted(string name)
    {
        if (name == "System___Canon") return "T"; // one body for every class
        foreach (var generated in new[] { "___c__DisplayClass", "___c_", "___c" })
        {
            var at = name.IndexOf(generated, StringComparison.Ordinal);
            if (at > 0) return Dotted(name[..at]);
        }

        // "_1" behind a generic type is how many arguments it has.
        var parts = new List<string>();
        foreach (var part in name.Split('_', StringSplitOptions.RemoveEmptyEntries))
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _)) parts.Add(part);
        return string.Join('.', parts);
    }

    // _ZN <length name>... E and its like: namespaces and classes with '::', arguments left out. Null: more than that.
    private static string? NestedCpp(string name)
    {
        var readable = new StringBuilder();
        var at = 3;
        if (at < name.Length && name[at] == 'K') at++;
        while (at < name.Length && char.IsAsciiDigit(name[at]))
        {
            var length = 0;
            for (; at < name.Length && char.IsAsciiDigit(name[at]); at++) length = Math.Min((length * 10) + (name[at] - '0'), name.Length);
            if (length == 0 || at + length > name.Length) return null;
            if (readable.Length > 0) readable.Append("::");
            readable.Append(name, at, length);
            at += length;
        }

        return at < name.Length && name[at] == 'E' && readable.Length > 0 ? readable.ToString() : null;
    }
}
