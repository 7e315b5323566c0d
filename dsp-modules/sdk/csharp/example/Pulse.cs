// Pulse: a complete module in C#, to be read and copied. A tremolo whose phase is a function of time, so that it sleeps as if it had been awake.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace Example;

/// <summary>Loudness that comes and goes like a wave, for up to sixteen voices.</summary>
public unsafe struct Pulse : IModule<Pulse>
{
    private const int In = 0, Out = 0, Depth = 0;

    private int _beats; // whole quanta of sound so far: what a rebuilt library goes on from
    private int _period;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "example-pulse",
        Name = "Pulse",
        Family = "Dynamics",
        Text = "A tremolo: the loudness comes and goes five times a second.",
        Help = """
            Turns the loudness of every voice up and down along a raised cosine, five times a second, as the tremolo of an amplifier does. It knows
            no clock and needs none: the phase follows the time of the engine, so two of them always beat together.

            Try it behind an organ-like sound with the depth at a half, then turn it up until the sound is gone at each low point.
            """.ReplaceLineEndings("\n").Trim(),
        Inputs = [new PortDescriptor("in", "In", "Sound to be moved.")],
        Outputs = [new PortDescriptor("out", "Out", "The sound, louder and softer.")],
        Parameters = [new ParameterDescriptor("depth", "Depth", "", 0f, 1f, 0.5f, ParameterCurve.Linear, "How far it goes down: at 1 to silence.")],
        StateBytes = sizeof(int),
    };

    public static void Construct(ref Pulse self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) =>
        self._period = (int)(setup.SampleRate / 5);

    public static void Reset(ref Pulse self) => self._beats = 0;

    // [audio-thread]: no allocation, no lock, no exception; pointers, because a span's checks could throw.
    public static ProcessResult Process(ref Pulse self, in ProcessContext context)
    {
        var channels = context.Outputs[Out].Channels;
        if (context.Inputs[In].Silent)
        {
            for (var v = 0; v < channels; v++) NativeMemory.Clear(context.Out(Out, v), (nuint)context.Frames * sizeof(float));
            return ProcessResult.Sleep;
        }

        self._beats = (self._beats + 1) & 0xFFFF;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var (at, depth) = (segment * Limits.Grid, context.Param(Depth, segment));
            var step = (context.Param(Depth, segment + 1) - depth) / Limits.Grid;
            for (var i = 0; i < Limits.Grid; i++)
            {
                var phase = (int)((context.Time + (ulong)(at + i)) % (ulong)Math.Max(1, self._period)) / (float)self._period;
                var gain = 1f - ((depth + (step * i)) * (0.5f - (0.5f * MathF.Cos(MathF.Tau * phase))));
                for (var v = 0; v < channels; v++) context.Out(Out, v)[at + i] = context.In(In, v)[at + i] * gain;
            }
        }

        return ProcessResult.Continue;
    }

    public static int SaveState(ref Pulse self, Span<byte> state) => MemoryMarshal.TryWrite(state, in self._beats) ? sizeof(int) : 0;

    public static bool LoadState(ref Pulse self, uint version, ReadOnlySpan<byte> state)
    {
        if (version != 1 || state.Length != sizeof(int)) return false;
        var beats = MemoryMarshal.Read<int>(state);
        if (beats is < 0 or > 0xFFFF) return false;
        self._beats = beats;
        return true;
    }
}
