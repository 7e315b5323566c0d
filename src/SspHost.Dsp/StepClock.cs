// When a sequencer steps: at the rises of a cable, at the sixteenths of a MIDI clock, or by its own tempo.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// A patched clock rules; without one a MIDI clock does once one is heard, and before that the tempo. Start rewinds, stop and continue do
/// what they say. Zeroed memory must be rewound before use: the first frame of an own tempo is its first step.
/// </summary>
public struct StepClock
{
    private const int TicksPerStep = 6;

    private SchmittTrigger _clock;
    private int _ticks;
    private double _beat;
    private bool _midi, _due, _measured, _patched;

    /// <summary>Whether stop was the last word.</summary>
    public bool Stopped { get; set; }

    /// <summary>Whether the clock's own gate is high: the first half of a step where it is by tempo or MIDI.</summary>
    public readonly bool IsHigh => _patched ? _clock.IsHigh : Since < 0.5 * Period;

    /// <summary>Frames of a step: between the last two, or by the tempo where there was one only.</summary>
    public double Period { get; private set; }

    /// <summary>Frames since the step began; 0 in its frame.</summary>
    public long Since { get; private set; }

    /// <summary>The next step comes at once, or with the next tick.</summary>
    public void Rewind()
    {
        _ticks = 0;
        _beat = 1.0;
    }

    /// <summary>Takes an event of transport; true where it rewinds.</summary>
    public bool Take(in ModuleEvent e, bool patched)
    {
        switch (e.Kind)
        {
            case EventKind.Start:
                Stopped = false;
                Rewind();
                return true;
            case EventKind.Continue:
                Stopped = false;
                return false;
            case EventKind.Stop:
                Stopped = true;
                return false;
            case EventKind.Clock:
                var first = !_midi;
                if (first) Rewind();
                _midi = true;
                if (Stopped || patched) return first;
                if (_ticks == 0) _due = true;
                _ticks = _ticks + 1 == TicksPerStep ? 0 : _ticks + 1;
                return first;
            default:
                return false;
        }
    }

    /// <summary>Takes one frame; true where a step begins.</summary>
    /// <param name="clock">Voltage of the clock's cable.</param>
    /// <param name="patched">Whether there is one.</param>
    /// <param name="framesPerStep">Frames of a step of the own tempo.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next(float clock, bool patched, double framesPerStep)
    {
        Since++;
        _patched = patched;
        var steps = _clock.Rises(clock);
        var own = false;
        if (!patched)
        {
            steps = _due;
            _due = false;
            own = !_midi && !Stopped;
            if (own)
            {
                if (_beat >= 1.0 - 1e-9)
                {
                    _beat -= 1.0;
                    steps = true;
                }

                _beat += 1.0 / framesPerStep;
            }
        }

        if (!steps || Stopped) return false;
        Period = own || !_measured ? framesPerStep : Since;
        _measured = true;
        Since = 0;
        return true;
    }
}
