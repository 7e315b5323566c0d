// The building blocks that modules spend their time in; an operation is 32 frames.
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;
using SspHost.Abi;
using SspHost.Dsp;
using SspHost.Engine.Threads;

namespace SspHost.Benchmarks;

/// <summary>Results are kept in memory and read again, so that nothing can be left out as unused.</summary>
[RealTime]
public unsafe class DspBenchmarks
{
    private const int Frames = 32;
    private readonly NativeBlocks _blocks = new();
    private float* _signal, _result, _oscillatorBuffer, _blepTable;
    private Oscillator* _oscillator;
    private OscillatorInput* _oscillatorInput;
    private Ladder* _ladder;
    private Oversampler* _up, _down;
    private DelayLine* _delay;
    private MatchedSvf* _svf;
    private float* _svfOutputs;
    private SegmentLine* _line;
    private float* _fftData, _fftScratch;
    private Fft _fft256, _fft2048, _fft16384;

    [GlobalSetup]
    public void Setup()
    {
        _ = FlushToZero.Enable();
        _signal = _blocks.Take<float>(4 * Frames);
        _result = _blocks.Take<float>(4 * Frames);
        for (var i = 0; i < 4 * Frames; i++) _signal[i] = 0.7f * MathF.Abs(MathF.Sin(i * 0.3f)); // within the range of every function
        _blepTable = (float*)_blocks.Take(BlepTable.Bytes);
        BlepTable.Build(_blepTable);
        _oscillator = _blocks.Take<Oscillator>();
        _oscillatorBuffer = _blocks.Take<float>(Oscillator.BufferFloats);
        _oscillatorInput = _blocks.Take<OscillatorInput>();
        for (var i = 0; i < Limits.Grid; i++)
        {
            _oscillatorInput->Increment[i] = 440f / 48_000f;
            _oscillatorInput->Width[i] = 0.5f;
            _oscillatorInput->Sync[i] = -1f;
        }

        _ladder = _blocks.Take<Ladder>();
        _up = _blocks.Take<Oversampler>();
        _down = _blocks.Take<Oversampler>();
        _delay = _blocks.Take<DelayLine>();
        *_delay = new DelayLine(_blocks.Take<float>((int)DelayLine.Floats(48_000)), 48_000);
        _svf = _blocks.Take<MatchedSvf>();
        _svfOutputs = _blocks.Take<float>(5 * 4 * Frames);
        _line = _blocks.Take<SegmentLine>();
        *_line = new SegmentLine(_blocks.Take<float>((int)SegmentLine.Floats(24_000)), 24_000);
        _fftData = _blocks.Take<float>(Fft.Largest);
        _fftScratch = _blocks.Take<float>(Fft.Largest);
        for (var i = 0; i < Fft.Largest; i++) _fftData[i] = MathF.Sin(i * i * 0.37f);
        _fft256 = Tables(256);
        _fft2048 = Tables(2048);
        _fft16384 = Tables(16_384);
    }

    [GlobalCleanup]
    public void Cleanup() => _blocks.Dispose();

    [Benchmark]
    public float OscillatorSaw() => Render(Waves.Saw);

    [Benchmark]
    public float OscillatorAllWaves() => Render(Waves.Sine | Waves.Triangle | Waves.Saw | Waves.Pulse);

    /// <summary>Four voices at once.</summary>
    [Benchmark]
    public float LadderAtTwiceTheRate()
    {
        Vector128<float> turns = Vector128.Create(0.01f), k = Vector128.Create(3f);
        var block = stackalloc Vector128<float>[Oversampler.Scratch];
        for (var at = 0; at < Frames; at += 16)
        {
            for (var i = 0; i < 16; i++) block[i] = Vector128.Load(_signal + (4 * (at + i)));
            _up->Up(block, 1);
            _ladder->Run(block, &turns, &k, 0, 32, 1, 0, 0);
            _down->Down(block, 1);
            for (var i = 0; i < 16; i++) block[i].Store(_result + (4 * (at + i)));
        }

        return _result[0];
    }

    /// <summary>Four voices, nothing moving, five outputs.</summary>
    [Benchmark]
    public float MatchedSvfFour()
    {
        MatchedGains gains;
        _svf->Still(Vector128.Create(0.02f), Vector128.Create(0.5f), &gains);
        var raw = stackalloc Vector128<float>[3 * Limits.Grid];
        for (var at = 0; at < Frames; at += Limits.Grid)
        {
            _svf->RunFour((Vector128<float>*)_signal + at, &gains, 0, 0, raw, raw + Limits.Grid, raw + (2 * Limits.Grid));
            for (var output = 0; output < 5; output++)
                MatchedSvf.WeighFour(
                    _svf, output, raw, raw + Limits.Grid, raw + (2 * Limits.Grid), Limits.Grid, _svfOutputs + (output * 4 * Frames), Limits.Grid, 4, 1f);
        }

        return _svfOutputs[0];
    }

    /// <summary>One voice, nothing moving, one output.</summary>
    [Benchmark]
    public float MatchedSvfOne()
    {
        MatchedGains gains;
        _svf->Still(Vector128.Create(0.02f), Vector128.Create(0.5f), &gains);
        var raw = stackalloc float[3 * Limits.Grid];
        for (var at = 0; at < Frames; at += Limits.Grid)
        {
            _svf->RunOne(_signal + at, &gains, 0, raw, raw + Limits.Grid, raw + (2 * Limits.Grid));
            MatchedSvf.WeighOne(_svf, 0, raw, raw + Limits.Grid, raw + (2 * Limits.Grid), Limits.Grid, _svfOutputs + at, 1f);
        }

        return _svfOutputs[0];
    }

    /// <summary>What a moving cutoff costs: the tuning of four frames of a voice, or of one frame of four.</summary>
    [Benchmark]
    public float MatchedTuningOf()
    {
        var sum = Vector128<float>.Zero;
        for (var i = 0; i < Frames; i += 4)
        {
            var tuning = MatchedTuning.Of(Vector128.Load(_signal + i) * Vector128.Create(0.1f), Vector128.Create(0.5f));
            sum += MatchedGains.Of(in tuning).Divisor;
        }

        return sum.ToScalar();
    }

    /// <summary>Read between samples, sixteen frames at a time.</summary>
    [Benchmark]
    public float SegmentLineReadAndWrite()
    {
        for (var at = 0; at < Frames; at += Limits.Grid)
        {
            _line->Read(_result + at, 12_000.3);
            _line->Write(_signal + at);
            _line->Advance();
        }

        return _result[0];
    }

    /// <summary>A fractional delay of about half a second: each read far from the write.</summary>
    [Benchmark]
    public float DelayLineReadAndWrite()
    {
        for (var i = 0; i < Frames; i++)
        {
            _result[i] = _delay->Read(24_000.3 + i);
            _delay->Write(_signal[i]);
        }

        return _result[0];
    }

    [Benchmark]
    public float FastMathExp2()
    {
        for (var i = 0; i < Frames; i += 4) FastMath.Exp2(Vector128.Load(_signal + i)).Store(_result + i);
        return _result[0];
    }

    [Benchmark]
    public float FastMathTanh()
    {
        for (var i = 0; i < Frames; i += 4) FastMath.Tanh(Vector128.Load(_signal + i)).Store(_result + i);
        return _result[0];
    }

    [Benchmark]
    public float FastMathSinTurns()
    {
        for (var i = 0; i < Frames; i += 4) FastMath.SinTurns(Vector128.Load(_signal + i)).Store(_result + i);
        return _result[0];
    }

    [Benchmark]
    public float FastMathTan()
    {
        for (var i = 0; i < Frames; i += 4) FastMath.Tan(Vector128.Load(_signal + i)).Store(_result + i);
        return _result[0];
    }

    /// <summary>There and back again, of so many points; the data stay what they were.</summary>
    [Benchmark]
    public float Fft256() => Both(in _fft256);

    [Benchmark]
    public float Fft2048() => Both(in _fft2048);

    [Benchmark]
    public float Fft16384() => Both(in _fft16384);

    private float Both(in Fft fft)
    {
        fft.Forward(_fftData, _fftScratch);
        fft.Inverse(_fftData, _fftScratch);
        return _fftData[0];
    }

    private Fft Tables(int size)
    {
        var tables = _blocks.Take<float>((int)Fft.Floats(size));
        Fft.Build(tables, size);
        return new Fft(tables, size);
    }

    private float Render(Waves waves)
    {
        for (var segment = 0; segment < Frames / Limits.Grid; segment++)
        {
            _oscillator->Render(_oscillatorBuffer, _blepTable, in *_oscillatorInput, waves);
            for (var wave = 0; wave < 4; wave++)
            {
                if ((waves & (Waves)(1 << wave)) != 0) _oscillator->Take(_oscillatorBuffer, wave, _result + (segment * Limits.Grid), 1f);
            }
        }

        return _result[0];
    }
}
