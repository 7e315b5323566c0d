// The gain of everything: raised cosine in at the start and out before a stop, because a step of gain is a click.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// Gain <c>0.5 - 0.5 cos(pi x)</c> with x moving from 0 to 1 or back by one step a frame. Its slope is zero at both ends, which keeps
/// the fade's own
/// spectrum below 1/length. A change of direction goes on from the present gain.
/// </summary>
public unsafe struct MasterFade
{
    private int _at, _length, _step;
    private fixed float _gains[Limits.MaxQuantum];

    /// <summary>Gain of the next frame.</summary>
    public readonly float Gain => _length == 0 ? (_at > 0 ? 1 : 0) : GainAt(_at);

    /// <summary>Whether a fade out has reached silence.</summary>
    public readonly bool IsSilent => _at == 0 && _step <= 0;

    /// <summary>Rises to 1 over this many frames; 0: at once.</summary>
    public void In(int frames) => Turn(frames, 1);

    /// <summary>Falls to 0 over this many frames; 0: at once.</summary>
    public void Out(int frames) => Turn(frames, -1);

    /// <summary>Applies the gain to a quantum of each output.</summary>
    public void Apply(float** outputs, int outputCount, int frames)
    {
        if (_step == 0)
        {
            if (_at > 0) return;
            for (var j = 0; j < outputCount; j++) new Span<float>(outputs[j], frames).Clear();
            return;
        }

        for (var i = 0; i < frames; i++)
        {
            _gains[i] = GainAt(_at);
            _at += _step;
            if (_at < 0 || _at > _length) _at = Math.Max(0, Math.Min(_at, _length));
        }

        if ((_step > 0 && _at == _length) || (_step < 0 && _at == 0)) _step = 0;
        for (var j = 0; j < outputCount; j++)
        {
            var samples = outputs[j];
            for (var i = 0; i < frames; i++) samples[i] *= _gains[i];
        }
    }

    private void Turn(int frames, int step)
    {
        var x = _length == 0 ? (_at > 0 ? 1.0 : 0.0) : (double)_at / _length;
        if (frames <= 0)
        {
            (_length, _at, _step) = (0, step > 0 ? 1 : 0, 0);
            return;
        }

        (_length, _at, _step) = (frames, (int)Math.Round(x * frames), step);
        if ((step > 0 && _at == _length) || (step < 0 && _at == 0)) _step = 0;
    }

    private readonly float GainAt(int at) =>
        at <= 0 ? 0 : at >= _length ? 1 : 0.5f - (0.5f * MathF.Cos(MathF.PI * at / _length));
}
