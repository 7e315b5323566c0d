// The difference between two patches, small: what undo and redo remember.
using System.Collections.Immutable;

namespace SspHost.Patching;

/// <summary>
/// Turns one patch into the other, both ways. Parts that are the same object in both are not kept, so a step costs what it changed,
/// not what the patch weighs.
/// </summary>
internal sealed class PatchDelta
{
    private readonly Patch? _before, _after; // without modules and cables; null: the same
    private readonly Part<Module> _modules;
    private readonly Part<Cable> _cables;

    private PatchDelta(Patch? before, Patch? after, Part<Module> modules, Part<Cable> cables) =>
        (_before, _after, _modules, _cables) = (before, after, modules, cables);

    /// <summary>Whether the two patches were the same.</summary>
    public bool IsEmpty => _before is null && _modules.IsEmpty && _cables.IsEmpty;

    public static PatchDelta Between(Patch before, Patch after)
    {
        var same = before.Id == after.Id && before.Name == after.Name && before.Notes == after.Notes && before.Quantum == after.Quantum && before.Unknown == after.Unknown
            && before.Scenes == after.Scenes && before.Controllers == after.Controllers; // the same arrays: whoever changes one makes another
        return new PatchDelta(
            same ? null : before with { Modules = [], Cables = [] },
            same ? null : after with { Modules = [], Cables = [] },
            Part<Module>.Between(before.Modules, after.Modules),
            Part<Cable>.Between(before.Cables, after.Cables));
    }

    /// <summary>The patch before, from the patch after.</summary>
    public Patch Undo(Patch after) => (_before ?? after) with
    {
        Modules = _modules.Replace(after.Modules, undo: true),
        Cables = _cables.Replace(after.Cables, undo: true),
    };

    /// <summary>The patch after, from the patch before.</summary>
    public Patch Redo(Patch before) => (_after ?? before) with
    {
        Modules = _modules.Replace(before.Modules, undo: false),
        Cables = _cables.Replace(before.Cables, undo: false),
    };

    // What lies between the common beginning and the common end of two lists.
    private readonly struct Part<T> where T : class
    {
        private readonly int _start;
        private readonly T[] _removed, _inserted;

        private Part(int start, T[] removed, T[] inserted) => (_start, _removed, _inserted) = (start, removed, inserted);

        public bool IsEmpty => _removed.Length == 0 && _inserted.Length == 0;

        public static Part<T> Between(ImmutableArray<T> before, ImmutableArray<T> after)
        {
            var shorter = Math.Min(before.Length, after.Length);
            var start = 0;
            while (start < shorter && ReferenceEquals(before[start], after[start])) start++;
            var end = 0;
            while (end < shorter - start && ReferenceEquals(before[^(end + 1)], after[^(end + 1)])) end++;
            return new Part<T>(start, [.. before.AsSpan()[start..^end]], [.. after.AsSpan()[start..^end]]);
        }

        public ImmutableArray<T> Replace(ImmutableArray<T> list, bool undo)
        {
            if (IsEmpty) return list;
            var (gone, come) = undo ? (_inserted, _removed) : (_removed, _inserted);
            var result = ImmutableArray.CreateBuilder<T>(list.Length - gone.Length + come.Length);
            result.AddRange(list.AsSpan()[.._start]);
            result.AddRange(come);
            result.AddRange(list.AsSpan()[(_start + gone.Length)..]);
            return result.MoveToImmutable();
        }
    }
}
