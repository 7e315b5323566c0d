// A slot on trial is confirmed by music: so many seconds in a row in which it plays and loses nothing.
namespace SspHost.Updates;

/// <summary>Told once a second what the engine does. A second that was not clean begins the count anew. [one thread]</summary>
internal sealed class SlotTrial
{
    /// <summary>Seconds in a row.</summary>
    public const int Seconds = 10;

    private int _clean;
    private int _engine;
    private ulong _quanta, _dropouts;

    /// <summary>Whether it has played for long enough.</summary>
    public bool Passed { get; private set; }

    /// <summary>A second has gone by. True in the one in which the slot has passed.</summary>
    public bool Second(bool playing, int engine, ulong quanta, ulong dropouts)
    {
        var clean = playing && engine == _engine && quanta != _quanta && dropouts == _dropouts;
        (_engine, _quanta, _dropouts) = (engine, quanta, dropouts);
        _clean = clean ? _clean + 1 : 0;
        if (Passed || _clean < Seconds) return false;
        return Passed = true;
    }
}
