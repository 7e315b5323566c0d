// Voltmeter: the mean of a signal and how much it wavers, once every so often.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Mean and standard deviation over a window, by sums in double precision around the window's first sample (so that a millivolt of noise on
/// ten volts is not lost in the squares). What it shows is of the last whole window.
/// </summary>
public unsafe struct Voltmeter : IModule<Voltmeter>
{
    private const int Window = 0;
    private const int Mean = 0, Noise = 1, Windows = 2; // telemetry
    private const int CountWraps = 1 << 20; // a float counts exactly to 2^24

    private double _sum, _squares;
    private float _first, _held;
    private int _frames, _windows;
    private float _rate;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "voltmeter",
        Name = "Voltmeter",
        Family = "Utility",
        Text = "Measures a voltage: the mean over a time, and how much it wavers around it.",
        Help = """
            Shows what a voltage is: the mean over a window of time, and how much it wavers around it (the standard deviation, which
            for a sound is its RMS level). The figures are those of the last whole window and change when the next is over.

            A long window measures finely, a short one follows. Mean gives the figure as a voltage, held until the next: it can be patched
            like anything else, for instance to learn the mean of something that is never at rest.

            Try: the output of an LFO into In with a window of ten of its cycles: the mean is what it moves around.
            """,
        Inputs = [new PortDescriptor("in", "In", "What is measured.", ChannelRule.Fixed)],
        Outputs = [new PortDescriptor("mean", "Mean", "The mean of the last window, held until the next.", ChannelRule.Fixed)],
        Parameters =
            [new ParameterDescriptor("window", "Window", "s", 0.01f, 10f, 1f, ParameterCurve.Exponential, "Over how long it is measured.")],
        Telemetry =
        [
            new TelemetryDescriptor("mean", TelemetryKind.Meter, 1, "V", "The mean of the last window."),
            new TelemetryDescriptor("noise", TelemetryKind.Meter, 1, "V", "How much it wavered around it."),
            new TelemetryDescriptor("windows", TelemetryKind.Step, 1, "", "Windows so far."),
        ],
    };

    public static void Construct(ref Voltmeter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._rate = setup.SampleRate;
        timing.TailFrames = -1; // silence is measured too
    }

    public static void Reset(ref Voltmeter self)
    {
        (self._sum, self._squares, self._first, self._held) = (0, 0, 0, 0);
        (self._frames, self._windows) = (0, 0);
    }

    public static ProcessResult Process(ref Voltmeter self, in ProcessContext context)
    {
        var source = context.In(0);
        var target = context.Out(0);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var at = segment * Limits.Grid;
            for (var i = 0; i < Limits.Grid; i++)
            {
                if (self._frames == 0) self._first = source[at + i];
                var d = (double)source[at + i] - self._first;
                self._sum += d;
                self._squares += d * d;
                self._frames++;
                target[at + i] = self._held;
            }

            if (self._frames >= context.Param(Window, segment) * self._rate) Finish(ref self, context.Telemetry);
        }

        return ProcessResult.Continue;
    }

    private static void Finish(ref Voltmeter self, float* telemetry)
    {
        var mean = self._sum / self._frames;
        self._held = (float)(self._first + mean);
        self._windows = (self._windows + 1) % CountWraps;
        telemetry[Mean] = self._held;
        telemetry[Noise] = (float)Math.Sqrt(Math.Max(0, (self._squares / self._frames) - (mean * mean)));
        Volatile.Write(ref telemetry[Windows], self._windows); // last: whoever sees it change sees the figures that belong to it
        (self._sum, self._squares, self._frames) = (0, 0, 0);
    }
}
