// Random: a shift register that remembers what it threw; from chaos to a loop by one knob.
using System.Buffers.Binary;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// After the Turing Machine (Whitwell, 2012): a ring of up to 32 bits. At each step the place comes to the next bit, which is turned over
/// with the probability of Change: 0 leaves the loop as it is, 1/2 throws anew, 1 makes a loop of twice the length whose second half is the
/// first one upside down. The voltage reads the bit written last and the seven before it as a binary fraction. A custom event sets bit
/// Index (Value at least 0.5), clears it (below) or turns it over (negative).
/// Saved state, version 1: the bits (uint32), the place (byte), three zeros, the state of the random generator (uint64).
/// </summary>
public unsafe struct RandomRegister : IModule<RandomRegister>, IEventFrames
{
    private const int ClockIn = 0, ResetIn = 1, ChangeIn = 2;
    private const int Out = 0, Bipolar = 1, Pulse = 2, Gates = 3, GateCount = 4;
    private const int Change = 0, Length = 1, Range = 2, Rate = 3;
    private const int Longest = 32;
    private const int Saved = 16;

    private Xorshift _random;
    private ulong _seed;
    private StepClock _clock;
    private SchmittTrigger _reset;
    private uint _bits;
    private int _place;

    public static ModuleDescriptor Describe()
    {
        var outputs = new PortDescriptor[Gates + GateCount];
        outputs[Out] = new PortDescriptor("out", "Out", "The random voltage, 0 V to the range.", ChannelRule.Fixed);
        outputs[Bipolar] = new PortDescriptor("bipolar", "Bipolar", "The same around 0 V, half the range to each side.", ChannelRule.Fixed);
        outputs[Pulse] = new PortDescriptor("pulse", "Pulse", "The clock, but only on steps whose bit is set.", ChannelRule.Fixed);
        for (var i = 0; i < GateCount; i++)
            outputs[Gates + i] = new PortDescriptor($"gate{i + 1}", $"Gate {i + 1}",
                i == 0 ? "High while the newest bit is set." : $"High while the bit {i} steps ago is set.", ChannelRule.Fixed);
        return new ModuleDescriptor
        {
            Id = "random",
            Name = "Random",
            Family = "Modulation",
            Text = "Random voltages and rhythms that can be caught in a loop, and let go again.",
            Help = """
                A ring of bits goes round, one place at each clock. The last eight of them, read as a number, are the voltage; some of
                them, as they are, the gates. Change decides what becomes of a bit as it passes: at 0 it stays, and what you hear is a
                loop of Length steps; in the middle each is thrown anew and nothing ever comes back; in between a loop slowly turns into
                another. At 1 every bit is turned over each time: a loop of twice the length.

                So turn Change up until you hear something you like, and then down to 0. Saved with the patch, the loop will be
                there tomorrow. Reset starts a locked loop from its beginning.

                - Unpatched, it steps at its own Rate.
                - Pulse gives the clock on the steps whose bit is set: a rhythm that belongs to the melody.

                Try: a clock into Clock, Out through a quantizer into the pitch of an oscillator, Pulse into its envelope. Length 8
                or 16 for something to nod to, 5 or 7 against a drum in four.
                """,
            Inputs =
            [
                new PortDescriptor("clock", "Clock", "Each rise goes one step further.", ChannelRule.Fixed),
                new PortDescriptor("reset", "Reset", "After a rise the next step is the first of the loop.", ChannelRule.Fixed),
                new PortDescriptor("change", "Change CV", "Adds to Change: 10 V is all of it.", ChannelRule.Fixed),
            ],
            Outputs = outputs,
            Parameters =
            [
                new ParameterDescriptor("change", "Change", "", 0f, 1f, 0.1f, ParameterCurve.Linear,
                    "How likely a bit is turned over: 0 locks the loop, 0.5 is chance, 1 doubles the loop."),
                new ParameterDescriptor("length", "Length", "", 1f, Longest, 8f, ParameterCurve.Stepped, "Steps of the loop."),
                new ParameterDescriptor("range", "Range", "V", 0f, 10f, 5f, ParameterCurve.Linear, "The largest voltage."),
                new ParameterDescriptor("rate", "Rate", "Hz", 0.05f, 50f, 4f, ParameterCurve.Exponential,
                    "Steps a second while nothing is patched into Clock."),
            ],
            Telemetry = [new TelemetryDescriptor("step", TelemetryKind.Step, 1, "", "The place in the loop.")],
            StateBytes = Saved,
            AcceptsEvents = true,
        };
    }

    public static void Construct(ref RandomRegister self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._seed = setup.Seed;
        timing.TailFrames = -1;
        Reset(ref self);
    }

    public static void Reset(ref RandomRegister self)
    {
        var seed = self._seed;
        self = default;
        self._seed = seed;
        self._random = new Xorshift(seed);
        self._bits = (uint)(self._random.Next() >> 32);
        self._clock.Rewind();
        self._place = -1;
    }

    public static int SaveState(ref RandomRegister self, Span<byte> state)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(state, self._bits);
        BinaryPrimitives.WriteUInt32LittleEndian(state[4..], (byte)self._place);
        BinaryPrimitives.WriteUInt64LittleEndian(state[8..], self._random.State);
        return Saved;
    }

    public static bool LoadState(ref RandomRegister self, uint version, ReadOnlySpan<byte> state)
    {
        if (state.IsEmpty) return true;
        if (version != 1 || state.Length != Saved) return false;
        var place = (sbyte)state[4];
        var random = BinaryPrimitives.ReadUInt64LittleEndian(state[8..]);
        if (place is < -1 or >= Longest || state[5] != 0 || state[6] != 0 || state[7] != 0 || random == 0) return false;
        self._bits = BinaryPrimitives.ReadUInt32LittleEndian(state);
        self._place = place;
        self._random.State = random;
        return true;
    }

    public static ProcessResult Process(ref RandomRegister self, in ProcessContext context)
    {
        EventFrames.Play(ref self, in context);
        context.Telemetry[0] = Math.Max(self._place, 0);
        return ProcessResult.Continue;
    }

    void IEventFrames.Take(in ModuleEvent e, in ProcessContext context)
    {
        var patched = context.Inputs[ClockIn].Connected;
        if (e.Kind == EventKind.Custom && e.Index is >= 0 and < Longest)
        {
            var bit = 1u << e.Index;
            if (e.Value < 0f) _bits ^= bit;
            else if (e.Value >= 0.5f) _bits |= bit;
            else _bits &= ~bit;
        }
        else if (_clock.Take(in e, patched))
        {
            _place = -1;
        }
    }

    void IEventFrames.Frame(in ProcessContext context, int segment, int frame)
    {
        if (_reset.Rises(context.In(ResetIn)[frame]))
        {
            _place = -1;
            _clock.Rewind();
        }

        var length = (int)(context.Param(Length, segment) + 0.5f);
        var patched = context.Inputs[ClockIn].Connected;
        if (_clock.Next(context.In(ClockIn)[frame], patched, context.SampleRate / (double)context.Param(Rate, segment)))
        {
            _place = _place + 1 < length ? _place + 1 : 0;
            var change = context.Param(Change, segment) + (0.1f * context.In(ChangeIn)[frame]);
            if (_random.NextUnipolar() < change) _bits ^= 1u << _place;
        }

        var place = Math.Max(_place, 0);
        var at = frame & (Limits.Grid - 1);
        var range = new GridRamp(in context, Range, segment).At(at);
        var value = Read(place, length, 8) * (1f / 255f);
        context.Out(Out)[frame] = range * value;
        context.Out(Bipolar)[frame] = range * (value - 0.5f);
        var newest = Read(place, length, GateCount);
        context.Out(Pulse)[frame] = TriggerPulse.Gate((newest & (1 << (GateCount - 1))) != 0 && _place >= 0 && _clock.IsHigh);
        for (var i = 0; i < GateCount; i++)
            context.Out(Gates + i)[frame] = TriggerPulse.Gate((newest >> (GateCount - 1 - i) & 1) != 0);
    }

    // The bit at the place is the highest, the ones before it follow; a loop that is shorter is read round and round.
    private readonly int Read(int place, int length, int count)
    {
        var value = 0;
        if (place >= length) place = length - 1;
        for (var i = 0; i < count; i++)
        {
            value = (value << 1) | (int)(_bits >> place & 1);
            place = place == 0 ? length - 1 : place - 1;
        }

        return value;
    }
}
