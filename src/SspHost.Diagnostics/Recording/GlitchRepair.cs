// Puts a recording together so that it stays in step: what is missing becomes silence of exactly its length, faded at its edges.
namespace SspHost.Diagnostics;

/// <summary>Something missing in a recording.</summary>
/// <param name="At">Frame of the recording at which the silence begins.</param>
/// <param name="Frames">Its length.</param>
/// <param name="EngineFrame">Number of the first missing frame on the card's clock.</param>
/// <param name="Start">Start of audio that number belongs to.</param>
/// <param name="Restart">Audio had ended and was started again: the length is by the clock of the computer, not by the card's.</param>
public readonly record struct Gap(long At, long Frames, ulong EngineFrame, long Start, bool Restart);

/// <summary>
/// Takes blocks as they come, each with its number on the card's clock, and writes frames without a hole. The last millisecond is held back
/// until it is known what follows it: before silence it fades out, after it the music fades in (half a cosine each), so that a gap does not click.
/// The block after a gap stands exactly where the card's clock has it.
/// </summary>
public sealed class GlitchRepair
{
    /// <summary>Longest silence put in, in seconds: a card that was away for a night is no reason to fill a disk.</summary>
    public const int MostSeconds = 600;

    /// <summary>Gaps that are remembered, the first of them: a night of dropouts must not fill the memory. All are counted.</summary>
    public const int MostGaps = 1000;

    private const double Second = 1e9;

    private readonly int _channels, _rate, _fade;
    private readonly Action<ReadOnlyMemory<float>> _write;
    private readonly float[] _held, _silence;
    private readonly float[] _shape;
    private readonly List<Gap> _gaps = [];
    private int _heldFrames, _fadingIn;
    private ulong _next;
    private ulong _endTime;
    private long _start = -1;

    /// <summary>A recording of interleaved <paramref name="channels"/> at <paramref name="rate"/> Hz, handed to <paramref name="write"/> in whole frames.</summary>
    public GlitchRepair(int channels, int rate, Action<ReadOnlyMemory<float>> write)
    {
        (_channels, _rate, _write) = (channels, rate, write);
        _fade = Math.Max(1, rate / 1000);
        _fadingIn = _fade;
        _held = new float[_fade * channels];
        _silence = new float[4096 * channels];
        _shape = new float[_fade];
        for (var i = 0; i < _fade; i++) _shape[i] = (float)(0.5 - (0.5 * Math.Cos(Math.PI * (i + 0.5) / _fade)));
    }

    /// <summary>Frames of the recording so far, those held back included.</summary>
    public long Frames { get; private set; }

    /// <summary>What was missing; the first <see cref="MostGaps"/> of <see cref="GapCount"/>.</summary>
    public IReadOnlyList<Gap> Gaps => _gaps;

    /// <summary>Gaps there were.</summary>
    public long GapCount { get; private set; }

    /// <summary>Frames of silence in all of them.</summary>
    public long Missing { get; private set; }

    /// <summary>
    /// Takes a block of interleaved frames. <paramref name="start"/> and <paramref name="frame"/>: which start of audio and which number there its
    /// first frame has; <paramref name="time"/>: CLOCK_MONOTONIC in ns, used only across starts. True if something was missing before it.
    /// </summary>
    public bool Take(long start, ulong frame, ulong time, ReadOnlySpan<float> interleaved)
    {
        var frames = interleaved.Length / _channels;
        var missing = 0L;
        var restart = _start >= 0 && (start != _start || frame < _next);
        if (restart) missing = time > _endTime ? (long)Math.Round((time - _endTime) / Second * _rate) : 0;
        else if (_start >= 0) missing = (long)Math.Min(frame - _next, (ulong)long.MaxValue);
        if (missing > 0 || restart) Insert(Math.Min(missing, (long)MostSeconds * _rate), restart ? frame : _next, start, restart);
        (_start, _next) = (start, frame + (ulong)frames);
        _endTime = time + (ulong)(frames * Second / _rate);
        Append(interleaved, frames);
        return missing > 0;
    }

    /// <summary>Writes what was held back. The end itself is not faded: it is where whoever recorded wanted it.</summary>
    public void Finish() => Flush(_heldFrames);

    private void Insert(long frames, ulong engineFrame, long start, bool restart)
    {
        if (frames > 0)
        {
            for (var i = 0; i < _heldFrames; i++) Scale(_held.AsSpan(i * _channels, _channels), _shape[_heldFrames - 1 - i]);
            Flush(_heldFrames);
            Remember(new Gap(Frames, frames, engineFrame, start, restart));
            for (var left = frames; left > 0;)
            {
                var n = (int)Math.Min(left, _silence.Length / _channels);
                _write(_silence.AsMemory(0, n * _channels));
                left -= n;
            }

            Frames += frames;
            _fadingIn = 0;
        }
        else if (restart)
        {
            Remember(new Gap(Frames, 0, engineFrame, start, Restart: true));
        }
    }

    private void Remember(Gap gap)
    {
        GapCount++;
        Missing += gap.Frames;
        if (_gaps.Count < MostGaps) _gaps.Add(gap);
    }

    private void Append(ReadOnlySpan<float> interleaved, int frames)
    {
        for (var i = 0; i < frames; i++)
        {
            if (_heldFrames == _fade) Flush(Math.Min(_fade, frames - i));
            var to = _held.AsSpan(_heldFrames * _channels, _channels);
            interleaved.Slice(i * _channels, _channels).CopyTo(to);
            if (_fadingIn < _fade) Scale(to, _shape[_fadingIn++]);
            _heldFrames++;
        }

        Frames += frames;
    }

    // The oldest of what is held goes into the file.
    private void Flush(int frames)
    {
        if (frames == 0) return;
        _write(_held.AsMemory(0, frames * _channels));
        _held.AsSpan(frames * _channels, (_heldFrames - frames) * _channels).CopyTo(_held);
        _heldFrames -= frames;
    }

    private static void Scale(Span<float> frame, float gain)
    {
        for (var c = 0; c < frame.Length; c++) frame[c] *= gain;
    }
}
