// One take: blocks as the engine hands them out, in volts and a channel after the other, become one WAV file without a hole.
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Wav;

namespace SspHost.Recording;

/// <summary>
/// What is missing between two blocks becomes silence with a marker (<see cref="GlitchRepair"/>). Once a second the file's header says what is in
/// it, so that it is readable however this process ends. Full scale is 10 V. Not thread-safe; <see cref="IOException"/> where the disk or the
/// format is full, and what was written stays.
/// </summary>
internal sealed class Take
{
    private const float FullScaleVolts = 10;

    private readonly WavWriter _writer;
    private readonly GlitchRepair _repair;
    private readonly float[] _interleaved;
    private readonly int _channels;
    private long _saved;

    /// <summary>Begins a file, in place of one that is there.</summary>
    public Take(string path, int rate, int channels)
    {
        (Path, _channels) = (path, channels);
        _writer = WavWriter.Create(path, rate, channels, WavEncoding.Float32);
        _repair = new GlitchRepair(channels, rate, frames => _writer.Write(frames.Span));
        _interleaved = new float[Limits.MaxQuantum * channels];
    }

    public string Path { get; }

    /// <summary>Sample rate in Hz.</summary>
    public int Rate => _writer.Rate;

    /// <summary>Frames so far, silence included.</summary>
    public long Frames => _repair.Frames;

    /// <summary>Length in seconds.</summary>
    public double Seconds => Frames / (double)Rate;

    /// <summary>Frames of silence in it.</summary>
    public long Missing => _repair.Missing;

    /// <summary>Where they are; the first <see cref="GlitchRepair.MostGaps"/>.</summary>
    public IReadOnlyList<Gap> Gaps => _repair.Gaps;

    /// <summary>
    /// Adds a block of <paramref name="volts"/>, a channel after the other. <paramref name="start"/>: which start of audio its frame number is of.
    /// </summary>
    public void Add(long start, in RecordBlock head, ReadOnlySpan<float> volts)
    {
        var frames = volts.Length / _channels;
        for (var c = 0; c < _channels; c++)
            for (var i = 0; i < frames; i++) _interleaved[(i * _channels) + c] = volts[(c * frames) + i] / FullScaleVolts;
        _ = _repair.Take(start, head.Frame, head.Time, _interleaved.AsSpan(0, frames * _channels));
        if (_writer.Frames < _saved + Rate) return;
        _writer.Save();
        _saved = _writer.Frames;
    }

    /// <summary>Completes the file; <paramref name="words"/> names a gap for its marker.</summary>
    public void Finish(Func<Gap, string> words)
    {
        try
        {
            _repair.Finish();
        }
        finally
        {
            _writer.Cues = [.. _repair.Gaps.Select(g => new WavCue(g.At, g.Frames, words(g)))];
            _writer.Dispose();
        }
    }

    /// <summary>Lets go of a file whose disk is full: what was written stays.</summary>
    public void Abandon()
    {
        try
        {
            _writer.Dispose();
        }
        catch (IOException)
        {
            // Said already.
        }
    }
}
