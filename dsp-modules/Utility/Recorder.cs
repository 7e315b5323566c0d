// Recorder: up to eight tracks into one WAV file, written by the control process while this only fills a ring.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Collects blocks of 256 frames in its telemetry (<see cref="TelemetryKind.Recording"/>), each with its frame on the engine's clock and
/// the number of its take. Nothing waits for whoever reads: a block that was not taken in time is overwritten, and the file gets silence of
/// its length.
/// </summary>
public unsafe struct Recorder : IModule<Recorder>
{
    private const int Tracks = 8, Capacity = 128; // 0.7 s at 48 kHz
    private const int GateIn = Tracks;
    private const int Arm = 0, Mode = 1, Level = 2;
    private const int RecordingOut = 0;
    private const int RingFloats = (640 + (Capacity * (32 + (Tracks * Limits.MaxQuantum * sizeof(float))))) / sizeof(float);
    private const int SecondsAt = RingFloats, LevelAt = RingFloats + 1;
    private const float Gate = 10f;
    private const float DecibelsToOctaves = 0.16609640474f; // log2(10) / 20

    private SchmittTrigger _gate;
    private float* _block;
    private float _rate;
    private ulong _first, _start;
    private int _tracks, _held, _take;
    private bool _running, _toggled;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "recorder",
        Name = "Recorder",
        Family = "Utility",
        Text = "Writes up to eight tracks into one WAV file while you play.",
        Help = """
            A multi-track tape machine. Every input is a track of one WAV file (32-bit float, 10 V is full scale); tracks without a
            cable are silent. Turn Record on (from a command line: ssp patch set recorder record 1, with the module's name in the
            patch), or send a gate, and a new take begins: a new file with the module's name and the time in its name, in the folder
            "recordings" beside the journal. Turn it off and the file is complete.

            The disk never holds up the music. If it is too slow for more than half a second, the missing part is silence of exactly
            its length, with a marker in the file, so the tracks stay together and in time; the same goes for a dropout of the sound
            card.

            How many tracks a file has is a setting; it is fixed while the module is in the patch. The number of seconds recorded
            and the loudest track are shown while it runs. Files end at 4 GiB, which is six hours of two tracks.

            Try this:

            - patch the two sides of your mix into tracks 1 and 2 and turn Record on
            - patch the reset of a clock into Gate with the mode on toggle: one pulse begins the take, the next ends it
            - record CV and gates beside the sound, and play them back later with a sample player
            """,
        Inputs =
        [
            new PortDescriptor("in1", "Track 1", "What is recorded on track 1.", ChannelRule.Fixed),
            new PortDescriptor("in2", "Track 2", "What is recorded on track 2.", ChannelRule.Fixed),
            new PortDescriptor("in3", "Track 3", "What is recorded on track 3.", ChannelRule.Fixed),
            new PortDescriptor("in4", "Track 4", "What is recorded on track 4.", ChannelRule.Fixed),
            new PortDescriptor("in5", "Track 5", "What is recorded on track 5.", ChannelRule.Fixed),
            new PortDescriptor("in6", "Track 6", "What is recorded on track 6.", ChannelRule.Fixed),
            new PortDescriptor("in7", "Track 7", "What is recorded on track 7.", ChannelRule.Fixed),
            new PortDescriptor("in8", "Track 8", "What is recorded on track 8.", ChannelRule.Fixed),
            new PortDescriptor("gate", "Gate", "Records while it is high, or begins and ends with each pulse.", ChannelRule.Fixed),
        ],
        Outputs = [new PortDescriptor("recording", "Recording", "10 V while it records.", ChannelRule.Fixed)],
        Parameters =
        [
            new ParameterDescriptor("record", "Record", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Records while it is on.", "off", "on"),
            new ParameterDescriptor("mode", "Gate mode", "", 0f, 1f, 0f, ParameterCurve.Stepped, "What a gate does.", "hold", "toggle"),
            new ParameterDescriptor(
                "level", "Level", "dB", -24f, 24f, 0f, ParameterCurve.Linear, "Gain of all tracks on their way into the file."),
        ],
        Settings = [new SettingDescriptor("tracks", "Tracks", 1, Tracks, 2, "How many tracks a file has.")],
        Telemetry =
        [
            new TelemetryDescriptor("takes", TelemetryKind.Recording, RingFloats, "", "The tracks on their way into the file."),
            new TelemetryDescriptor("seconds", TelemetryKind.Value, 1, "s", "Length of the take so far."),
            new TelemetryDescriptor("level", TelemetryKind.Meter, 1, "V", "The loudest track."),
        ],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<float>(Tracks * Limits.MaxQuantum);

    public static void Construct(ref Recorder self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._block = memory.Take<float>(Tracks * Limits.MaxQuantum);
        self._rate = setup.SampleRate;
        self._tracks = setup.Settings[0];
        timing.TailFrames = -1; // silence is recorded, too
    }

    public static void Reset(ref Recorder self)
    {
        (self._first, self._start, self._held, self._take) = (0, 0, 0, 0);
        (self._running, self._toggled) = (false, false);
        self._gate = default;
    }

    public static ProcessResult Process(ref Recorder self, in ProcessContext context)
    {
        // The ring is the module's own to lay out; whoever reads it looks at it only while it has a capacity.
        var ring = (RecordRing*)context.Telemetry;
        if (ring->Capacity != Capacity)
        {
            ring->Channels = self._tracks;
            Volatile.Write(ref ring->Capacity, Capacity);
        }

        // Quanta that were skipped are missing in the file: a block never goes on over them.
        if (self._held > 0 && self._first + (ulong)self._held != context.Time) Push(ref self, ring);

        var loudest = Vector128<float>.Zero;
        var gate = context.In(GateIn);
        var light = context.Out(RecordingOut);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var at = segment * Limits.Grid;
            var armed = context.Param(Arm, segment) >= 0.5f;
            var toggles = context.Param(Mode, segment) >= 0.5f;
            if (!toggles) self._toggled = false;
            var gain = new GridRamp(FastMath.Exp2(context.Param(Level, segment) * DecibelsToOctaves),
                FastMath.Exp2(context.Param(Level, segment + 1) * DecibelsToOctaves));
            var from = 0;
            for (var i = 0; i < Limits.Grid; i++)
            {
                var rose = self._gate.Rises(gate[at + i]);
                if (toggles && rose) self._toggled = !self._toggled;
                var wanted = armed || (toggles ? self._toggled : self._gate.IsHigh);
                if (wanted != self._running)
                {
                    loudest = Vector128.MaxNative(loudest, Take(ref self, ring, in context, at, from, i, in gain));
                    Switch(ref self, ring, context.Time + (ulong)(at + i));
                    from = i;
                }

                light[at + i] = self._running ? Gate : 0f;
            }

            loudest = Vector128.MaxNative(loudest, Take(ref self, ring, in context, at, from, Limits.Grid, in gain));
        }

        context.Telemetry[SecondsAt] = self._running ? (context.Time + (ulong)context.Frames - self._start) / self._rate : 0f;
        context.Telemetry[LevelAt] = MathF.Max(MathF.Max(loudest[0], loudest[1]), MathF.Max(loudest[2], loudest[3]));
        return ProcessResult.Continue;
    }

    // Frames from..to - 1 of a segment, if they are recorded; the largest of them.
    private static Vector128<float> Take(
        ref Recorder self, RecordRing* ring, in ProcessContext context, int at, int from, int to, in GridRamp gain)
    {
        var loudest = Vector128<float>.Zero;
        while (self._running && from < to)
        {
            if (self._held == 0) self._first = context.Time + (ulong)(at + from);
            var count = Math.Min(to - from, Limits.MaxQuantum - self._held);
            for (var track = 0; track < self._tracks; track++)
            {
                var source = context.In(track) + at;
                var target = self._block + (track * Limits.MaxQuantum) + self._held - from;
                var i = from;
                for (; i + 4 <= from + count; i += 4)
                {
                    var four = Vector128.Load(source + i) * gain.Four(i);
                    four.Store(target + i);
                    loudest = Vector128.MaxNative(loudest, Vector128.Abs(four));
                }

                for (; i < from + count; i++)
                {
                    target[i] = source[i] * gain.At(i);
                    loudest = Vector128.MaxNative(loudest, Vector128.CreateScalar(MathF.Abs(target[i])));
                }
            }

            from += count;
            self._held += count;
            if (self._held == Limits.MaxQuantum) Push(ref self, ring);
        }

        return loudest;
    }

    private static void Switch(ref Recorder self, RecordRing* ring, ulong frame)
    {
        if (self._running) Push(ref self, ring);
        else self._take++;
        self._running = !self._running;
        self._start = frame;

        // Whoever reads learns that it is over by an empty block, not by waiting for the next take.
        if (!self._running) PushBlock(ref self, ring, frame, 0);
    }

    private static void Push(ref Recorder self, RecordRing* ring)
    {
        if (self._held > 0) PushBlock(ref self, ring, self._first, self._held);
        self._held = 0;
    }

    // The place is written after it was announced as taken (Head), and before it is announced as ready (Tail): whoever copied it meanwhile
    // sees by Head that it changed under his hands.
    private static void PushBlock(ref Recorder self, RecordRing* ring, ulong first, int frames)
    {
        var tail = ring->Tail;
        Volatile.Write(ref ring->Head, tail + 1);
        Interlocked.MemoryBarrier();
        var block = RecordRing.Block(ring, tail, self._tracks, Capacity);
        *block = new RecordBlock { Frame = first, Frames = frames, Rate = (int)self._rate, Take = self._take };
        var to = (float*)(block + 1);
        for (var track = 0; track < self._tracks; track++)
        {
            var from = self._block + (track * Limits.MaxQuantum);
            for (var i = 0; i < frames; i++) *to++ = from[i];
        }

        Volatile.Write(ref ring->Tail, tail + 1);
    }
}
