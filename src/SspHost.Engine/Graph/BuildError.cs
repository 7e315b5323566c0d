// What was wrong with a plan, or what it lacked: enough for one clear line on the control side.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>Outcome of Renderer.Install; the fields a <see cref="Reply"/> carries.</summary>
[StructLayout(LayoutKind.Auto)]
public struct BuildError
{
    /// <summary>Outcome.</summary>
    public ReplyStatus Status;

    /// <summary>What part was bad.</summary>
    public BadPart Part;

    /// <summary>Index of the bad part in its table: a node, input, cable ...</summary>
    public int Index;

    /// <summary>The value met there.</summary>
    public long Value;

    /// <summary>Bytes the plan and its new modules need in all; 0 where it was refused before they were counted.</summary>
    public long Bytes;

    /// <summary>New instances whose saved state was refused by their module (they start with their defaults), and the first such node or -1.</summary>
    public int StatesRefused, FirstStateRefused;

    internal static BuildError Bad(BadPart part, int index, long value = 0) =>
        new() { Status = ReplyStatus.BadRequest, Part = part, Index = index, Value = value, FirstStateRefused = -1 };
}
