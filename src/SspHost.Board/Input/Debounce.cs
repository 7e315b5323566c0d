// A key whose contact bounces: the first edge counts at once, what follows within a few milliseconds does not.
namespace SspHost.Board;

/// <summary>Debounces one line where the kernel does not. Levels are true while pressed.</summary>
/// <param name="period">ns for which a change locks out the next.</param>
internal struct Debounce(ulong period)
{
    private bool _level, _told;
    private ulong _until;

    public void Start(bool level) => (_level, _told, _until) = (level, level, 0);

    /// <summary>A level at a time; true where the key has changed to <paramref name="told"/>.</summary>
    public bool Put(bool level, ulong time, out bool told)
    {
        _level = level;
        return Settle(time, out told);
    }

    /// <summary>Time passes: what the contact came to rest at counts when the lock is over.</summary>
    public bool Settle(ulong time, out bool told)
    {
        told = _level;
        if (_level == _told || time < _until) return false;
        _told = _level;
        _until = time + period;
        return true;
    }

    /// <summary>When <see cref="Settle"/> has something to say; 0: never.</summary>
    public readonly ulong Due => _level == _told ? 0 : _until;
}
