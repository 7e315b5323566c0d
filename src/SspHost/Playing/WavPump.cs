// Moves recordings between files and the engine's stream rings, on a thread of its own, as fast as the rings allow.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Wav;

namespace SspHost.Playing;

/// <summary>
/// Feeds an input file (or silence) and drains into an output file. A recording of one channel feeds jacks 1 and 2 alike; a wider one
/// feeds as many jacks as it has channels. Full scale is 10 V, as the engine's cards have it.
/// </summary>
internal sealed unsafe class WavPump : IDisposable
{
    private const int Capacity = 1 << 15;

    // Offline nothing paces the engine, and a light patch fills the ring above in a third of the millisecond that the pump sleeps: it would wait more
    // than it renders. A MiB of samples lasts longer than the sleep of both.
    private const int OfflineSamples = 1 << 18;
    private const int Chunk = 4096;

    private readonly WavReader? _reader;
    private readonly WavWriter? _writer;
    private readonly Grant? _inputBlock;
    private readonly Grant? _outputBlock;
    private readonly StreamPipe _input;
    private readonly StreamPipe _output;
    private readonly long _silence;
    private readonly Func<bool> _engineEnded;
    private readonly ManualResetEventSlim _stop = new();
    private Thread? _thread;
    private long _fed;

    private WavPump(EngineLink link, WavReader? reader, WavWriter? writer, int inputs, int outputs, long silence, long expected)
    {
        (_reader, _writer, _silence, Expected) = (reader, writer, silence, expected);
        _engineEnded = () => link.Process is { HasExited: true };
        if (inputs > 0)
        {
            var capacity = CapacityFor(inputs, expected);
            _inputBlock = link.Allocate(StreamPipe.BytesFor(inputs, capacity));
            _input = StreamPipe.Create(_inputBlock.Pointer, inputs, capacity);
        }

        if (writer != null)
        {
            var capacity = CapacityFor(outputs, expected);
            _outputBlock = link.Allocate(StreamPipe.BytesFor(outputs, capacity));
            _output = StreamPipe.Create(_outputBlock.Pointer, outputs, capacity);
        }
    }

    private static int CapacityFor(int channels, long expected) =>
        expected == 0 ? Capacity : Math.Max(Capacity, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(OfflineSamples / channels)));

    /// <summary>Why it ended early; null while all is well.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Frames written to the output file.</summary>
    public long FramesOut => _writer?.Frames ?? 0;

    /// <summary>Largest magnitude written, full scale 1.</summary>
    public float Peak => _writer?.Peak ?? 0;

    /// <summary>Whether the thread has done its work.</summary>
    public bool Done => _thread is { IsAlive: false };

    /// <summary>
    /// Makes the rings. Without a <paramref name="reader"/>, <paramref name="inputs"/> jacks get <paramref name="silence"/> frames of
    /// silence (-1: for ever; no ring where inputs is 0). <see cref="Start"/> starts the thread.
    /// </summary>
    public static WavPump Create(EngineLink link, WavReader? reader, WavWriter? writer, int inputs, int outputs, long silence, long expected = 0)
    {
        try
        {
            return new WavPump(link, reader, writer, inputs, outputs, silence, expected);
        }
        catch
        {
            reader?.Dispose();
            writer?.Dispose();
            throw;
        }
    }

    /// <summary>Jacks that a recording of so many channels feeds.</summary>
    public static int JacksFor(int channels) => Math.Clamp(channels, 2, Limits.MaxJacks);

    /// <summary>Enters the rings into a configuration.</summary>
    public void Configure(ref AudioConfig config)
    {
        config.InputStream = _inputBlock?.Offset ?? 0;
        config.OutputStream = _outputBlock?.Offset ?? 0;
    }

    /// <summary>Starts moving.</summary>
    public void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "wav" };
        _thread.Start();
    }

    /// <summary>Waits until everything was fed and, with a writer, <see cref="Expected"/> frames came out. False when the time is over first.</summary>
    public bool Wait(TimeSpan patience) => _thread == null || _thread.Join(patience);

    /// <summary>The output is complete at this many frames; 0: as many as come until it is stopped.</summary>
    public long Expected { get; }

    /// <summary>Ends the thread, finishes the output file, gives the rings back. Call it after audio was stopped.</summary>
    public void Dispose()
    {
        _stop.Set();
        _thread?.Join();
        if (Failure == null && _writer != null && !_engineEnded()) DrainLast();
        _reader?.Dispose();
        _writer?.Dispose();
        _inputBlock?.Dispose();
        _outputBlock?.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        try
        {
            var jacks = _inputBlock != null ? _input.Channels : 0;
            var input = new float[Chunk * Math.Max(1, jacks)];
            var decoded = new float[Chunk * (_reader?.Channels ?? 1)];
            var output = new float[Chunk * (_writer != null ? _output.Channels : 1)];
            int have = 0, given = 0; // frames in `input`, and of those how many went
            var feeding = _inputBlock != null;
            while (!_stop.IsSet)
            {
                var moved = false;
                if (feeding && have == given)
                {
                    (have, given) = (Fill(input, decoded, jacks), 0);
                    if (have == 0)
                    {
                        _input.End();
                        feeding = false;
                    }
                }

                if (feeding)
                {
                    var n = _input.Write(input.AsSpan(given * jacks, (have - given) * jacks));
                    given += n;
                    if (n > 0) _input.WakeReader();
                    moved |= n > 0;
                }

                if (_writer != null)
                {
                    var n = _output.Read(output);
                    if (n > 0)
                    {
                        _output.WakeWriter();
                        _writer.Write(output.AsSpan(0, n * _output.Channels));
                    }

                    moved |= n > 0;
                    if (Expected > 0 && _writer.Frames >= Expected) return;
                }
                else if (!feeding)
                {
                    return;
                }

                if (moved) continue;
                if (_engineEnded())
                {
                    Failure = new EngineGoneException("the engine ended in the middle of the recording");
                    return;
                }

                _ = _stop.Wait(1);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Failure = e; // a full disk, a file cut short: said by whoever owns the pump
        }
    }

    private int Fill(float[] input, float[] decoded, int jacks)
    {
        if (_reader == null)
        {
            if (_silence >= 0 && _fed >= _silence) return 0;
            var n = _silence < 0 ? Chunk : (int)Math.Min(Chunk, _silence - _fed);
            Array.Clear(input);
            _fed += n;
            return n;
        }

        var frames = _reader.Read(decoded);
        var channels = _reader.Channels;
        for (var i = 0; i < frames; i++)
        {
            for (var j = 0; j < jacks; j++)
                input[(i * jacks) + j] = channels == 1 ? (j < 2 ? decoded[i] : 0) : j < channels ? decoded[(i * channels) + j] : 0;
        }

        _fed += frames;
        return frames;
    }

    private void DrainLast()
    {
        var output = new float[Chunk * _output.Channels];
        try
        {
            int n;
            while ((n = _output.Read(output)) > 0) _writer!.Write(output.AsSpan(0, n * _output.Channels));
        }
        catch (IOException e)
        {
            Failure = e;
        }
    }
}
