// Where control goes from a function besides its own next instruction.
namespace SspHost.Proof;

/// <summary>How a target is known.</summary>
internal enum FlowKind
{
    /// <summary>Named by the instruction.</summary>
    Direct,

    /// <summary>A call or jump through a register or through memory.</summary>
    Indirect,

    /// <summary>Not understood: the proof fails where it is reached.</summary>
    Unknown,
}

/// <summary>One call or jump out of a function.</summary>
/// <param name="Kind">How its target is known.</param>
/// <param name="At">Offset of the instruction in its section.</param>
/// <param name="Target">The function, if Direct and defined.</param>
/// <param name="External">The name, if Direct and defined nowhere here.</param>
/// <param name="Text">The instruction and what can be said of it.</param>
internal readonly record struct Flow(FlowKind Kind, ulong At, Function? Target, string? External, string Text);

/// <summary>Takes a function's code apart.</summary>
internal interface ICodeReader
{
    /// <summary>Every call and every jump that leaves the function. All of its bytes are taken as code that runs.</summary>
    List<Flow> Read(Image image, Function function);
}

/// <summary>What the readers of both machines share: the meaning of a direct branch.</summary>
internal static class Branch
{
    /// <summary>A branch to an offset of its own section. Null: it stays inside, at <paramref name="offset"/>.</summary>
    public static Flow? Near(Image image, Function from, ulong at, ulong offset, string text)
    {
        if (from.Contains(offset)) return null;
        var target = image.StartingAt(from.Home, from.Section, offset);
        return target != null
            ? new Flow(FlowKind.Direct, at, target, null, text)
            : new Flow(FlowKind.Unknown, at, null, null, $"{text}: leads to no function's beginning");
    }

    /// <summary>A branch the linker completes. Null: it stays inside, at <paramref name="inside"/>.</summary>
    public static Flow? Linked(Image image, Function from, ulong at, ElfRelocation relocation, long addend, string text, out ulong inside)
    {
        inside = 0;
        var to = image.Resolve(from.Home, relocation.Symbol, addend);
        if (to.External != null)
        {
            return addend == 0
                ? new Flow(FlowKind.Direct, at, null, to.External, text)
                : new Flow(FlowKind.Unknown, at, null, null, $"{text}: leads {addend} bytes behind {to.External}");
        }

        if (to.Section == from.Home.Sections[from.Section] && from.Contains(to.Offset) && to.Offset != from.Start)
        {
            inside = to.Offset;
            return null;
        }

        return to.Function != null
            ? new Flow(FlowKind.Direct, at, to.Function, null, text)
            : new Flow(FlowKind.Unknown, at, null, null, $"{text}: leads into the middle of something near {to.Symbol ?? to.Section!.Name}");
    }
}
