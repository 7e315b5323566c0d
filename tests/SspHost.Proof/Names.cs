// Names as a person writes them, from ILC's mangled ones. Mangling loses the difference between '.', '+' and '_': what is shown is meant
// to be read and matched, not to be parsed again.
using System.Text;

namespace SspHost.Proof;

/// <summary>SspHost_Engine_SspHost_Engine_Graph_Seat__Defend is SspHost.Engine.Graph.Seat.Defend.</summary>
internal static class Names
{
    // Assemblies whose namespaces do not begin with their own name, as ILC abbreviates them.
    private static readonly string[] Assemblies = ["S_P_CoreLib_", "S_P_TypeLoader_", "S_P_StackTraceMetadata_", "S_P_Reflection_Execution_"];

    // What ILC puts before the name of the method or type it made something for.
    private static readonly string[] Prefixes =
    [
        "unbox_", "__readonlydata_", "__GetGCStaticBase_", "__GetNonGCStaticBase_", "__GetThreadStaticBase_", "__InterfaceDispatchCell_",
        "__pinvoke_", "__GCSTATICS", "__NONGCSTATICS", "__unbox_", "__imp_",
    ];

    /// <summary>The readable form; names of C come back as they are.</summary>
    public static string Readable(string mangled)
    {
        foreach (var prefix in Prefixes)
            if (mangled.StartsWith(prefix, StringComparison.Ordinal)) return $"{prefix.Trim('_')}:{Readable(mangled[prefix.Length..])}";
        mangled = mangled.Replace("System___Canon", "System_Canon", StringComparison.Ordinal); // what stands for any class in shared generic code
        if (!mangled.Contains("__", StringComparison.Ordinal)) return mangled;
        if (mangled[0] == '_') return mangled;
        var at = 0;
        var type = Type(mangled, ref at);
        if (at >= mangled.Length) return type;
        at += 2;
        var method = Method(mangled, ref at);
        return at < mangled.Length ? $"{type}.{method}{mangled[at..]}" : $"{type}.{method}";
    }

    // Up to "__", a closing bracket or the end.
    private static string Type(string s, ref int at)
    {
        var start = at;
        while (at < s.Length && s[at] is not ('<' or '>' or ',') && !IsBreak(s, at)) at++;
        var name = Plain(s[start..at]);
        if (at >= s.Length || s[at] != '<') return name;
        var arguments = Arguments(s, ref at);
        return Arity(name) + arguments;
    }

    private static string Method(string s, ref int at)
    {
        var start = at;
        while (at < s.Length && s[at] is not ('<' or '>' or ',')) at++;
        var name = s[start..at];
        if (name is "_ctor" or "_cctor") name = "." + name[1..];
        return at < s.Length && s[at] == '<' ? name + Arguments(s, ref at) : name;
    }

    private static string Arguments(string s, ref int at)
    {
        var text = new StringBuilder("<");
        at++;
        while (at < s.Length && s[at] != '>')
        {
            if (s[at] == ',')
            {
                at++;
                text.Append(',');
            }
            else if (IsBreak(s, at) && text.Length > 1)
            {
                at += 2;
                text.Append(',');
            }

            var before = at;
            text.Append(Type(s, ref at));
            if (at == before) at++; // something new: skipped rather than stuck at
        }

        at++;
        return text.Append('>').ToString();
    }

    private static bool IsBreak(string s, int at) => s[at] == '_' && at + 1 < s.Length && s[at + 1] == '_';

    private static string Plain(string name)
    {
        foreach (var assembly in Assemblies)
            if (name.StartsWith(assembly, StringComparison.Ordinal)) return name[assembly.Length..].Replace('_', '.');
        // An assembly named after its namespace: the same words twice.
        for (var i = name.IndexOf('_', StringComparison.Ordinal); i > 0 && i < name.Length - 1; i = name.IndexOf('_', i + 1))
        {
            if (name.AsSpan(i + 1).StartsWith(name.AsSpan(0, i)) && (name.Length == (2 * i) + 1 || name[(2 * i) + 1] == '_'))
                return name[(i + 1)..].Replace('_', '.');
        }

        return name.Replace('_', '.');
    }

    // List.1.Enumerator<X> is List.Enumerator<X>: numbers of type parameters say nothing once the types are there.
    private static string Arity(string name)
    {
        var parts = name.Split('.');
        return string.Join('.', parts.Where(static p => !(p.Length is 1 or 2 && p.All(char.IsAsciiDigit))));
    }
}
