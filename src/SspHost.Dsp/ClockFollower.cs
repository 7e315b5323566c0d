// How fast an outside clock is, and where between two of its rises we are: to the frame.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>Counts the frames between rises. Zeroed memory has heard nothing.</summary>
public struct ClockFollower
{
    // An interval this many times the one before is a pause and says nothing of the tempo.
    private const int Pause = 4;

    private int _rises;

    /// <summary>Frames between the last two rises; 0 until there were two.</summary>
    public long Period { get; private set; }

    /// <summary>Frames since the last rise; 0 in its frame.</summary>
    public long Since { get; private set; }

    /// <summary>Whether a rise has come at all.</summary>
    public readonly bool Started => _rises > 0;

    /// <summary>Takes one frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next(bool rises)
    {
        Since++;
        if (rises) Rise();
    }

    private void Rise()
    {
        if (_rises >= 1 && (_rises < 2 || Since < Pause * Period)) Period = Since;
        if (_rises < 2) _rises++;
        Since = 0;
    }
}
