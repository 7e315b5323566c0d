// A frame of a thread's stack in words.
using SspHost.Diagnostics.Symbols;

namespace SspHost.Diagnostics.Stalls;

/// <summary>One address of a stack.</summary>
/// <param name="Address">In the process.</param>
/// <param name="Library">File it is in, without its folder; null: none.</param>
/// <param name="Place">Function and line, as far as they are known.</param>
/// <param name="IsOwn">Whether it is of the engine or a module, not of the system's libraries or the runtime.</param>
public readonly record struct StallFrame(ulong Address, string? Library, Place Place, bool IsOwn)
{
    /// <summary>"Vco.Process": the last two words of a name, type arguments left out.</summary>
    public string Short
    {
        get
        {
            if (Place.Function is not { } name) return Library != null ? FormattableString.Invariant($"{Library}+{Address & 0xFFF:x}") : FormattableString.Invariant($"{Address:x}");
            var plain = name;
            for (var open = plain.IndexOf('<', StringComparison.Ordinal); open > 0; open = plain.IndexOf('<', StringComparison.Ordinal))
            {
                var close = plain.LastIndexOf('>');
                if (close < open) break;
                plain = plain[..open] + plain[(close + 1)..];
            }

            var words = plain.Split('.');
            return words.Length <= 2 ? plain : string.Join('.', words[^2..]);
        }
    }

    /// <summary>"Vco.Process (dsp-modules/Sources/Vco.cs:88)".</summary>
    public string Words => Place.File != null ? FormattableString.Invariant($"{Short} ({Place.File}:{Place.Line})") : Library != null && Place.Function != null && !IsOwn ? $"{Short} ({Library})" : Short;

    /// <summary>All that is known, for engineers.</summary>
    public override string ToString() => FormattableString.Invariant($"{Address:x} {Place.Function ?? "?"}{(Place.Function != null ? $"+{Place.Offset:x}" : "")}{(Place.File != null ? $" {Place.File}:{Place.Line}" : "")}{(Library != null ? $" [{Library}]" : "")}");
}
