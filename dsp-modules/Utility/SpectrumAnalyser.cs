// Spectrum: how much of a sound lies at which frequency.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Transforms of four times overlapped windows. The window is the flat-top HFT116D (Heinzel, Rüdiger and Schilling, Spectrum and Spectral
/// Density Estimation by the DFT, Max Planck Institute for Gravitational Physics, 2002): a sine reads its level within 0.003 dB wherever it
/// lies between two bins, and side lobes stay below -116 dB. A point of the picture is the strongest bin nearest to it. The work of a
/// window is spread evenly over the segments of the hop that follows it.
/// </summary>
public unsafe struct SpectrumAnalyser : IModule<SpectrumAnalyser>
{
    private const int SoundIn = 0;
    private const int Average = 0, Peaks = 1, Hold = 2;
    private const int Sizes = 4;
    private const int Points = 241; // 24 an octave, 80 a decade
    private const int PeaksAt = Points, LoudestAt = 2 * Points, LoudestLevelAt = LoudestAt + 1;
    private const float Floor = -160f;
    private const float LowestBand = 20f;

    // By how many bins a sine lies higher for each octave of power between the bins two above and two below the strongest.
    private const float BinsPerOctave = 0.33f;

    // Parts of a window's work; each has a number of units.
    private const int Windowing = 0, Analysing = 1, Squaring = 2, Reading = 3, Parts = 4;

    private Fft _fft;
    private float* _window, _past, _now, _scratch, _level;
    private int* _first;
    private int _points, _hop, _logSlices, _position, _done;
    private float _rate, _scale, _keep, _best;
    private int _quiet, _bestAt;
    private bool _empty, _works, _peaks, _anew;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "spectrum",
        Name = "Spectrum",
        Family = "Utility",
        Text = "Shows how much of a sound lies at which frequency, in decibels.",
        Help = """
            A spectrum analyser from 20 Hz to 20 kHz with even octaves, as the ear has them. Levels are in dB of 5 V, which is a full sound
            in this system: a sine of 5 V reads 0 dB, whatever its frequency, and 6 dB less is half the voltage. What comes in goes out
            unchanged at thru, so it can sit in the middle of any cable; of a wide cable it shows the first voice.

            Average makes the picture calm: the longer, the better a noise can be read. Peaks keeps the highest level there was at each
            frequency until it is switched off. Hold keeps everything. The strongest frequency and its level are shown as figures.

            The size is a setting. A large one tells close low notes apart but follows slowly; a small one is quick. At the usual size
            lines less than 60 Hz apart grow into one, and below 40 Hz levels are too high where there is DC beside the sound.

            Try this:

            - a saw, and count its harmonics; then through a filter, and sweep the cutoff
            - noise through a filter with an average of 2 s: the filter's curve is drawn as you turn it
            - your mix with peaks on: what sticks out at the end of the song is where an equaliser helps
            """,
        Inputs = [new PortDescriptor("in", "In", "The sound that is shown.")],
        Outputs = [new PortDescriptor("thru", "Thru", "The input, unchanged.")],
        Parameters =
        [
            new ParameterDescriptor(
                "average", "Average", "s", 0f, 5f, 0.1f, ParameterCurve.Linear, "Time over which levels are averaged; 0 is none."),
            new ParameterDescriptor("peaks", "Peaks", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Keeps the highest levels.", "off", "on"),
            new ParameterDescriptor("hold", "Hold", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Keeps the picture.", "off", "on"),
        ],
        Settings = [new SettingDescriptor(
            "size", "Size", 0, Sizes - 1, 1, "43, 85, 170 or 340 ms: quick, or fine.", "quick", "usual", "fine", "finest")],
        Telemetry =
        [
            new TelemetryDescriptor("levels", TelemetryKind.Spectrum, Points, "dB", "Levels, averaged."),
            new TelemetryDescriptor("peaks", TelemetryKind.Spectrum, Points, "dB", "The highest levels there were."),
            new TelemetryDescriptor("loudest", TelemetryKind.Value, 1, "Hz", "The strongest frequency."),
            new TelemetryDescriptor("loudest_level", TelemetryKind.Value, 1, "dB", "Its level."),
        ],
    };

    public static long SharedBytes(float sampleRate)
    {
        long floats = 0;
        for (var size = 0; size < Sizes; size++) floats += TableFloats(Window(size, sampleRate));
        return floats * sizeof(float);
    }

    public static void BuildShared(void* shared, float sampleRate)
    {
        var table = (float*)shared;
        for (var size = 0; size < Sizes; size++)
        {
            var points = Window(size, sampleRate);
            Fft.Build(table, points);
            var window = table + Fft.Floats(points);
            for (var i = 0; i < points; i++)
            {
                // cos(k z) by Chebyshev's recurrence.
                var cos = ExactMath.SinPi((2.0 * i / points) + 0.5);
                double before = 1.0, now = cos, sum = 1.0 - (1.9575375 * cos);
                ReadOnlySpan<double> terms = [1.4780705, -0.6367431, 0.1228389, -0.0066288];
                foreach (var term in terms)
                {
                    (before, now) = (now, (2.0 * cos * now) - before);
                    sum += term * now;
                }

                window[i] = (float)sum;
            }

            table += TableFloats(points);
        }
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<float>(4L * Window(setup.Settings[0], setup.SampleRate));
        need.Need<float>(Points);
        need.Need<int>(Points + 1);
    }

    public static void Construct(ref SpectrumAnalyser self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        var points = Window(setup.Settings[0], setup.SampleRate);
        (self._points, self._hop, self._rate) = (points, points / 4, setup.SampleRate);
        while ((Limits.Grid << self._logSlices) < self._hop) self._logSlices++;
        var block = memory.Take<float>(4L * points);
        self._level = memory.Take<float>(Points);
        self._first = memory.Take<int>(Points + 1);
        timing.TailFrames = points + (2 * self._hop) + Limits.MaxQuantum;
        if (memory.Overdrawn) return;
        self._past = block;
        self._now = block + (2 * points);
        self._scratch = block + (3 * points);

        // Point p has the bins from half a point below it up to half a point above, at least the one nearest to it.
        for (var p = 0; p <= Points; p++)
        {
            var bin = BandStart(p) * points / setup.SampleRate;
            self._first[p] = Math.Min((int)Math.Floor(bin + 0.5), (points / 2) - 1);
        }

        var table = (float*)setup.Shared;
        for (var size = 0; size < setup.Settings[0]; size++) table += TableFloats(Window(size, setup.SampleRate));
        self._fft = new Fft(table, points);
        self._window = table + Fft.Floats(points);

        // The window's mean is 1: a sine of 5 V has a bin of 5 * points / 2.
        var full = 2.5f * points;
        self._scale = 1f / (full * full);
        Reset(ref self);
    }

    public static void Reset(ref SpectrumAnalyser self)
    {
        Block.Clear(self._past, 4 * self._points);
        for (var p = 0; p < Points; p++) self._level[p] = 0f;
        (self._position, self._done, self._quiet, self._bestAt) = (0, 0, 0, 0);
        (self._keep, self._best) = (0f, 0f);
        (self._empty, self._works, self._peaks, self._anew) = (false, false, false, false);
    }

    public static ProcessResult Process(ref SpectrumAnalyser self, in ProcessContext context)
    {
        for (var voice = 0; voice < context.Outputs[0].Channels; voice++)
            Block.Copy(context.Out(0, voice), context.In(SoundIn, voice), context.Frames);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var source = context.In(SoundIn) + (segment * Limits.Grid);
            var place = self._position & (self._hop - 1);
            if (place == 0) self.Begin(in context, segment);
            Block.Copy(self._past + (self._position & ((2 * self._points) - 1)), source, Limits.Grid);
            self._quiet = Block.IsZero(source, Limits.Grid) ? Math.Min(self._quiet + Limits.Grid, 4 * self._points) : 0;
            if (self._works) self.Work(in context, place / Limits.Grid);
            self._position = (self._position + Limits.Grid) & 0x3FFF_FFFF;
        }

        // A window of silence was shown before it sleeps.
        return context.Inputs[SoundIn].Silent && self._quiet >= self._points
            + (2 * self._hop) ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int Window(int size, float rate) => (rate < 70_000f ? 2048 : rate < 140_000f ? 4096 : 8192) << size;

    private static long TableFloats(int points) => Fft.Floats(points) + points;

    private static double BandStart(int point) => LowestBand * Math.Pow(1000.0, (point - 0.5) / (Points - 1));

    private void Begin(in ProcessContext context, int segment)
    {
        _done = 0;
        _empty = _quiet >= _points;
        var seconds = context.Param(Average, segment);
        _keep = seconds < 0.001f ? 0f : FastMath.Exp2(-1.442695f * _hop / (seconds * _rate));
        _works = context.Param(Hold, segment) < 0.5f;
        var peaks = context.Param(Peaks, segment) >= 0.5f;
        (_anew, _peaks) = (!(peaks && _peaks), peaks);
    }

    // As large a part of the work as of the hop has gone by.
    private void Work(in ProcessContext context, int slice)
    {
        var bins = _points / 32;
        var total = bins + _fft.Units + bins + Points;
        var (from, to) = (_done, (int)(((long)total * (slice + 1)) >> _logSlices));
        _done = to;
        for (var part = 0; part < Parts && to > 0; part++)
        {
            var units = part == Analysing ? _fft.Units : part == Reading ? Points : bins;
            if (from < units) Part(in context, part, from, Math.Min(to, units));
            from = Math.Max(from - units, 0);
            to -= units;
        }
    }

    private void Part(in ProcessContext context, int part, int from, int to)
    {
        switch (part)
        {
            case Windowing: TakeWindow(32 * from, 32 * to); break;
            case Analysing: _fft.Forward(_now, _scratch, from, to); break;
            case Squaring: Square(16 * from, 16 * to); break;
            case Reading: Read(in context, from, to); break;
        }
    }

    private readonly void TakeWindow(int from, int to)
    {
        var start = (_position & ~(_hop - 1)) - _points;
        var mask = (2 * _points) - 1;
        for (var i = from; i < to; i += 4) (Vector128.Load(_past + ((start + i) & mask)) * Vector128.Load(_window + i)).Store(_now + i);
    }

    // Powers, where a sine of 5 V has 1.
    private readonly void Square(int from, int to)
    {
        var n = _points / 2;
        if (from == 0) _now[n] = 0f; // what stands there is the last bin
        for (var k = from; k < to; k += 4)
        {
            Vector128<float> re = Vector128.Load(_now + k), im = Vector128.Load(_now + n + k);
            (((re * re) + (im * im)) * Vector128.Create(_scale)).Store(_now + k);
        }
    }

    private void Read(in ProcessContext context, int from, int to)
    {
        if (from == 0) _best = 0f;
        for (var p = from; p < to; p++)
        {
            // Compared so that what is no number is left out, and lost from the average.
            var most = 0f;
            for (var k = _first[p]; k <= _first[p + 1]; k++)
            {
                if (!(_now[k] > most) || _now[k] > 1e12f) continue;
                most = _now[k];
                if (most > _best) (_best, _bestAt) = (most, k);
            }

            _level[p] = _empty ? 0f : most + (_keep * (_level[p] - most));
            var decibels = Decibels(_level[p]);
            context.Telemetry[p] = decibels;
            var peak = context.Telemetry + PeaksAt + p;
            *peak = !_anew && *peak > decibels ? *peak : decibels;
        }

        if (to != Points) return;
        context.Telemetry[LoudestAt] = _best > 1e-16f ? Between() : 0f;
        context.Telemetry[LoudestLevelAt] = Decibels(_best);
    }

    // 10 lg of a power.
    private static float Decibels(float power) =>
        Math.Max(Floor, 3.0103f * FastMath.Log2(Vector128.Create(power)).ToScalar());

    // The flat-top lobe is symmetrical: its middle is where both sides of it balance, two bins out, where it has a slope.
    private readonly float Between()
    {
        var k = _bestAt;
        if (k < 3 || k > (_points / 2) - 4) return k * _rate / _points;
        var ratio = FastMath.Log2(Vector128.Create(_now[k + 2] + 1e-30f)).ToScalar() - FastMath.Log2(Vector128.Create(_now[k - 2] + 1e-30f))
            .ToScalar();
        return (k + Math.Max(-1f, Math.Min(1f, ratio * BinsPerOctave))) * _rate / _points;
    }
}
