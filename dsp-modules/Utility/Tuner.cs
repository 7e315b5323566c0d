// Tuner: which note a sound has and by how many cents it is off, as figures and as a voltage.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The normalised square difference of McLeod and Wyvill (A Smarter Way to Find Pitch, ICMC 2005) over 170 ms, by transforms of twice that
/// length: the period is the first maximum that nearly reaches the highest. It is then looked for at twice, four times ... as many periods,
/// up to half the window, where the same error of a sample is as many times less of a period. The work of a window is spread evenly over
/// the segments of the hop that follows it: 23 readings a second, at any rate.
/// </summary>
public unsafe struct Tuner : IModule<Tuner>
{
    private const int SoundIn = 0;
    private const int ThruOut = 0, PitchOut = 1, GateOut = 2;
    private const int Reference = 0, Threshold = 1;
    private const int HertzAt = 0, NoteAt = 1, CentsAt = 2, ClarityAt = 3;
    private const int MaximumCount = 512;
    private const float LowestHertz = 24f, HighestHertz = 5000f;

    // How like itself a sound must be a period later: a noise is not.
    private const float LeastClarity = 0.8f;

    // What a parabola must fall by, of 1, to be well above the rounding of a transform.
    private const float LeastFall = 1e-3f;
    private const float GateVolts = 10f;
    private const float DecibelsToOctaves = 0.33219281f; // of power: log2(10) / 10

    // Parts of a window's work; each has a number of units.
    private const int Averaging = 0, Taking = 1, Analysing = 2, Squaring = 3, Synthesising = 4, Comparing = 5, Choosing = 6, Parts = 7;

    private Fft _fft;
    private float* _past, _data, _scratch, _likeness;
    private int* _maxima;
    private double _sum, _energy;
    private float _rate, _mean, _power, _best, _volts, _hertz, _clarity, _floor, _reference;
    private int _window, _hop, _logSlices, _shortest, _longest, _position, _done, _filled, _count, _bestAt;
    private bool _negative, _open, _heard;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "tuner",
        Name = "Tuner",
        Family = "Utility",
        Text = "Tells which note it hears and by how many cents it is off, and makes a pitch voltage of it.",
        Help = """
            Patch one note into it and read: the frequency, the nearest note (60 is C4) and how many cents it is too high or too low. It
            hears from 27.5 Hz, the lowest A of a piano, up to 4 kHz and a little beyond, and tells a hundredth of a semitone with ease.
            What comes in goes out unchanged at thru, so it can sit in the middle of any cable; of a wide cable it hears the first voice.

            Pitch is what it hears as a voltage, 1 V an octave with 0 V at C4, and gate is high while it hears a note: so a voice or a
            guitar can play an oscillator. Where there is no note, pitch stays where it was. It needs a sixth of a second of sound for a
            reading, which is long for playing and right for tuning. It hears one note at a time: a chord has no pitch.

            Threshold is how loud a sound must be to be heard, in dB of 5 V. Reference is the frequency of A4 that cents are counted from;
            the voltage does not follow it.

            Try this:

            - an oscillator into in, and turn its fine tune until cents are 0
            - a microphone into in, pitch through a quantizer into an oscillator and gate into its envelope, and sing
            - two oscillators one after the other: the same cents are the same tuning
            """,
        Inputs = [new PortDescriptor("in", "In", "The note that is heard.")],
        Outputs =
        [
            new PortDescriptor("thru", "Thru", "The input, unchanged."),
            new PortDescriptor("pitch", "Pitch", "What it hears, 1 V an octave.", ChannelRule.Fixed),
            new PortDescriptor("gate", "Gate", "10 V while it hears a note.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("reference", "Reference", "Hz", 400f, 480f, 440f, ParameterCurve.Linear, "Frequency of A4."),
            new ParameterDescriptor("threshold", "Threshold", "dB", -80f, 0f, -50f, ParameterCurve.Linear,
                "How loud a sound must be to be heard, in dB of 5 V."),
        ],
        Telemetry =
        [
            new TelemetryDescriptor("frequency", TelemetryKind.Value, 1, "Hz", "What it hears; 0 while it hears no note."),
            new TelemetryDescriptor("note", TelemetryKind.Value, 1, "", "The nearest note, 60 is C4."),
            new TelemetryDescriptor("cents", TelemetryKind.Value, 1, "cents", "How much the sound is above that note."),
            new TelemetryDescriptor(
                "clarity", TelemetryKind.Value, 1, "", "How like itself the sound is a period later; 1 is a steady tone."),
        ],
    };

    public static long SharedBytes(float sampleRate) => Fft.Floats(2 * Window(sampleRate)) * sizeof(float);

    public static void BuildShared(void* shared, float sampleRate) => Fft.Build((float*)shared, 2 * Window(sampleRate));

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        var window = Window(setup.SampleRate);
        need.Need<float>(6L * window);
        need.Need<float>(window);
        need.Need<int>(MaximumCount);
    }

    public static void Construct(ref Tuner self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        var window = Window(setup.SampleRate);
        (self._window, self._hop, self._rate) = (window, window / 4, setup.SampleRate);
        while ((Limits.Grid << self._logSlices) < self._hop) self._logSlices++;
        self._shortest = (int)(setup.SampleRate / HighestHertz);
        self._longest = (int)(setup.SampleRate / LowestHertz);
        var block = memory.Take<float>(6L * window);
        self._likeness = memory.Take<float>(window);
        self._maxima = memory.Take<int>(MaximumCount);
        timing.TailFrames = -1; // it holds a voltage
        if (memory.Overdrawn) return;
        self._past = block;
        self._data = block + (2 * window);
        self._scratch = block + (4 * window);
        self._fft = new Fft((float*)setup.Shared, 2 * window);
        Reset(ref self);
    }

    public static void Reset(ref Tuner self)
    {
        Block.Clear(self._past, 6 * self._window);
        Block.Clear(self._likeness, self._window);
        (self._sum, self._energy, self._mean, self._power, self._best) = (0.0, 0.0, 0f, 0f, 0f);
        (self._volts, self._hertz, self._clarity, self._floor, self._reference) = (0f, 0f, 0f, 0f, 440f);
        (self._position, self._done, self._filled, self._count, self._bestAt) = (0, 0, 0, 0, 0);
        (self._negative, self._open, self._heard) = (false, false, false);
    }

    public static ProcessResult Process(ref Tuner self, in ProcessContext context)
    {
        for (var voice = 0; voice < context.Outputs[ThruOut].Channels; voice++)
            Block.Copy(context.Out(ThruOut, voice), context.In(SoundIn, voice), context.Frames);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var at = segment * Limits.Grid;
            var place = self._position & (self._hop - 1);
            if (place == 0) self.Begin(in context, segment);
            Block.Copy(self._past + (self._position & ((2 * self._window) - 1)), context.In(SoundIn) + at, Limits.Grid);
            self.Work(in context, place / Limits.Grid);
            self._position = (self._position + Limits.Grid) & 0x3FFF_FFFF;
            self._filled = Math.Min(self._filled + Limits.Grid, self._window);
            var (pitch, gate) = (Vector128.Create(self._volts), Vector128.Create(self._heard ? GateVolts : 0f));
            for (var i = at; i < at + Limits.Grid; i += 4)
            {
                pitch.Store(context.Out(PitchOut) + i);
                gate.Store(context.Out(GateOut) + i);
            }
        }

        return ProcessResult.Continue;
    }

    private static int Window(float rate) => rate < 70_000f ? 8192 : rate < 140_000f ? 16_384 : 32_768;

    private void Begin(in ProcessContext context, int segment)
    {
        _done = 0;
        _reference = context.Param(Reference, segment);

        // Of a sine of 5 V: half its square, over the window.
        _floor = 12.5f * _window * FastMath.Exp2(context.Param(Threshold, segment) * DecibelsToOctaves);
    }

    // As large a part of the work as of the hop has gone by; a window that is not full yet has nothing to tell.
    private void Work(in ProcessContext context, int slice)
    {
        if (_filled < _window) return;
        var each = _window / 32;
        var total = (5 * each) + each + (2 * _fft.Units) + 1;
        var (from, to) = (_done, (int)(((long)total * (slice + 1)) >> _logSlices));
        _done = to;
        for (var part = 0; part < Parts && to > 0; part++)
        {
            var units = part switch
            {
                Analysing or Synthesising => _fft.Units,
                Squaring => 2 * each,
                Choosing => 1,
                Comparing => 2 * each,
                _ => each,
            };
            if (from < units) Part(in context, part, from, Math.Min(to, units));
            from = Math.Max(from - units, 0);
            to -= units;
        }
    }

    private void Part(in ProcessContext context, int part, int from, int to)
    {
        switch (part)
        {
            case Averaging: Sum(32 * from, 32 * to); break;
            case Taking: Take(32 * from, 32 * to); break;
            case Analysing: _fft.Forward(_data, _scratch, from, to); break;
            case Squaring: Square(16 * from, 16 * to); break;
            case Synthesising: _fft.Inverse(_data, _scratch, from, to); break;
            case Comparing: Compare(8 * from, 8 * to); break;
            case Choosing: Choose(in context); break;
        }
    }

    private readonly float* Place(int i) => _past + (((_position & ~(_hop - 1)) - _window + i) & ((2 * _window) - 1));

    private void Sum(int from, int to)
    {
        if (from == 0) _sum = 0.0;
        for (var i = from; i < to; i++) _sum += *Place(i);
        if (to == _window) _mean = (float)(_sum / _window);
    }

    // The sound without its mean, and as much silence behind it: what turns around the end of a transform is nothing.
    private void Take(int from, int to)
    {
        if (from == 0) _energy = 0.0;
        for (var i = from; i < to; i += 4)
        {
            var x = Vector128.Load(Place(i)) - Vector128.Create(_mean);
            x.Store(_data + i);
            Vector128<float>.Zero.Store(_data + _window + i);
            _energy += Vector128.Sum(x * x);
        }
    }

    private readonly void Square(int from, int to)
    {
        var n = _window;
        var (first, last) = (_data[0], _data[n]);
        for (var k = from; k < to; k += 4)
        {
            Vector128<float> re = Vector128.Load(_data + k), im = Vector128.Load(_data + n + k);
            ((re * re) + (im * im)).Store(_data + k);
            Vector128<float>.Zero.Store(_data + n + k);
        }

        if (from != 0) return;
        _data[0] = first * first;
        _data[n] = last * last;
    }

    // Likeness at lags 0 up to half a window, 1 where the sound is the same, and the maximum between each rise above 0 and the next fall.
    private void Compare(int from, int to)
    {
        if (from == 0)
        {
            (_power, _count, _best, _bestAt) = ((float)_energy, 0, 0f, 0);
            (_negative, _open) = (false, false);
            _energy *= 2.0;
        }

        for (var lag = from; lag < to; lag++)
        {
            var like = _energy > 1e-12 ? (float)(2.0 * _data[lag] / _energy) : 0f;
            if (!(like <= 1.5f)) like = 0f; // out of numbers that are none
            _likeness[lag] = like;
            double first = *Place(lag) - _mean, last = *Place(_window - 1 - lag) - _mean;
            _energy -= (first * first) + (last * last);
            if (!(like > 0f))
            {
                if (_open && _bestAt >= _shortest && _bestAt <= _longest && _count < MaximumCount) _maxima[_count++] = _bestAt;
                (_negative, _open) = (true, false);
            }
            else if (_negative && (!_open || like > _best))
            {
                (_open, _best, _bestAt) = (true, like, lag);
            }
        }
    }

    private void Choose(in ProcessContext context)
    {
        var highest = 0f;
        for (var i = 0; i < _count; i++) highest = Math.Max(highest, _likeness[_maxima[i]]);
        (_heard, _hertz, _clarity) = (false, 0f, highest);
        if (highest >= LeastClarity && _power >= _floor)
        {
            // Between two lags a short period's maximum is missed by more than a long one's.
            var period = 0;
            for (var i = 0; i < _count && period == 0; i++)
            {
                var lag = _maxima[i];
                if (_likeness[lag] >= highest * (0.9f - Math.Min(0.2f, 2.4f / lag))) period = lag;
            }

            var hertz = period > 0 ? _rate / Refine(period) : 0f;
            if (hertz > LowestHertz && hertz < 1.1f * HighestHertz)
            {
                _heard = true;
                _hertz = hertz;
                _volts = Octaves(hertz / Pitch.C4);
            }
        }

        context.Telemetry[HertzAt] = _hertz;
        context.Telemetry[ClarityAt] = _clarity;
        if (!_heard) return;
        var note = 69f + (12f * Octaves(_hertz / _reference));
        var nearest = MathF.Floor(note + 0.5f);
        context.Telemetry[NoteAt] = nearest;
        context.Telemetry[CentsAt] = 100f * (note - nearest);
    }

    // Log2 of the vector kind is exact to 3e-7 octaves: a 0.0004th of a cent.
    private static float Octaves(float ratio) => FastMath.Log2(Vector128.Create(ratio)).ToScalar();

    private readonly float Refine(int lag)
    {
        var period = Peak(lag, lag);
        for (var times = 2; times * period < (_window / 2) - 8; times *= 2)
        {
            // The error so far, times two, is far below the two frames that are looked at to either side.
            var about = (int)(times * period + 0.5f);
            var best = about;
            for (var near = about - 2; near <= about + 2; near++)
            {
                if (_likeness[near] > _likeness[best]) best = near;
            }

            var at = Peak(best, period);
            if (MathF.Abs(at - (times * period)) < 2f) period = at / times;
        }

        return period;
    }

    // Middle of the parabola through three points as far apart as it takes to fall by more than rounding.
    private readonly float Peak(int lag, float period)
    {
        var fall = 0f;
        var wide = 1;
        var most = Math.Min(period * 0.125f, Math.Min(lag - 1, (_window / 2) - 1 - lag));
        while (true)
        {
            fall = (2f * _likeness[lag]) - _likeness[lag - wide] - _likeness[lag + wide];
            if (fall >= LeastFall || 2 * wide > most) break;
            wide *= 2;
        }

        if (!(fall > 0f)) return lag;
        var offset = 0.5f * wide * (_likeness[lag + wide] - _likeness[lag - wide]) / fall;
        return lag + Math.Max(-wide, Math.Min(wide, offset));
    }
}
