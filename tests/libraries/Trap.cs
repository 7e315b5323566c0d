// A module that does, when it is told to, what no module in C# may: what a second runtime in the engine is tried with. Tests compile it.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace Trapping;

/// <summary>A sine of 50 Hz and 5 V; what it does besides is the knob's.</summary>
public unsafe struct Trap : IModule<Trap>
{
    private const int Out = 0, Do = 0;
    private const int MakesGarbage = 1, Collects = 2, FollowsNull = 3, Throws = 4, KeepsMemory = 5;

    // What the collector may not free at once, or not at all: of the whole library.
    private static object? s_garbage;
    private static object[]? s_kept;

    private double _turns;
    private int _number; // of the first instance's seed: only the state hands it on

    public static ModuleDescriptor Describe() => new()
    {
        Id = "test-trap",
        Name = "Trap",
        Family = "Sources",
        Text = "For a test.",
        Outputs = [new PortDescriptor("out", "Out", "A sine.")],
        Parameters =
        [
            new ParameterDescriptor("do", "Do", "", 0f, 5f, 0f, ParameterCurve.Stepped, "What it does besides.", "nothing", "garbage", "collect", "null", "throw", "keep"),
        ],
        Telemetry =
        [
            new TelemetryDescriptor("number", TelemetryKind.Value, 1), new TelemetryDescriptor("flushes", TelemetryKind.Value, 1),
            new TelemetryDescriptor("collections", TelemetryKind.Value, 1),
        ],
        StateBytes = sizeof(int),
    };

    public static void Construct(ref Trap self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._number = (int)(setup.Seed & 0xFFFFFF); // a float holds it
        timing.TailFrames = -1;
    }

    public static void Reset(ref Trap self) => self._turns = 0;

    public static ProcessResult Process(ref Trap self, in ProcessContext context)
    {
        var to = context.Out(Out);
        for (var i = 0; i < context.Frames; i++)
        {
            to[i] = 5f * (float)Math.Sin(Math.Tau * self._turns);
            self._turns += 50 / context.SampleRate;
            if (self._turns >= 1) self._turns -= 1;
        }

        var smallest = BitConverter.Int32BitsToSingle(1);
        context.Telemetry[0] = self._number;
        context.Telemetry[1] = smallest * context.Frames == 0 ? 1 : 0;
        if (context.TryTakeReply(out _, out var collections)) context.Telemetry[2] = collections;
        switch ((int)context.Param(Do))
        {
            case MakesGarbage:
                s_garbage = new byte[20_000];
                break;
            case Collects:
                _ = context.RequestWork(0, 0);
                break;
            case FollowsNull:
                to[0] = Unsafe.NullRef<int>();
                break;
            case Throws:
                throw new InvalidOperationException("a module must not");
            case KeepsMemory:
                s_kept = [s_kept!, new byte[1 << 20]];
                break;
        }

        return ProcessResult.Continue;
    }

    // Stops every thread that is in this library's code: the one that plays, too.
    public static void Work(ref Trap self, ref WorkJob job)
    {
        GC.Collect();
        job.Result = GC.CollectionCount(0);
    }

    public static int SaveState(ref Trap self, Span<byte> state) => MemoryMarshal.TryWrite(state, in self._number) ? sizeof(int) : 0;

    public static bool LoadState(ref Trap self, uint version, ReadOnlySpan<byte> state) => MemoryMarshal.TryRead(state, out self._number);
}
