// Detents of a rotary encoder from the levels of its two lines.
namespace SspHost.Board;

/// <summary>
/// A quadrature decoder. Contacts that bounce step back and forth and cancel; what an edge that was never seen leaves wrong ends at the next detent, where the
/// count is rounded to whole ones: an edge lost is at most a detent lost, and none is ever owed.
/// </summary>
/// <param name="stepsPerDetent">Edges from detent to detent: 4, 2 or 1.</param>
internal struct Quadrature(int stepsPerDetent)
{
    // Clockwise, A leads: the phase of (A, B) as a number 0..3, of 11, 01, 00, 10. An encoder rests with both contacts open or, where it has two
    // detents in a cycle, with both closed; which of the two it is at start is where it rests.
    private int _phase;
    private int _rest;
    private int _steps;
    private bool _a, _b;

    /// <summary>Levels as they are before anything moves.</summary>
    public void Start(bool a, bool b)
    {
        (_a, _b) = (a, b);
        _phase = Phase(a, b);
        _steps = 0;
        _rest = stepsPerDetent == 4 && _phase == 2 ? 2 : 0;
    }

    /// <summary>An edge on a line; detents that it completes, clockwise is positive.</summary>
    public int Edge(bool lineA, bool level)
    {
        if (lineA) _a = level;
        else _b = level;
        var phase = Phase(_a, _b);
        _steps += ((phase - _phase) & 3) switch { 1 => 1, 3 => -1, _ => 0 }; // 0: the edge before it on this line was lost
        return At(phase);
    }

    /// <summary>Levels as they are after edges were lost: which way they went is not known, so none of them is counted. Detents as above.</summary>
    public int Resume(bool a, bool b)
    {
        (_a, _b) = (a, b);
        return At(Phase(a, b));
    }

    private int At(int phase)
    {
        _phase = phase;
        if (((phase - _rest) & (stepsPerDetent - 1)) != 0) return 0;
        var detents = (_steps + (Math.Sign(_steps) * (stepsPerDetent / 2))) / stepsPerDetent;
        _steps = 0;
        return detents;
    }

    private static int Phase(bool a, bool b) => a ? (b ? 0 : 3) : (b ? 1 : 2);
}
