// One undo step per gesture: turns of one knob belong together until it stands still or another one is turned.
using SspHost.Patching;

namespace SspHost.Panel.Input;

/// <summary>Keeps a gesture of the session open while a knob is being turned.</summary>
internal sealed class TurnGesture(PatchSession session)
{
    private const ulong Still = 700_000_000; // ns after which a hand has let go

    private string? _knob;
    private ulong _last;

    public void Begin(string knob, ulong now)
    {
        if (_knob != knob)
        {
            End();
            _knob = knob;
            session.BeginGesture();
        }

        _last = now;
    }

    public void Tick(ulong now)
    {
        if (_knob != null && now > _last + Still) End();
    }

    public void End()
    {
        if (_knob is null) return;
        _knob = null;
        session.EndGesture();
    }
}
