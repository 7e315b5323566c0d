// Spectral Freeze: holds the sound of a moment for as long as one likes, or lets every sound linger.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// A phase vocoder: windows of Hann four times overlapped (analysis and synthesis, whose products sum to one), so that what passes is
/// unchanged within -130 dB. Each bin keeps its last value and the turn it made between two windows; while frozen, or where the new sound
/// is weaker than what lingers, it goes on turning. A bin turns as the strongest of its five neighbours does, which keeps the lobes of
/// partials together (phase locking: Puckette, WASPAA 1995; Laroche and Dolson, IEEE Trans. Speech and Audio Processing 7(3), 1999).
/// The work of a window is spread over the segments of a hop: latency is a window and a hop.
/// </summary>
public unsafe struct SpectralFreeze : IModule<SpectralFreeze>
{
    private const int SoundIn = 0, FreezeIn = 1;
    private const int Freeze = 0, Smear = 1, Tilt = 2, LowCut = 3, HighCut = 4, Mix = 5;
    private const int WindowSetting = 0, ChannelsSetting = 1;
    private const float LowestCut = 20f, HighestCut = 20_000f;
    private const float LongestSmear = 20f;

    // What tilt may amplify: 6 dB.
    private const float MostGain = 2f;
    private const float Nothing = 1e-12f;

    // Parts of a window's work; each has a sixteenth of its points as units, or as many as the transform says.
    private const int Windowing = 0, Analysing = 1, Turning = 2, Holding = 3, Shaping = 4, Synthesising = 5, Adding = 6, Parts = 7;

    private Voice* _voices;
    private Fft _fft;
    private float* _window;
    private int _channels, _points, _hop, _logSlices;
    private float _rate;

    private struct Voice
    {
        // Past and Out are rings of twice the window; the rest are spectra as Fft lays them out.
        public float* Past, Out, Now, Before, Turn, Locked, Held, Gain, Scratch;
        public SchmittTrigger Gate;
        public float SmearPart, Tilt, Low, High;
        public int Position, Done, Quiet;
        public bool Frozen, Shaped;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "spectral-freeze",
        Name = "Spectral Freeze",
        Family = "Space",
        Text = "Holds the sound of a moment for as long as a gate is open, or lets every sound linger.",
        Help = """
            This module takes a sound apart into its partials, some fifty times a second, and puts it together again. While freeze is on,
            by its knob or by a gate, the last moment goes on for ever: a chord becomes a pad, a word a vowel, a cymbal a wind.

            Smear does the same by degrees: partials that become weaker fade slowly instead, up to twenty seconds, as under a sustain
            pedal. Louder ones come through at once. Tilt, low cut and high cut colour everything that comes out.

            The window is a setting: a long one holds chords and basses cleanly, a short one follows speech and drums. The whole sound
            comes later by a window and a quarter, the dry part of the mix as well, so that both fit. Each voice of a wide cable is held
            by itself.

            Try a melody into in and a slow clock into freeze, the mix at 0.6: every other beat hangs in the air under the next notes.
            Then smear at 0.8 without any gate, into a reverb.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be held."),
            new PortDescriptor("freeze", "Freeze", "Holds while the gate is open."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The sound, held or lingering.", ChannelRule.Setting, ChannelsSetting)],
        Parameters =
        [
            new ParameterDescriptor("freeze", "Freeze", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Holds the present moment.", "off", "on"),
            new ParameterDescriptor("smear", "Smear", "", 0f, 1f, 0.4f, ParameterCurve.Linear,
                "How long partials linger, up to 20 s to fall by 60 dB; at 0 the sound passes unchanged."),
            new ParameterDescriptor("tilt", "Tilt", "dB/oct", -6f, 6f, 0f, ParameterCurve.Linear, "Darker or brighter, around 1 kHz."),
            new ParameterDescriptor("low_cut", "Low cut", "Hz", LowestCut, 2000f, LowestCut, ParameterCurve.Exponential,
                "Takes away what is below this; 20 Hz is off."),
            new ParameterDescriptor("high_cut", "High cut", "Hz", 500f, HighestCut, HighestCut, ParameterCurve.Exponential,
                "Takes away what is above this; 20 kHz is off."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the held one alone."),
        ],
        Settings =
        [
            new SettingDescriptor("window", "Window", 0, 2, 1, "21, 43 or 85 ms: quick, or fine.", "short", "normal", "long"),
            new SettingDescriptor("channels", "Channels", 1, Limits.MaxChannels, 1, "Voices it holds, each by itself."),
        ],
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate)
    {
        long floats = 0;
        for (var window = 0; window < 3; window++) floats += Fft.Floats(Points(window, sampleRate)) + Points(window, sampleRate);
        return floats * sizeof(float);
    }

    public static void BuildShared(void* shared, float sampleRate)
    {
        var table = (float*)shared;
        for (var window = 0; window < 3; window++)
        {
            var points = Points(window, sampleRate);
            Fft.Build(table, points);
            table += Fft.Floats(points);

            // Hann, twice applied and four times overlapped: the squares sum to 3/2.
            var level = Math.Sqrt(2.0 / 3.0);
            for (var i = 0; i < points; i++)
                table[i] = (float)(level * 0.5 * (1.0 + ExactMath.SinPi((2.0 * i / points) - 0.5)));
            table += points;
        }
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        var points = Points(setup.Settings[WindowSetting], setup.SampleRate);
        need.Need<Voice>(setup.Settings[ChannelsSetting]);
        for (var i = 0; i < setup.Settings[ChannelsSetting]; i++) need.Need<float>(11L * points);
    }

    public static void Construct(ref SpectralFreeze self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        var points = Points(setup.Settings[WindowSetting], setup.SampleRate);
        self._points = points;
        self._hop = points / 4;
        while ((Limits.Grid << self._logSlices) < self._hop) self._logSlices++;
        self._rate = setup.SampleRate;
        self._channels = setup.Settings[ChannelsSetting];
        self._voices = memory.Take<Voice>(self._channels);
        for (var i = 0; i < self._channels && !memory.Overdrawn; i++)
        {
            var block = memory.Take<float>(11L * points);
            var v = self._voices + i;
            v->Past = block;
            v->Out = block + (2 * points);
            v->Now = block + (4 * points);
            v->Before = block + (5 * points);
            v->Turn = block + (6 * points);
            v->Locked = block + (7 * points);
            v->Held = block + (8 * points);
            v->Gain = block + (9 * points); // half of it
            v->Scratch = block + (10 * points);
        }

        if (memory.Overdrawn) return;
        var table = (float*)setup.Shared;
        for (var window = 0; window < setup.Settings[WindowSetting]; window++)
            table += Fft.Floats(Points(window, setup.SampleRate)) + Points(window, setup.SampleRate);
        self._fft = new Fft(table, points);
        self._window = table + Fft.Floats(points);
        timing.LatencyFrames = points + self._hop;
        timing.TailFrames = -1;
    }

    public static void Reset(ref SpectralFreeze self)
    {
        for (var i = 0; i < self._channels; i++)
        {
            var v = self._voices + i;
            Block.Clear(v->Past, 10 * self._points);
            v->Gate = default;
            v->Quiet = 0;
            Rewind(v);
        }
    }

    public static ProcessResult Process(ref SpectralFreeze self, in ProcessContext context)
    {
        var asleep = true;
        for (var voice = 0; voice < self._channels; voice++)
        {
            var v = self._voices + voice;
            for (var segment = 0; segment < context.Segments; segment++) self.Segment(v, in context, segment, voice);
            if (v->Quiet >= 4 * self._points && !v->Frozen && context.Param(Freeze, context.Segments) < 0.5f && !v->Gate.IsHigh
                && Block.IsZero(v->Held, self._points) && Block.IsZero(v->Out, 2 * self._points))
            {
                // The turns of what is no more: a sleeper must not remember them longer than one that is awake.
                Block.Clear(v->Before, self._points);
                Block.Clear(v->Locked, self._points);
                Rewind(v);
            }
            else
            {
                asleep = false;
            }
        }

        return asleep && context.Inputs[SoundIn].Silent && context.Inputs[FreezeIn].Silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int Points(int window, float rate) => (rate < 70_000f ? 1024 : rate < 140_000f ? 2048 : 4096) << window;

    private static void Rewind(Voice* v)
    {
        v->Position = 0;
        v->Done = 0;
        v->Frozen = false;
        v->Shaped = false;
    }

    private readonly void Segment(Voice* v, in ProcessContext context, int segment, int channel)
    {
        var at = segment * Limits.Grid;
        var source = context.In(SoundIn, channel) + at;
        var target = context.Out(0, channel) + at;
        var gate = context.In(FreezeIn, channel) + at;
        var mask = (2 * _points) - 1;
        var place = v->Position & (_hop - 1);
        if (place == 0) Begin(v, in context, segment + 1);

        var ring = v->Position & mask;
        var mix = new GridRamp(in context, Mix, segment);
        var late = (v->Position - _points - _hop) & mask;
        var silent = true;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var x = Vector128.Load(source + i);
            silent &= Vector128.EqualsAll(x, Vector128<float>.Zero);
            var wet = mix.Four(i);
            var dry = Vector128.Load(v->Past + late + i);
            (dry + (wet * (Vector128.Load(v->Out + ring + i) - dry))).Store(target + i);
            Vector128<float>.Zero.Store(v->Out + ring + i);
            x.Store(v->Past + ring + i);
        }

        for (var i = 0; i < Limits.Grid; i++) v->Gate.Rises(gate[i]);
        v->Quiet = silent ? Math.Min(v->Quiet + Limits.Grid, 4 * _points) : 0;
        Work(v, place / Limits.Grid);
        v->Position = (v->Position + Limits.Grid) & 0x3FFF_FFFF;
    }

    // What a window is made with is decided once a hop.
    private readonly void Begin(Voice* v, in ProcessContext context, int point)
    {
        v->Done = 0;
        v->Frozen = v->Gate.IsHigh || context.Param(Freeze, point) >= 0.5f;
        var smear = context.Param(Smear, point);
        var seconds = LongestSmear * smear * smear * smear;
        v->SmearPart = seconds < 1e-3f ? 0f : FastMath.Exp2(-9.965784f * _hop / (_rate * seconds));
        float tilt = context.Param(Tilt, point), low = context.Param(LowCut, point), high = context.Param(HighCut, point);
        v->Shaped = v->Shaped && tilt == v->Tilt && low == v->Low && high == v->High;
        (v->Tilt, v->Low, v->High) = (tilt, low, high);
    }

    // As large a part of a window's work as of its hop has gone by.
    private readonly void Work(Voice* v, int slice)
    {
        var each = _points / 32;
        var total = ((Parts - 2) * each) + (2 * _fft.Units);
        var (from, to) = (v->Done, (int)(((long)total * (slice + 1)) >> _logSlices));
        v->Done = to;
        for (var part = 0; part < Parts && to > 0; part++)
        {
            var units = part is Analysing or Synthesising ? _fft.Units : each;
            if (from < units) Part(v, part, from, Math.Min(to, units));
            from = Math.Max(from - units, 0);
            to -= units;
        }
    }

    private readonly void Part(Voice* v, int part, int from, int to)
    {
        switch (part)
        {
            case Windowing: TakeWindow(v, 32 * from, 32 * to); break;
            case Analysing: _fft.Forward(v->Now, v->Scratch, from, to); break;
            case Turning: FindTurns(v, 16 * from, 16 * to); break;
            case Holding: Hold(v, 16 * from, 16 * to); break;
            case Shaping: Shape(v, 16 * from, 16 * to); break;
            case Synthesising: _fft.Inverse(v->Now, v->Scratch, from, to); break;
            case Adding: AddWindow(v, 32 * from, 32 * to); break;
        }
    }

    private readonly int HopStart(Voice* v) => v->Position & ~(_hop - 1);

    private readonly void TakeWindow(Voice* v, int from, int to)
    {
        var mask = (2 * _points) - 1;
        var start = HopStart(v) - _points;
        for (var i = from; i < to; i += 4) (Vector128.Load(v->Past + ((start + i) & mask)) * Vector128.Load(_window + i)).Store(v->Now + i);
    }

    private readonly void AddWindow(Voice* v, int from, int to)
    {
        var mask = (2 * _points) - 1;
        var start = HopStart(v) + _hop;
        for (var i = from; i < to; i += 4)
        {
            var target = v->Out + ((start + i) & mask);
            (Vector128.Load(target) + (Vector128.Load(v->Now + i) * Vector128.Load(_window + i))).Store(target);
        }
    }

    // By how much each bin turned since the window before, as a number of length one.
    private readonly void FindTurns(Voice* v, int from, int to)
    {
        var n = _points / 2;
        for (var k = from; k < to; k += 4)
        {
            Vector128<float> xr = Vector128.Load(v->Now + k), xi = Vector128.Load(v->Now + n + k);
            Vector128<float> pr = Vector128.Load(v->Before + k), pi = Vector128.Load(v->Before + n + k);
            Vector128<float> re = (xr * pr) + (xi * pi), im = (xi * pr) - (xr * pi);
            var power = (re * re) + (im * im);
            var known = Vector128.GreaterThan(power, Vector128.Create(1e-30f));
            var scale = Vector128<float>.One / Vector128.Sqrt(Vector128.MaxNative(power, Vector128.Create(1e-30f)));
            Vector128.ConditionalSelect(known, re * scale, Vector128<float>.One).Store(v->Turn + k);
            Vector128.ConditionalSelect(known, im * scale, Vector128<float>.Zero).Store(v->Turn + n + k);
            xr.Store(v->Before + k);
            xi.Store(v->Before + n + k);

            // Powers of what comes and of what is held, for the comparisons to come.
            Vector128<float> hr = Vector128.Load(v->Held + k), hi = Vector128.Load(v->Held + n + k);
            ((xr * xr) + (xi * xi)).Store(v->Scratch + k);
            ((hr * hr) + (hi * hi)).Store(v->Scratch + n + k);
        }

        // The first bin is two real ones: neither turns.
        if (from != 0) return;
        v->Turn[0] = 1f;
        v->Turn[n] = 0f;
    }

    // Follows the sound, or goes on turning.
    private readonly void Hold(Voice* v, int from, int to)
    {
        var n = _points / 2;
        float* x = v->Now, held = v->Held;
        for (var k = from; k < to; k++)
        {
            float hr = held[k], hi = held[n + k];
            float lr = v->Locked[k], li = v->Locked[n + k];
            float xr = x[k], xi = x[n + k];
            var strongest = k;
            float most = v->Scratch[k], old = v->Scratch[n + k], oldMost = old;
            if (k > 0) Strongest(v, k, ref strongest, ref most, ref oldMost);

            // Neighbours decide together, or the parts of a partial would be let go of one by one, turn apart and beat. Compared so that
            // what is no number is let go of.
            if (!v->Frozen && !(most < oldMost * v->SmearPart * v->SmearPart && old >= 0f))
            {
                v->Locked[k] = v->Turn[strongest];
                v->Locked[n + k] = v->Turn[n + strongest];
                held[k] = xr;
                held[n + k] = xi;
                continue;
            }

            // One Newton step holds the length against rounding, for hours.
            var straight = 1.5f - (0.5f * ((lr * lr) + (li * li)));
            var part = (v->Frozen ? 1f : v->SmearPart) * straight;
            float re = ((hr * lr) - (hi * li)) * part, im = ((hr * li) + (hi * lr)) * part;
            var gone = (re * re) + (im * im) < Nothing;
            held[k] = x[k] = gone ? 0f : re;
            held[n + k] = x[n + k] = gone ? 0f : im;
        }
    }

    // The strongest of five neighbours, and the power of the strongest that is held.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Strongest(Voice* v, int k, ref int strongest, ref float most, ref float oldMost)
    {
        var n = _points / 2;
        for (var j = Math.Max(k - 2, 1); j <= Math.Min(k + 2, n - 1); j++)
        {
            if (v->Scratch[j] > most)
            {
                most = v->Scratch[j];
                strongest = j;
            }

            if (v->Scratch[n + j] > oldMost) oldMost = v->Scratch[n + j];
        }
    }

    private readonly void Shape(Voice* v, int from, int to)
    {
        var n = _points / 2;
        if (!v->Shaped) MakeShape(v, from, to);
        for (var k = from; k < to; k += 4)
        {
            var gain = Vector128.Load(v->Gain + k);
            (Vector128.Load(v->Now + k) * gain).Store(v->Now + k);
            (Vector128.Load(v->Now + n + k) * gain).Store(v->Now + n + k);
        }

        if (to == n) v->Shaped = true;
    }

    // Tilt in octaves from 1 kHz, cuts of 24 dB an octave; the first bin gets what the second has.
    private readonly void MakeShape(Voice* v, int from, int to)
    {
        var one = Vector128<float>.One;
        var bin = Vector128.Create(_rate / _points);
        for (var k = from; k < to; k += 4)
        {
            var hertz = Vector128.MaxNative(Vector128.Create((float)k) + Vector128.Create(0f, 1f, 2f, 3f), one) * bin;
            var octaves = FastMath.Log2(hertz) - Vector128.Create(9.965784f);
            var gain = Vector128.MinNative(FastMath.Exp2(octaves * Vector128.Create(v->Tilt * 0.166096405f)), Vector128.Create(MostGain));
            if (v->Low > LowestCut)
            {
                var r = Vector128.Create(v->Low) / hertz;
                gain /= one + (r * r * r * r);
            }

            if (v->High < HighestCut)
            {
                var r = hertz * Vector128.Create(1f / v->High);
                gain /= one + (r * r * r * r);
            }

            gain.Store(v->Gain + k);
        }
    }
}
