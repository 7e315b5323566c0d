// More building blocks of the modules; an operation is 32 frames, of four voices where the block computes four.
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;
using SspHost.Abi;
using SspHost.Dsp;
using SspHost.Engine.Threads;

namespace SspHost.Benchmarks;

/// <summary>Oscillators that move, circuits, oversampling, lines that move, and what rooms and bells are made of.</summary>
[RealTime]
public unsafe class BlockBenchmarks
{
    private const int Frames = 32;
    private readonly NativeBlocks _blocks = new();
    private float* _signal, _result, _oscillatorBuffer, _blepTable, _modalTable;
    private Oscillator* _oscillator;
    private OscillatorInput* _moving;
    private DiodeLadder* _diodes;
    private SallenKey* _sallenKey;
    private Oversampler* _up, _down;
    private HilbertPair* _hilbert;
    private OnePoleFour* _onePole;
    private SegmentLine* _line;
    private ModalBank* _bells;
    private FeedbackNetwork* _network;
    private NetworkControls* _controls;

    [GlobalSetup]
    public void Setup()
    {
        _ = FlushToZero.Enable();
        _signal = _blocks.Take<float>(4 * Frames);
        _result = _blocks.Take<float>(4 * Frames);
        for (var i = 0; i < 4 * Frames; i++) _signal[i] = 0.7f * MathF.Sin(i * 0.3f);
        _blepTable = (float*)_blocks.Take(BlepTable.Bytes);
        BlepTable.Build(_blepTable);
        _oscillator = _blocks.Take<Oscillator>();
        _oscillatorBuffer = _blocks.Take<float>(Oscillator.BufferFloats);
        _moving = _blocks.Take<OscillatorInput>();
        for (var i = 0; i < Limits.Grid; i++)
        {
            _moving->Increment[i] = 440f / 48_000f * (1f + (0.1f * MathF.Sin(i * MathF.PI / 8f)));
            _moving->Width[i] = 0.5f;
            _moving->Sync[i] = -1f;
        }

        _diodes = _blocks.Take<DiodeLadder>();
        _sallenKey = _blocks.Take<SallenKey>();
        _up = _blocks.Take<Oversampler>();
        _down = _blocks.Take<Oversampler>();
        _hilbert = _blocks.Take<HilbertPair>();
        _onePole = _blocks.Take<OnePoleFour>();
        _line = _blocks.Take<SegmentLine>();
        *_line = new SegmentLine(_blocks.Take<float>((int)SegmentLine.Floats(24_000)), 24_000);
        _modalTable = (float*)_blocks.Take(ModalBank.TableBytes);
        ModalBank.Build(_modalTable);
        _bells = _blocks.Take<ModalBank>();
        var shape = new ModalShape { Hertz = 220f, Structure = 0.3f, Seconds = 3f, Damping = 0.3f, Position = 0.2f };
        _bells->Tune(_modalTable, in shape, 48_000f);
        const int Longest = 8192;
        _network = _blocks.Take<FeedbackNetwork>();
        *_network = new FeedbackNetwork(_blocks.Take<float>((int)FeedbackNetwork.Floats(Longest)), Longest);
        _controls = _blocks.Take<NetworkControls>();
        for (var i = 0; i < FeedbackNetwork.Lines; i++)
        {
            _controls->From[i] = _controls->To[i] = 100f + (3000f * FeedbackNetwork.Proportion(i));
            _controls->B0[i] = 0.9f;
        }

        for (var i = 0; i < FeedbackNetwork.Turns; i++) _controls->Cos[i] = 1f;
    }

    [GlobalCleanup]
    public void Cleanup() => _blocks.Dispose();

    /// <summary>The pitch moves in each frame.</summary>
    [Benchmark]
    public float OscillatorSawMoving() => Render(Waves.Saw);

    [Benchmark]
    public float OscillatorAllWavesMoving() => Render(Waves.All);

    /// <summary>One corner: its 32 frames of residual.</summary>
    [Benchmark]
    public float BlepTableAdd()
    {
        BlepTable.Add(_result, _blepTable, 0, 0.3f, 1e-6f);
        return _result[0];
    }

    [Benchmark]
    public float ModulatedPitchTurns()
    {
        for (var at = 0; at < Frames; at += Limits.Grid)
            ModulatedPitch.Turns(_result + at, _signal + at, _signal + at, default, default, new GridRamp(0f, 1f), false, 48_000f);
        return _result[0];
    }

    [Benchmark]
    public float SegmentPitchTurns()
    {
        var sum = 0f;
        for (var at = 0; at < Frames; at += Limits.Grid) sum += SegmentPitch.Turns(_signal + at, default, default, 1f / 48_000f);
        return sum;
    }

    [Benchmark]
    public float OversamplerUpAndDownTwice() => UpAndDown(1);

    [Benchmark]
    public float OversamplerUpAndDownEightTimes() => UpAndDown(3);

    [Benchmark]
    public float DiodeLadderRun()
    {
        Vector128<float> turns = Vector128.Create(0.01f), k = Vector128.Create(3f);
        var block = stackalloc Vector128<float>[Frames];
        for (var i = 0; i < Frames; i++) block[i] = Vector128.Load(_signal + (4 * i));
        _diodes->Run(block, &turns, &k, 0, Frames, 1, 0, 0);
        return block[0].ToScalar();
    }

    [Benchmark]
    public float SallenKeyRun()
    {
        Vector128<float> turns = Vector128.Create(0.01f), k = Vector128.Create(1f);
        var block = stackalloc Vector128<float>[Frames];
        for (var i = 0; i < Frames; i++) block[i] = Vector128.Load(_signal + (4 * i));
        _sallenKey->Run(block, &turns, &k, 0, Frames, 1, 0, 0);
        return block[0].ToScalar();
    }

    [Benchmark]
    public float HilbertPairNext()
    {
        var sum = Vector128<float>.Zero;
        for (var i = 0; i < Frames; i++)
        {
            _hilbert->Next(Vector128.Load(_signal + (4 * i)), i % Limits.Grid, out var cosine, out var sine);
            sum += cosine + sine;
        }

        return sum.ToScalar();
    }

    [Benchmark]
    public float OnePoleFourLowPass()
    {
        var gains = new OnePoleGains(0.2f);
        var pole = *_onePole;
        for (var i = 0; i < Frames; i += 4) pole.LowPass(Vector128.Load(_signal + i), in gains).Store(_result + i);
        *_onePole = pole;
        return _result[0];
    }

    /// <summary>A line whose delay moves: four different places a vector.</summary>
    [Benchmark]
    public float SegmentLineReadMoving()
    {
        for (var at = 0; at < Frames; at += Limits.Grid) _line->Read(_result + at, 12_000.3, 12_001.1);
        return _result[0];
    }

    [Benchmark]
    public float SoftLimitBend()
    {
        for (var i = 0; i < Frames; i += 4) SoftLimit.Bend(Vector128.Load(_signal + i)).Store(_result + i);
        return _result[0];
    }

    [Benchmark]
    public float FastMathLog2()
    {
        for (var i = 0; i < Frames; i += 4) FastMath.Log2(Vector128.Abs(Vector128.Load(_signal + i))).Store(_result + i);
        return _result[0];
    }

    /// <summary>Thirty-two modes of one voice.</summary>
    [Benchmark]
    public bool ModalBankRender()
    {
        var rings = false;
        for (var at = 0; at < Frames; at += Limits.Grid) rings |= _bells->Render(_signal + at, _result + at);
        return rings;
    }

    /// <summary>Sixteen lines in stereo, nothing moving.</summary>
    [Benchmark]
    public float FeedbackNetworkSegment()
    {
        for (var at = 0; at < Frames; at += Limits.Grid)
            _network->Segment(in *_controls, _signal + at, _signal + Frames + at, _result + at, _result + Frames + at);
        return _result[0];
    }

    private float Render(Waves waves)
    {
        for (var segment = 0; segment < Frames / Limits.Grid; segment++)
        {
            _oscillator->Render(_oscillatorBuffer, _blepTable, in *_moving, waves);
            for (var wave = 0; wave < 4; wave++)
            {
                if ((waves & (Waves)(1 << wave)) != 0) _oscillator->Take(_oscillatorBuffer, wave, _result + (segment * Limits.Grid), 1f);
            }
        }

        return _result[0];
    }

    private float UpAndDown(int doublings)
    {
        var block = stackalloc Vector128<float>[Oversampler.Scratch];
        for (var at = 0; at < Frames; at += Limits.Grid)
        {
            for (var i = 0; i < Limits.Grid; i++) block[i] = Vector128.Load(_signal + (4 * (at + i)));
            _up->Up(block, doublings);
            _down->Down(block, doublings);
        }

        return block[0].ToScalar();
    }
}
