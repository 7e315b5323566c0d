// When an engine that died is started again with its patch, and when that patch is only opened.
namespace SspHost.Supervision;

/// <summary>What to do after a death.</summary>
internal enum AfterDeath
{
    /// <summary>Start it again and play on.</summary>
    PlayOn,

    /// <summary>Start it again with the patch opened but stopped: it took the engine down twice.</summary>
    OpenStopped,
}

/// <summary>
/// Two deaths in a row, each within 30 s of loading a patch, are the patch's fault. A death from outside (kill) is nobody's
/// fault, and a patch that played longer is trusted again.
/// </summary>
internal sealed class DeathPolicy
{
    /// <summary>A patch that plays this long has shown that it can.</summary>
    public static readonly TimeSpan Probation = TimeSpan.FromSeconds(30);

    private TimeSpan _loadedAt = TimeSpan.MinValue;
    private int _deaths;

    /// <summary>A patch, or a change of its structure, was given to the engine at <paramref name="now"/>.</summary>
    public void Loaded(TimeSpan now)
    {
        if (_loadedAt != TimeSpan.MinValue && now - _loadedAt > Probation) _deaths = 0;
        _loadedAt = now;
    }

    /// <summary>The engine died at <paramref name="now"/>.</summary>
    public AfterDeath Died(TimeSpan now, bool fromOutside)
    {
        if (fromOutside) return AfterDeath.PlayOn;
        if (_loadedAt == TimeSpan.MinValue || now - _loadedAt > Probation)
        {
            _deaths = 0;
            return AfterDeath.PlayOn;
        }

        return ++_deaths >= 2 ? AfterDeath.OpenStopped : AfterDeath.PlayOn;
    }

    /// <summary>The player took note and starts anew.</summary>
    public void Forgive() => _deaths = 0;
}
