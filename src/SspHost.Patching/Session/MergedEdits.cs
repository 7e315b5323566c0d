// Edits of one gesture, joined: of many values for one knob the last counts.
namespace SspHost.Patching;

/// <summary>Grows by what a hand does; costs what it is given, however much was there. Not thread-safe.</summary>
internal sealed class MergedEdits
{
    private readonly List<Edit> _edits = [];

    // Where the value of each target stands. Only past edits that set values, too: one that copies or removes a module may have read the old value.
    private readonly Dictionary<Target, int> _places = [];

    public MergedEdits(ReadOnlySpan<Edit> edits) => Add(edits);

    public int Count => _edits.Count;

    public void Add(ReadOnlySpan<Edit> edits)
    {
        foreach (var e in edits)
        {
            if (TargetOf(e) is not { } target)
            {
                _places.Clear();
                _edits.Add(e);
            }
            else if (_places.TryGetValue(target, out var at))
            {
                _edits[at] = e;
            }
            else
            {
                _places[target] = _edits.Count;
                _edits.Add(e);
            }
        }
    }

    public Edit[] ToArray() => [.. _edits];

    private static Target? TargetOf(Edit e) => e switch
    {
        SetParameter x => new Target(1, x.Module, x.Parameter),
        SetSetting x => new Target(2, x.Module, x.Setting),
        SetCableGain x => new Target(3, x.From.Module, x.From.Port, x.To.Module, x.To.Port),
        Move x => new Target(4, x.Module),
        Rename x => new Target(5, x.Module),
        Bypass x => new Target(6, x.Module),
        RenamePatch => new Target(7),
        SetNotes => new Target(8),
        SetQuantum => new Target(9),
        _ => null,
    };

    private readonly record struct Target(byte Kind, string A = "", string B = "", string C = "", string D = "");
}
