// Convolution: a sound in a recorded room, or through a recorded loudspeaker.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// A <see cref="Convolver"/>: the wet sound is the direct convolution with the response within -100 dB, without latency. Responses are
/// cut, brought to the sample rate and to unit energy, and transformed by a job off the RT threads; the new one takes over by a crossfade
/// of 4096 frames. Without a recording it is a hall of decaying noise (Moorer, About This Reverberation Business, 1979).
/// </summary>
public unsafe struct Convolution : IModule<Convolution>
{
    private const int LeftIn = 0, RightIn = 1;
    private const int Mix = 0, PreDelay = 1, LowCut = 2, HighCut = 3, Level = 4;
    private const int LengthSetting = 0, StartSetting = 1, RoutingSetting = 2, NormaliseSetting = 3;
    private const int Mono = 0, TrueStereo = 2;
    private const int Prepare = 1;
    private const float LongestPreDelay = 0.5f;
    private const float LowestCut = 20f, HighestCut = 20_000f, LowestHighCut = 500f;

    // A cut response ends within this time and not at once.
    private const float EndSeconds = 0.005f;

    private Convolver _convolver;
    private DelayLine _preLeft, _preRight;
    private OnePole _lowLeft, _lowRight, _highLeft, _highRight;
    private float* _response, _scratch, _tables;
    private nint _asset;
    private uint _serial, _prepared;
    private long _start;
    private double _preFrames;
    private TapeGlide _glide;
    private float _rate;
    private int _frames, _paths, _quiet, _rest, _sinceReset;
    private bool _normalises, _running;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "convolution",
        Name = "Convolution",
        Family = "Space",
        Text = "Puts a sound into a recorded room, or through a recorded loudspeaker.",
        Help = """
            A convolution plays every sample of a sound as a copy of a recording: the impulse response, which is what a room, a plate, a
            spring or a guitar cabinet answers to a clap. The sound takes on its reverberation and its colour exactly, and without any
            latency.

            Load a WAV file into the slot. Mono and stereo files work with every routing; a file of four channels (left to left, left to
            right, right to left, right to right) wants the routing true stereo. Files of another sample rate are converted. A new file
            takes over in a crossfade while the sound goes on. While nothing is loaded a bright hall of its own is heard.

            - Length and start are settings that cut the recording; memory and load follow the length. A cabinet needs 100 ms.
            - Normalise brings every response to the same loudness; switch it off for measured filters whose gain matters.
            - Low cut keeps a mix clean below, high cut makes a room darker or takes the fizz off a cabinet.

            Try a dry drum machine into left, mix at 0.3 and a pre-delay of 20 ms. Then load something that is no room at all, a struck
            bell or a chord, and play noise or speech through it with the mix at 1.
            """,
        Inputs =
        [
            new PortDescriptor("left", "Left", "Sound, or the left side of it; the voices of a chord are summed.", ChannelRule.Fixed,
                Limits.MaxChannels),
            new PortDescriptor("right", "Right", "The right side; unpatched it is the left one.", ChannelRule.Fixed, Limits.MaxChannels),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "The left side.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "The right side; with mono routing the room is the same on both.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.4f, ParameterCurve.Linear, "0 is the sound alone, 1 the room alone."),
            new ParameterDescriptor("predelay", "Pre-delay", "s", 0f, LongestPreDelay, 0f, ParameterCurve.Linear,
                "Time until the room answers."),
            new ParameterDescriptor("low_cut", "Low cut", "Hz", LowestCut, 2000f, LowestCut, ParameterCurve.Exponential,
                "The room loses what is below this; 20 Hz is off."),
            new ParameterDescriptor("high_cut", "High cut", "Hz", LowestHighCut, HighestCut, HighestCut, ParameterCurve.Exponential,
                "The room loses what is above this; 20 kHz is off."),
            new ParameterDescriptor("level", "Level", "dB", -30f, 12f, 0f, ParameterCurve.Linear, "Loudness of the room."),
        ],
        Settings =
        [
            new SettingDescriptor("length", "Length (ms)", 5, 20_000, 3000,
                "How much of the recording is used; memory is set aside for it."),
            new SettingDescriptor("start", "Start (ms)", 0, 10_000, 0, "How much of the recording's beginning is left out."),
            new SettingDescriptor("routing", "Routing", 0, 2, 1,
                "Both sides through one response, each through its own, or both through four.", "mono", "stereo", "true stereo"),
            new SettingDescriptor("normalise", "Normalise", 0, 1, 1,
                "Whether every response is made as loud as the sound itself.", "off", "on"),
        ],
        Assets = [new AssetDescriptor("response", "Response", "The impulse response: a clap in a room, a click through a cabinet.")],
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate) => (Convolver.TableFloats + Resampler.TableFloats) * sizeof(float);

    public static void BuildShared(void* shared, float sampleRate)
    {
        Convolver.BuildTables((float*)shared);
        Resampler.Build((float*)shared + Convolver.TableFloats);
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        var shape = Shape(in setup);
        Convolver.Require(in shape, ref need);
        need.Need<float>(shape.Taps);
        need.Need<float>(2 * Convolver.LongBlock);
        for (var side = 0; side < 2; side++) need.Need<float>(DelayLine.Floats(PreFrames(in setup)));
    }

    public static void Construct(ref Convolution self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        var shape = Shape(in setup);
        self._convolver = new Convolver(ref memory, (float*)setup.Shared, in shape);
        self._response = memory.Take<float>(shape.Taps);
        self._scratch = memory.Take<float>(2 * Convolver.LongBlock);
        var pre = PreFrames(in setup);
        self._preLeft = new DelayLine(memory.Take<float>(DelayLine.Floats(pre)), pre);
        self._preRight = new DelayLine(memory.Take<float>(DelayLine.Floats(pre)), pre);
        if (memory.Overdrawn) return;
        self._tables = (float*)setup.Shared + Convolver.TableFloats;
        self._paths = shape.Paths;
        self._frames = shape.Taps;
        self._start = (long)(setup.Settings[StartSetting] * 0.001 * setup.SampleRate);
        self._normalises = setup.Settings[NormaliseSetting] != 0;
        self._rate = setup.SampleRate;
        self._glide = new TapeGlide(setup.SampleRate);
        self._rest = self._convolver.RestFrames + self._preLeft.Length;
        self.Fill(self._convolver.Spare);
        self._convolver.Offer();
        self._convolver.Adopt();
        timing.TailFrames = self._rest + (long)(2f * setup.SampleRate);
    }

    public static void Reset(ref Convolution self)
    {
        self._convolver.Clear();
        self._preLeft.Clear();
        self._preRight.Clear();
        self._lowLeft = self._lowRight = self._highLeft = self._highRight = default;
        self._quiet = 0;
        self._sinceReset = 0;
        self._running = false;
    }

    public static void AssetChanged(ref Convolution self, int slot, Asset* asset)
    {
        var usable = asset != null && asset->Frames >= 1 && asset->Channels >= 1 && asset->Rate > 0f;
        Volatile.Write(ref self._asset, usable ? (nint)asset : 0);
        self._serial++;
    }

    /// <summary>Fills the spare response; process leaves it alone until the reply.</summary>
    public static void Work(ref Convolution self, ref WorkJob job)
    {
        if (job.Kind != Prepare) return;
        self.Fill((int)(job.Argument >> 32));
        job.Result = (uint)job.Argument;
    }

    public static ProcessResult Process(ref Convolution self, in ProcessContext context)
    {
        if (context.TryTakeReply(out _, out var result))
        {
            self._prepared = (uint)result;
            self._convolver.Offer();
        }

        // At one grid at any quantum; the spare response is the job's until its reply, and the fade's until that has ended.
        if (self._prepared != self._serial && !self._convolver.Busy && (self._sinceReset & (Limits.MaxQuantum - 1)) == 0)
            context.RequestWork(Prepare, ((long)self._convolver.Spare << 32) | self._serial);
        self._sinceReset = (self._sinceReset + context.Frames) & (Convolver.LongBlock - 1);

        var settled = true;
        for (var segment = 0; segment < context.Segments; segment++) settled &= self.Segment(in context, segment);
        if (!self.AtRest || !context.Inputs[LeftIn].Silent || !context.Inputs[RightIn].Silent) return ProcessResult.Continue;

        self._convolver.Rewind();
        self._sinceReset = 0;
        return settled && self._prepared == self._serial ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private readonly bool AtRest => _quiet >= _rest && _lowLeft.IsZero && _lowRight.IsZero && _highLeft.IsZero && _highRight.IsZero;

    private static ConvolverShape Shape(in InstanceSetup setup) => new(
        Math.Max(1, (int)(setup.Settings[LengthSetting] * 0.001f * setup.SampleRate)),
        setup.Settings[RoutingSetting] switch { Mono => 1, TrueStereo => 4, _ => 2 });

    private static int PreFrames(in InstanceSetup setup) => (int)(LongestPreDelay * setup.SampleRate) + 2;

    // True when nothing glides.
    private bool Segment(in ProcessContext context, int segment)
    {
        var at = segment * Limits.Grid;
        var target = context.Param(PreDelay, segment + 1) * (double)context.SampleRate;
        target = Math.Min(Math.Round(target), _preLeft.Longest - 1);
        if (!_running) _preFrames = target;
        _running = true;
        var next = _glide.Towards(_preFrames, target);
        var settled = next == target && _preFrames == target;

        var dryLeft = stackalloc float[Limits.Grid];
        var dryRight = stackalloc float[Limits.Grid];
        var left = stackalloc float[Limits.Grid];
        var right = stackalloc float[Limits.Grid];
        Sum(in context, LeftIn, at, dryLeft);
        Sum(in context, context.Inputs[RightIn].Connected ? RightIn : LeftIn, at, dryRight);
        var silent = Block.IsZero(dryLeft, Limits.Grid) && Block.IsZero(dryRight, Limits.Grid);
        _quiet = silent ? Math.Min(_quiet + Limits.Grid, _rest) : 0;
        PreDelayed(next, dryLeft, dryRight, left, right);
        if (_paths == 1)
        {
            for (var i = 0; i < Limits.Grid; i++) left[i] = 0.5f * (left[i] + right[i]);
        }

        var wetLeft = stackalloc float[Limits.Grid];
        var wetRight = stackalloc float[Limits.Grid];
        _convolver.Segment(left, right, wetLeft, wetRight);
        if (_paths == 1) wetRight = wetLeft;

        var low = LowCutAt(in context, segment + 1);
        var high = HighCutAt(in context, segment + 1);
        if (LowCutAt(in context, segment).Amount != 0f || low.Amount != 0f || !_lowLeft.IsZero || !_lowRight.IsZero)
        {
            var (from, gain) = (LowCutAt(in context, segment), new GridRamp(LowCutAt(in context, segment).Amount, low.Amount));
            var g = new GridRamp(from.G, low.G);
            CutLow(ref _lowLeft, wetLeft, in g, in gain);
            if (_paths != 1) CutLow(ref _lowRight, wetRight, in g, in gain);
        }

        if (HighCutAt(in context, segment).Amount != 0f || high.Amount != 0f || !_highLeft.IsZero || !_highRight.IsZero)
        {
            var (from, gain) = (HighCutAt(in context, segment), new GridRamp(HighCutAt(in context, segment).Amount, high.Amount));
            var g = new GridRamp(from.G, high.G);
            CutHigh(ref _highLeft, wetLeft, in g, in gain);
            if (_paths != 1) CutHigh(ref _highRight, wetRight, in g, in gain);
        }

        var mix = new GridRamp(in context, Mix, segment);
        var level = new GridRamp(Gain(context.Param(Level, segment)), Gain(context.Param(Level, segment + 1)));
        var outLeft = context.Out(0) + at;
        var outRight = context.Out(1) + at;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var wet = mix.Four(i);
            var dry = Vector128<float>.One - wet;
            wet *= level.Four(i);
            ((Vector128.Load(dryLeft + i) * dry) + (Vector128.Load(wetLeft + i) * wet)).Store(outLeft + i);
            ((Vector128.Load(dryRight + i) * dry) + (Vector128.Load(wetRight + i) * wet)).Store(outRight + i);
        }

        return settled;
    }

    private static float Gain(float decibels) => FastMath.Exp2(decibels * 0.166096405f);

    // Without pre-delay the sound itself goes through, and the line only listens.
    private void PreDelayed(double next, float* dryLeft, float* dryRight, float* left, float* right)
    {
        var step = (next - _preFrames) / Limits.Grid;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var frames = _preFrames + (step * i);
            if (frames >= DelayLine.Shortest + 1f)
            {
                left[i] = _preLeft.Read(frames);
                right[i] = _preRight.Read(frames);
            }
            else
            {
                // Between zero and three frames: a straight line, whose loss of highs lasts as long as the glide.
                var t = (float)Math.Max(frames * (1.0 / 3.0), 0.0);
                left[i] = dryLeft[i] + (t * (_preLeft.Read(3.0) - dryLeft[i]));
                right[i] = dryRight[i] + (t * (_preRight.Read(3.0) - dryRight[i]));
            }

            _preLeft.Write(dryLeft[i]);
            _preRight.Write(dryRight[i]);
        }

        _preFrames = next;
    }

    private static (float G, float Amount) LowCutAt(in ProcessContext context, int point)
    {
        var hertz = context.Param(LowCut, point);
        return (OnePole.Coefficient(hertz, context.SampleRate), Math.Max(0f, Math.Min((hertz - LowestCut) * 0.1f, 1f)));
    }

    private static (float G, float Amount) HighCutAt(in ProcessContext context, int point)
    {
        var hertz = context.Param(HighCut, point);
        var tangent = FastMath.TanPi(Vector128.Create(Math.Min(hertz / context.SampleRate, 0.42f)))[0];
        return (tangent / (1f + tangent), Math.Max(0f, Math.Min((HighestCut - hertz) * 0.00025f, 1f)));
    }

    private static void CutLow(ref OnePole pole, float* samples, in GridRamp g, in GridRamp amount)
    {
        for (var i = 0; i < Limits.Grid; i++) samples[i] -= amount.At(i) * pole.LowPass(samples[i], g.At(i));
    }

    private static void CutHigh(ref OnePole pole, float* samples, in GridRamp g, in GridRamp amount)
    {
        for (var i = 0; i < Limits.Grid; i++) samples[i] += amount.At(i) * (pole.LowPass(samples[i], g.At(i)) - samples[i]);
    }

    private static void Sum(in ProcessContext context, int port, int at, float* target)
    {
        Block.Clear(target, Limits.Grid);
        for (var channel = 0; channel < context.Inputs[port].Channels; channel++)
            Block.AddScaledSegment(target, context.In(port, channel) + at, new GridRamp(1f, 1f));
    }

    // The channel of a recording that a path of the routing plays, or -1.
    private readonly int ChannelOf(int path, int channels) => _paths switch
    {
        1 => 0,
        2 => Math.Min(path, channels - 1),
        _ => channels >= 4 ? path : path == 0 ? 0 : path == 3 ? Math.Min(1, channels - 1) : -1,
    };

    private void Fill(int set)
    {
        var asset = (Asset*)Volatile.Read(ref _asset);
        var frames = asset == null ? _frames : Converted(asset);
        var gain = 1f;
        if (_normalises || asset == null)
        {
            var loudest = 0.0;
            for (var path = 0; path < _paths; path++)
            {
                Take(asset, path, frames);
                var energy = 0.0;
                for (var i = 0; i < frames; i++) energy += (double)_response[i] * _response[i];
                loudest = Math.Max(loudest, energy);
            }

            if (loudest > 1e-20) gain = (float)(1.0 / Math.Sqrt(loudest));
        }

        for (var path = 0; path < _paths; path++)
        {
            Take(asset, path, frames);
            for (var i = 0; i < frames; i++) _response[i] *= gain;
            _convolver.Prepare(set, path, _response, frames, _scratch);
        }
    }

    // Frames that are left of a recording at this rate.
    private readonly long Converted(Asset* asset) =>
        Math.Max(1, Math.Min((long)Math.Ceiling(asset->Frames * (double)_rate / asset->Rate) - _start, _frames));

    private readonly void Take(Asset* asset, int path, long frames)
    {
        if (asset == null)
        {
            Hall(path);
            return;
        }

        var channel = ChannelOf(path, asset->Channels);
        if (channel < 0)
        {
            Block.Zero(_response, (int)frames);
            return;
        }

        var source = Asset.Channel(asset, channel);
        // A sum over more taps wants smaller ones.
        var step = (double)asset->Rate / _rate;
        for (long i = 0; i < frames; i++)
        {
            var at = (i + _start) * step;
            if (step == 1.0) _response[i] = i + _start < asset->Frames ? source[i + _start] : 0f;
            else _response[i] = Resampler.At(_tables, source, asset->Frames, at, step) * (float)step;
        }

        if (frames + _start < (long)(asset->Frames / step)) FadeEnd(frames);
    }

    private readonly void FadeEnd(long frames)
    {
        var end = Math.Min(frames, (long)(EndSeconds * _rate));
        for (long i = 0; i < end; i++) _response[frames - 1 - i] *= 0.5f + (0.5f * FastMath.SinTurns((0.5f * i / end) - 0.25f));
    }

    // Decaying noise, 60 dB in 1.6 s or in what the length allows; the highs go twice as fast. Every path has its own noise.
    private readonly void Hall(int path)
    {
        var noise = new Xorshift((ulong)(path + 1));
        var seconds = Math.Min(1.6f, _frames / _rate);
        var fall = FastMath.Exp2(-9.965784f / (seconds * _rate));
        var (level, bright, dark) = (1f, 1f, 0f);
        for (var i = 0; i < _frames; i++)
        {
            dark += (0.1f + (0.8f * bright)) * (noise.NextBipolar() - dark);
            _response[i] = level * dark;
            level *= fall;
            bright *= fall;
        }

        FadeEnd(_frames);
    }
}
