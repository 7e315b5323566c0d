// When a drum is struck and how hard: its trigger, its accent and notes, exact to the sample.
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>Which ports and knobs a drum is struck by.</summary>
/// <param name="trigger">Input of the trigger; where nothing is patched, the drum strikes once when it is placed.</param>
/// <param name="accent">Input of the accent, 0..10 V; where nothing is patched, every strike is the loudest.</param>
/// <param name="mute">Whether an unpatched trigger never strikes by itself.</param>
public readonly struct StrikePorts(int trigger, int accent, bool mute = false)
{
    /// <summary>Whether an unpatched trigger never strikes by itself.</summary>
    public readonly bool Mute = mute;

    /// <summary>Index of the input.</summary>
    public readonly int Trigger = trigger, Accent = accent;
}

/// <summary>One voice of a struck instrument. Notes strike the first voice.</summary>
public unsafe struct StrikeInput
{
    private SchmittTrigger _gate;
    private bool _placed;

    /// <summary>Whether the trigger is high.</summary>
    public readonly bool IsHigh => _gate.IsHigh;

    /// <summary>
    /// Strengths 0..1 of the strikes in a segment: strengths[i * stride], 0 where there is none. True where there is any; otherwise
    /// nothing is written.
    /// </summary>
    /// <param name="accent">How much of the strength the accent decides, 0..1.</param>
    /// <param name="key">Note that strikes; below 0: every note; above 127: none.</param>
    public bool Read(
        in ProcessContext context, in StrikePorts ports, int voice, int segment, float accent, int key, float* strengths, int stride)
    {
        var any = false;
        var at = segment * Limits.Grid;
        ref var trigger = ref context.Inputs[ports.Trigger];
        var accents = context.Inputs[ports.Accent].Connected ? context.In(ports.Accent, voice) + at : null;
        if (!trigger.Connected)
        {
            if (!_placed && !ports.Mute) Strike(ref any, strengths, stride, 0, 1f);
        }
        else if (trigger.Silent)
        {
            _gate.Rises(0f);
        }
        else
        {
            var volts = context.In(ports.Trigger, voice) + at;
            for (var i = 0; i < Limits.Grid; i++)
            {
                if (!_gate.Rises(volts[i])) continue;
                var strength = accents == null ? 1f : Math.Min(Math.Max(accents[i] * 0.1f, 0f), 1f);
                Strike(ref any, strengths, stride, i, 1f - accent + (accent * strength));
            }
        }

        _placed = true;
        if (voice > 0 || context.EventCount == 0) return any;
        var cursor = 0;
        for (var e = context.NextEvent(ref cursor); e != null; e = context.NextEvent(ref cursor))
        {
            var i = (int)e->Frame - at;
            if (e->Kind != EventKind.NoteOn || i < 0 || i >= Limits.Grid || (key >= 0 && e->Index != key)) continue;
            Strike(ref any, strengths, stride, i, 1f - accent + (accent * Math.Min(Math.Max(e->Value, 0f), 1f)));
        }

        return any;
    }

    private static void Strike(ref bool any, float* strengths, int stride, int frame, float strength)
    {
        if (!any)
        {
            for (var i = 0; i < Limits.Grid; i++) strengths[i * stride] = 0f;
        }

        any = true;

        // A strike of no strength is no strike.
        strengths[frame * stride] = Math.Max(strengths[frame * stride], strength);
    }
}
