// Granular: clouds of short grains out of a recording, or out of what was just played into it.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Granular synthesis (Roads, Microsound, 2001; Truax, Real-Time Granular Synthesis with a Digital Signal Processor, CMJ 12:2, 1988):
/// up to 48 grains at once, each a stretch of the source under a window that begins and ends at zero. Windows are raised cosines, flattened
/// in the middle by Shape. The loudness is divided by what the windows of a steady stream add up to, so that two, three or more overlapping
/// grains of one pitch and place add up to the source. Grains begin in exact frames; everything random comes from the instance's seed.
/// A grain is read band-limited at its own speed (see <see cref="SincKernel"/>): pitched up, nothing folds back into hearing.
/// </summary>
public unsafe struct Granular : IModule<Granular>
{
    private const int LeftIn = 0, RightIn = 1, TriggerIn = 2, PitchIn = 3, PositionIn = 4, SizeIn = 5, FreezeIn = 6;
    private const int Source = 0, Position = 1, Spray = 2, Size = 3, Density = 4, Jitter = 5, PitchParam = 6, PitchSpray = 7;
    private const int Shape = 8, Spread = 9, Freeze = 10;
    private const int SecondsSetting = 0;
    private const int Grains = 48;
    private const float Volts = 5f;

    private nint _sample;
    private Grain* _grains;
    private float* _left;
    private float* _right;
    private float* _edges;
    private float* _table;
    private ulong _seed;
    private Xorshift _random;
    private SchmittTrigger _trigger, _freeze;
    private double _phase, _next;
    private long _quiet;
    private int _frames, _write;

    private struct Grain
    {
        public SincRow Kernel;
        public double At, Step;
        public float Inverse, Taper, Left, Right;
        public int Age, Length;
        public bool Live;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "granular",
        Name = "Granular",
        Family = "Sources",
        Text = "Clouds of tiny grains from a recording, or from what has just been played into it.",
        Help = """
            A recording is cut into grains of a few milliseconds to a second, and the grains are scattered again: stretched in time without
            a change of pitch, pitched without a change of time, smeared into a texture, frozen in one moment. Without a recording, or with
            Source on live, the grains come from the last seconds of what goes into the inputs.

            Position is where grains are taken from: a place in the recording, or how far back in what was played. Spray scatters
            that place, Pitch spray the pitch, Jitter the moments, Spread the stereo. Density is how many grains begin in a second
            and Size how long they are: their product is how many sound at once, 48 at most. With a cable in Trigger, grains come
            only when it says so.

            Try Position moved slowly by an LFO over a recorded voice, Size at a tenth of a second and Density at 20: speech at any speed.
            Then play something into the inputs, open Freeze with a gate, and play Pitch with a sequencer.
            """,
        Inputs =
        [
            new PortDescriptor("left", "Left", "Live sound, left or mono.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "Live sound, right; unpatched it is as left.", ChannelRule.Fixed),
            new PortDescriptor("trigger", "Trigger", "Starts a grain; patched, nothing else does.", ChannelRule.Fixed),
            new PortDescriptor("pitch", "Pitch", "Pitch of new grains, 1 V an octave.", ChannelRule.Fixed),
            new PortDescriptor("position", "Position CV", "10 V go the whole way.", ChannelRule.Fixed),
            new PortDescriptor("size", "Size CV", "Doubles the size of new grains with each volt.", ChannelRule.Fixed),
            new PortDescriptor("freeze", "Freeze", "A gate that stops the recording of live sound.", ChannelRule.Fixed),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "The cloud, left.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "The cloud, right.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("source", "Source", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Where grains come from; without a recording they are live.", "recording", "live"),
            new ParameterDescriptor("position", "Position", "", 0f, 1f, 0.2f, ParameterCurve.Linear,
                "Place in the recording, or how far back in the live sound."),
            new ParameterDescriptor("spray", "Spray", "s", 0f, 1f, 0.02f, ParameterCurve.Linear,
                "How far around the position grains begin."),
            new ParameterDescriptor("size", "Size", "s", 0.005f, 1f, 0.1f, ParameterCurve.Exponential, "Length of a grain."),
            new ParameterDescriptor("density", "Density", "Hz", 0.5f, 200f, 20f, ParameterCurve.Exponential, "Grains in a second."),
            new ParameterDescriptor("jitter", "Jitter", "", 0f, 1f, 0f, ParameterCurve.Linear, "How irregularly they come."),
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -3f, 3f, 0f, ParameterCurve.Linear, "Octaves from the pitch of the source."),
            new ParameterDescriptor("pitch_spray", "Pitch spray", "oct", 0f, 2f, 0f, ParameterCurve.Linear, "How far pitches scatter."),
            new ParameterDescriptor("shape", "Shape", "", 0f, 1f, 0f, ParameterCurve.Linear, "Window: from round to nearly square."),
            new ParameterDescriptor("spread", "Spread", "", 0f, 1f, 0.5f, ParameterCurve.Linear, "How far grains scatter in stereo."),
            new ParameterDescriptor("freeze", "Freeze", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Keeps the live sound as it is.", "off",
                "on"),
        ],
        Settings = [new SettingDescriptor("seconds", "Seconds", 1, 30, 4, "Live sound that is remembered.")],
        Assets = [new AssetDescriptor("sample", "Sample", "The recording.")],
        Telemetry = [new TelemetryDescriptor("grains", TelemetryKind.Value, 1, "", "Grains that sound.")],
    };

    public static long SharedBytes(float sampleRate) => SincKernel.Bytes;

    public static void BuildShared(void* shared, float sampleRate) => SincKernel.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Grain>(Grains);
        need.Need<float>(BufferFrames(in setup));
        need.Need<float>(BufferFrames(in setup));
        need.Need<float>(SincKernel.MostTaps);
    }

    public static void Construct(ref Granular self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._frames = BufferFrames(in setup);
        self._grains = memory.Take<Grain>(Grains);
        self._left = memory.Take<float>(self._frames);
        self._right = memory.Take<float>(self._frames);
        self._edges = memory.Take<float>(SincKernel.MostTaps);
        self._table = (float*)setup.Shared;
        self._seed = setup.Seed;
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref Granular self)
    {
        Block.Zero(self._grains, Grains);
        Block.Zero(self._left, self._frames);
        Block.Zero(self._right, self._frames);
        self._random = new Xorshift(self._seed);
        self._trigger = self._freeze = default;
        self._phase = self._next = 1.0;
        self._quiet = self._frames;
        self._write = 0;
    }

    public static void AssetChanged(ref Granular self, int slot, Asset* asset)
    {
        var usable = asset != null && asset->Frames >= 2 && asset->Channels >= 1 && asset->Rate > 0f;
        self._sample = usable ? (nint)asset : 0;
        for (var i = 0; i < Grains; i++)
        {
            if (!self._grains[i].Live) self._grains[i].Length = 0;
        }
    }

    public static ProcessResult Process(ref Granular self, in ProcessContext context)
    {
        var sounding = 0;
        var empty = true;
        for (var segment = 0; segment < context.Segments; segment++) empty &= !self.Segment(in context, segment, ref sounding);
        context.Telemetry[0] = sounding;
        return empty ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int BufferFrames(in InstanceSetup setup) => (int)(setup.Settings[SecondsSetting] * setup.SampleRate);

    // Whether there is anything to make grains of, or grains that sound.
    private bool Segment(in ProcessContext context, int segment, ref int sounding)
    {
        var at = segment * Limits.Grid;
        var left = context.Out(0) + at;
        var right = context.Out(1) + at;
        Block.Clear(left, Limits.Grid);
        Block.Clear(right, Limits.Grid);
        Record(in context, segment);

        var live = _sample == 0 || context.Param(Source, segment) >= 0.5f;
        var barren = live && _quiet >= _frames;
        Begin(in context, segment, live, barren);
        sounding = 0;
        for (var i = 0; i < Grains; i++)
        {
            var grain = _grains + i;
            if (grain->Length == 0) continue;
            sounding++;
            Play(grain, left, right);
        }

        return !barren || sounding > 0;
    }

    private void Record(in ProcessContext context, int segment)
    {
        var at = segment * Limits.Grid;
        var left = context.In(LeftIn) + at;
        var right = context.Inputs[RightIn].Connected ? context.In(RightIn) + at : left;
        var freeze = context.In(FreezeIn) + at;
        var frozen = context.Param(Freeze, segment) >= 0.5f;
        for (var i = 0; i < Limits.Grid; i++)
        {
            _freeze.Rises(freeze[i]);
            if (frozen || _freeze.IsHigh) continue;
            _left[_write] = left[i];
            _right[_write] = right[i];
            if (++_write == _frames) _write = 0;
            _quiet = left[i] == 0f && right[i] == 0f ? Math.Min(_quiet + 1, _frames) : 0;
        }
    }

    // Grains that begin in this segment. Where there is nothing to play, time stands still, so that one who slept begins as one who waited.
    private void Begin(in ProcessContext context, int segment, bool live, bool barren)
    {
        var trigger = context.In(TriggerIn) + (segment * Limits.Grid);
        var triggered = context.Inputs[TriggerIn].Connected;
        var rate = (double)context.Param(Density, segment) / context.SampleRate;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var rises = _trigger.Rises(triggered ? trigger[i] : 0f);
            if (barren) continue;
            if (triggered)
            {
                if (rises) Spawn(in context, segment, i, live);
                continue;
            }

            if (_phase >= _next - 1e-9)
            {
                _phase -= _next;
                _next = 1.0 + (0.95 * context.Param(Jitter, segment) * _random.NextBipolar());
                Spawn(in context, segment, i, live);
            }

            _phase += rate;
        }
    }

    private void Spawn(in ProcessContext context, int segment, int frame, bool live)
    {
        // Drawn whether or not there is a grain to spare: what follows does not depend on it.
        var (where, pitch, side) = (_random.NextBipolar(), _random.NextBipolar(), _random.NextBipolar());
        var free = -1;
        for (var i = 0; i < Grains && free < 0; i++) free = _grains[i].Length == 0 ? i : -1;
        if (free < 0) return;

        var at = (segment * Limits.Grid) + frame;
        var rate = context.SampleRate;
        var octaves = context.Param(PitchParam, segment) + context.In(PitchIn)[at] + (pitch * context.Param(PitchSpray, segment));
        var ratio = FastMath.Exp2(Math.Min(Math.Max(octaves, -6f), 4f));
        var longer = Math.Min(Math.Max(context.In(SizeIn)[at], -6f), 6f);
        var seconds = Math.Min(Math.Max(context.Param(Size, segment) * FastMath.Exp2(longer), 0.002f), 2f);
        var length = (int)MathF.Round(seconds * rate);
        var position = Math.Min(Math.Max(context.Param(Position, segment) + (0.1f * context.In(PositionIn)[at]), 0f), 1f);
        var spray = where * context.Param(Spray, segment);

        // The mean of a window whose tapers are this part of it, times the windows that overlap.
        var taper = 1f - (0.9f * context.Param(Shape, segment));
        var overlap = Math.Min(seconds * context.Param(Density, segment), Grains);
        var together = context.Inputs[TriggerIn].Connected ? 1f : Math.Max(overlap * (1f - (0.5f * taper)), 1f);
        var gain = (live ? 1f : Volts) / together;
        var pan = side * context.Param(Spread, segment);
        var grain = _grains + free;
        grain->Live = live;
        grain->Age = -frame;
        grain->Length = length;
        grain->Inverse = 1f / length;
        grain->Taper = 2f / taper;
        grain->Left = gain * MathF.Sqrt(1f - pan);
        grain->Right = gain * MathF.Sqrt(1f + pan);
        var asset = (Asset*)_sample;
        var speed = live ? 1.0 : (double)asset->Rate / rate;
        grain->Step = ratio * speed;
        grain->Kernel = SincKernel.Of(_table, FastMath.Log2(Vector128.CreateScalarUnsafe((float)grain->Step))[0]);
        if (!live)
        {
            grain->At = Within((position * (double)asset->Frames) + (spray * (double)asset->Rate), asset->Frames);
            return;
        }

        // The segment is recorded already. A grain may neither catch up with the recording nor be caught up by it.
        var margin = Limits.Grid + (grain->Kernel.Taps / 2) + 1;
        var back = (position * (double)_frames) + (spray * rate);
        var least = (length * Math.Max(ratio - 1.0, 0.0)) + margin;
        var most = _frames - margin - (length * Math.Max(1.0 - ratio, 0.0));
        back = Math.Max(Math.Min(Math.Max(back, least), most), margin);
        grain->At = Within(_write - back, _frames);
    }

    private readonly void Play(Grain* grain, float* left, float* right)
    {
        var asset = (Asset*)_sample;
        var a = grain->Live ? _left : Asset.Channel(asset, 0);
        var b = grain->Live ? _right : Asset.Channel(asset, Math.Min(1, asset->Channels - 1));
        var frames = grain->Live ? _frames : asset->Frames;
        float* window = stackalloc float[Limits.Grid];
        Window(grain, window);
        var same = a == b;
        var i = Math.Max(-grain->Age, 0);
        var end = Math.Min(grain->Length - grain->Age, Limits.Grid);
        var place = grain->At;
        for (; i < end; i++)
        {
            var whole = (long)place;
            var t = (float)(place - whole);
            var l = Read(in grain->Kernel, a, whole, t, frames);
            left[i] += l * window[i] * grain->Left;
            right[i] += (same ? l : Read(in grain->Kernel, b, whole, t, frames)) * window[i] * grain->Right;
            place += grain->Step;
            if (place >= frames) place = Within(place, frames);
        }

        grain->At = place;
        grain->Age += Limits.Grid;
        if (grain->Age >= grain->Length) grain->Length = 0;
    }

    // sin^2 over the tapers, 1 between them; 0 in the first frame, and in the one after the last.
    private static void Window(Grain* grain, float* window)
    {
        var age = Vector128.Create((float)grain->Age) + Vector128.Create(0f, 1f, 2f, 3f);
        var length = Vector128.Create((float)grain->Length);
        var steep = Vector128.Create(grain->Inverse * grain->Taper);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var edge = Vector128.MinNative(Vector128.MinNative(age, length - age) * steep, Vector128<float>.One);
            var sine = FastMath.SinTurns(Vector128.Create(0.25f) * Vector128.MaxNative(edge, Vector128<float>.Zero));
            (sine * sine).Store(window + i);
            age += Vector128.Create(4f);
        }
    }

    // Beyond an end of what is there the other end follows.
    private readonly float Read(in SincRow kernel, float* samples, long at, float t, long frames)
    {
        var before = (kernel.Taps / 2) - 1;
        if (at >= before && at + before + 2 <= frames) return SincKernel.At(in kernel, samples + at, t);
        var next = (long)Within(at - before, frames);
        for (var j = 0; j < kernel.Taps; j++)
        {
            _edges[j] = samples[next];
            if (++next >= frames) next = 0;
        }

        return SincKernel.At(in kernel, _edges + before, t);
    }

    private static double Within(double at, double frames)
    {
        var inside = at - (frames * Math.Floor(at / frames));
        return inside >= 0.0 && inside < frames ? inside : 0.0;
    }
}
