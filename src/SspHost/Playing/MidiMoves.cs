// Parameters that controllers are moving: until one rests it is performance, then it is an edit.
using SspHost.Patching;

namespace SspHost.Playing;

/// <summary>
/// Gathers moves by parameter. One that has not moved for <see cref="RestNs"/>, or keeps moving for <see cref="LongestNs"/> (an LFO behind a
/// controller), is taken into the patch; those that rest at the same time are one step. Not thread-safe.
/// </summary>
internal sealed class MidiMoves
{
    public const ulong RestNs = 400_000_000, LongestNs = 10_000_000_000;

    private readonly Dictionary<(string Module, string Parameter), (float Value, bool Played, ulong First, ulong Last)> _moving = [];
    private readonly List<Edit> _played = [], _unplayed = [];

    /// <summary>Edits whose values the engine has got, and those that it has not; of the last <see cref="Take"/>.</summary>
    public IReadOnlyList<Edit> Played => _played;

    /// <inheritdoc cref="Played"/>
    public IReadOnlyList<Edit> Unplayed => _unplayed;

    /// <summary>A parameter was moved; <paramref name="played"/>: by the engine, too.</summary>
    public void Add(string module, string parameter, float value, bool played, ulong time)
    {
        var first = _moving.TryGetValue((module, parameter), out var before) ? before.First : time;
        _moving[(module, parameter)] = (value, played, first, time);
    }

    /// <summary>Forgets what moves: the patch is another one.</summary>
    public void Clear() => _moving.Clear();

    /// <summary>Takes what rests by now; true if there is any.</summary>
    public bool Take(ulong now)
    {
        if (_moving.Count == 0) return false;
        _played.Clear();
        _unplayed.Clear();
        foreach (var (key, move) in _moving)
        {
            if (now - Math.Min(now, move.Last) < RestNs && now - Math.Min(now, move.First) < LongestNs) continue;
            (move.Played ? _played : _unplayed).Add(new SetParameter(key.Module, key.Parameter, move.Value));
        }

        foreach (var edit in _played.Concat(_unplayed).Cast<SetParameter>()) _ = _moving.Remove((edit.Module, edit.Parameter));
        return _played.Count + _unplayed.Count > 0;
    }
}
