// Our modules beside the same algorithms in other languages, turn by turn in one run: ratios, and what each leaves of aliases.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Engine.Graph;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>One comparison.</summary>
/// <param name="Case">What is done.</param>
/// <param name="Voices">How many times at once.</param>
/// <param name="Peer">Who else does it.</param>
/// <param name="Ours">Our ns per frame, all voices together.</param>
/// <param name="Theirs">The peer's.</param>
/// <param name="Ratio">Median of ours over theirs, turn by turn; at most 0.9 is wanted.</param>
/// <param name="OurAlias">Strongest audible alias in dB below the fundamental, or null where there are none by nature.</param>
/// <param name="TheirAlias">The peer's.</param>
internal sealed record PeerFigure(string Case, int Voices, string Peer, double Ours, double Theirs, double Ratio, double? OurAlias, double? TheirAlias);

/// <summary>Peers come from libraries (tests/Peers); what is compared with which of our modules stands here.</summary>
internal static unsafe class PeerBench
{
    public const double Wanted = 0.9;
    private const int Quantum = 64; // SuperCollider's own block
    private const int SilentTurns = 4;

    // Bins of AliasFigure.Frames: 1.2, 2 and 5 kHz driven hard for what distorts, 1.2, 5 and 9.4 kHz for what oscillates.
    private static readonly int[] Driven = [410, 682, 1706], Played = [410, 1707, 3203];

    // What distorts is asked for aliases at four times the level it is timed with.
    private const float Hard = 20f;

    private static readonly string[] None = [];

    private static readonly PeerCase[] Cases =
    [
        new("svf", "svf", ["in"], ["low", "band", "high", "notch", "peak"], Driven),
        new("svf, cutoff modulated", "svf", ["in", "pitch"], ["low", "band", "high", "notch", "peak"], null),
        new("ladder", "ladder", ["in"], ["out"], Driven),
        new("ladder, cutoff modulated", "ladder", ["in", "cutoff"], ["out"], null),
        new("saw", "vco", None, ["saw"], Played),
        new("saw, pitch modulated", "vco", ["pitch"], ["saw"], null) { Signal = (_, channel, frame) => Sound(1, channel, frame) },
        new("fdn reverb", "reverb", ["left", "right"], ["left", "right"], null),
        new("delay", "delay", ["in"], ["out"], null),
        new("compressor", "compressor", ["left", "right"], ["left", "right"], null),
    ];

    private const float Volts = 0.7f; // 425 Hz

    private sealed record PeerCase(string Name, string Module, string[] Inputs, string[] Outputs, int[]? Tones)
    {
        public Func<int, int, int, float> Signal { get; init; } = Sound;
    }

    /// <summary>Runs every case (or those of module <paramref name="only"/>) that a library has a peer for; null, or what is wrong with a
    /// library.</summary>
    public static string? Run(ModuleRegistry registry, IReadOnlyList<string> libraries, string? only, bool quick, List<PeerFigure> figures)
    {
        var tables = new List<nint>();
        foreach (var path in libraries)
        {
            if (Peer.Load(path, out var error) is not { } more) return error;
            tables.AddRange(more);
        }

        foreach (var c in Cases.Where(c => only == null || c.Module == only))
        {
            var module = registry.Descriptors.ToList().FindIndex(d => d.Id == c.Module);
            if (module < 0) continue;
            var shared = ModuleBench.Shared(registry.Entries[module]);
            foreach (var voices in new[] { 1, 4 })
            {
                var peers = tables.FindAll(t => Text(((PeerTable*)t)->Algorithm) == c.Name && ((PeerTable*)t)->Voices == voices);
                if (peers.Count > 0) Compare(registry, module, shared, c, voices, peers, quick ? 9 : 31, figures);
            }

            NativeMemory.AlignedFree(shared);
        }

        return null;
    }

    private static void Compare(
        ModuleRegistry registry, int module, void* shared, PeerCase c, int voices, List<nint> tables, int turns, List<PeerFigure> figures)
    {
        const int Quanta = 256;
        var setup = new ModuleBenchSetup(module, Quantum, voices) { Inputs = c.Inputs, Outputs = c.Outputs, Signal = c.Signal, Values = new Dictionary<string, float> { ["pitch"] = Volts } };
        using var ours = new ModuleBenchRig(registry, setup, shared);
        var peers = tables.Select(t => new Peer((PeerTable*)t, Quantum, Volts)).ToList();
        var inputs = Inputs(tables.Max(t => ((PeerTable*)t)->Inputs), voices, c.Signal);
        var mine = new double[turns];
        var theirs = peers.Select(_ => new double[turns]).ToArray();
        for (var turn = -SilentTurns; turn < turns; turn++)
        {
            var start = CycleClock.Now();
            for (var q = 0; q < Quanta; q++)
            {
                ours.Prepare();
                _ = ours.Run();
            }

            if (turn >= 0) mine[turn] = PerFrame(start, Quanta);
            for (var p = 0; p < peers.Count; p++)
            {
                start = CycleClock.Now();
                for (var q = 0; q < Quanta; q++) peers[p].Run(inputs + (q * Quantum & (ModuleBenchRig.InputFrames - 1)));
                if (turn >= 0) theirs[p][turn] = PerFrame(start, Quanta);
            }
        }

        var ourAlias = voices == 1 ? c.Tones?.Max(tone => OurAlias(registry, module, shared, c, tone)) : null;
        for (var p = 0; p < peers.Count; p++)
        {
            var table = (PeerTable*)tables[p];
            var ratio = GraphFigure.Of([.. mine.Zip(theirs[p], (a, b) => a / b)]).P50;
            var alias = ourAlias != null ? c.Tones!.Max(tone => TheirAlias(table, tone)) : (double?)null;
            figures.Add(new PeerFigure(c.Name, voices, Text(table->Maker), GraphFigure.Of([.. mine]).P50, GraphFigure.Of([.. theirs[p]]).P50, ratio, ourAlias, alias));
            peers[p].Dispose();
        }

        NativeMemory.AlignedFree(inputs);
    }

    private static double PerFrame(ulong start, int quanta) => CycleClock.ToNanoseconds(CycleClock.Now() - start) / (double)(quanta * Quantum);

    // The first input of a voice is a sound of 5 V, the second a control voltage of 1 V that moves as fast as a low note.
    private static float Sound(int port, int channel, int frame)
    {
        var turn = 2f * MathF.PI * frame / ModuleBenchRig.InputFrames;
        return port == 0 ? (4f * MathF.Sin(turn * (37 + channel))) + MathF.Sin(turn * (613 + channel)) : MathF.Sin(turn * (21 + channel));
    }

    private static float Tone(int tone, int frame) => Hard * MathF.Sin(2f * MathF.PI * (frame * (long)tone % AliasFigure.Frames) / AliasFigure.Frames);

    private static float* Inputs(int count, int voices, Func<int, int, int, float> signal)
    {
        var inputs = (float*)NativeMemory.AlignedAlloc((nuint)(Math.Max(count, 1) * ModuleBenchRig.InputFrames * sizeof(float)), 64);
        var ports = Math.Max(count / voices, 1);
        for (var i = 0; i < count; i++)
        {
            for (var f = 0; f < ModuleBenchRig.InputFrames; f++) inputs[(i * ModuleBenchRig.InputFrames) + f] = signal(i % ports, i / ports, f);
        }

        return inputs;
    }

    // An even number of periods of the tone fits into the frames, so it fits into the half of them that the inputs hold.
    private static double OurAlias(ModuleRegistry registry, int module, void* shared, PeerCase c, int tone)
    {
        var volts = MathF.Log2(tone * (ModuleBenchRig.Rate / (float)AliasFigure.Frames) / 261.6256f);
        using var rig = new ModuleBenchRig(registry, new ModuleBenchSetup(module, Quantum, 1)
        {
            Inputs = c.Inputs,
            Outputs = c.Outputs,
            Signal = (_, _, frame) => Tone(tone, frame),
            Values = new Dictionary<string, float> { ["pitch"] = volts },
        }, shared);
        var port = registry.Descriptors[module].Outputs.ToList().FindIndex(o => o.Id == c.Outputs[0]);
        var samples = new float[AliasFigure.Frames];
        for (var at = -AliasFigure.Frames; at < AliasFigure.Frames; at += Quantum)
        {
            rig.Prepare();
            _ = rig.Run();
            if (at >= 0) new Span<float>(rig.Output(port, 0), Quantum).CopyTo(samples.AsSpan(at));
        }

        return AliasFigure.Of(samples, tone);
    }

    private static double TheirAlias(PeerTable* table, int tone)
    {
        using var peer = new Peer(table, Quantum, MathF.Log2(tone * (ModuleBenchRig.Rate / (float)AliasFigure.Frames) / 261.6256f));
        var inputs = Inputs(table->Inputs, 1, (_, _, frame) => Tone(tone, frame));
        var samples = new float[AliasFigure.Frames];
        for (var at = -AliasFigure.Frames; at < AliasFigure.Frames; at += Quantum)
        {
            peer.Run(inputs + (at & (ModuleBenchRig.InputFrames - 1)));
            if (at >= 0) new Span<float>(peer.Output, Quantum).CopyTo(samples.AsSpan(at));
        }

        NativeMemory.AlignedFree(inputs);
        return AliasFigure.Of(samples, tone);
    }

    private static string Text(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8) ?? "";

    /// <summary>The table for people; nothing where nothing was compared.</summary>
    public static void WriteTable(List<PeerFigure> figures)
    {
        if (figures.Count == 0) return;
        Console.WriteLine();
        Console.WriteLine($"ns per frame beside the same algorithm elsewhere, quantum {Quantum}; ratio to reach: at most {Wanted.ToString(CultureInfo.InvariantCulture)}; strongest alias in dB below the fundamental (filters: of {Hard:0} V)");
        Console.WriteLine($"{"",-26}{"voices",7}{"ours",9}{"theirs",9}{"ratio",8}{"our alias",11}{"theirs",8}  peer");
        foreach (var f in figures)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{f.Case,-26}{f.Voices,7}{f.Ours,9:0.00}{f.Theirs,9:0.00}{f.Ratio,8:0.00}{Alias(f.OurAlias),11}{Alias(f.TheirAlias),8}  {f.Peer}{(f.Ratio > Wanted ? "  NOT reached" : "")}"));
        }
    }

    private static string Alias(double? alias) => alias is { } dB ? dB.ToString("0.0", CultureInfo.InvariantCulture) : "-";

    /// <summary>The same for programs.</summary>
    public static void WriteJson(Utf8JsonWriter w, List<PeerFigure> figures)
    {
        w.WriteStartArray("peers");
        foreach (var f in figures)
        {
            w.WriteStartObject();
            w.WriteString("case", f.Case);
            w.WriteNumber("voices", f.Voices);
            w.WriteString("peer", f.Peer);
            w.WriteNumber("ours_ns_per_frame", Math.Round(f.Ours, 3));
            w.WriteNumber("theirs_ns_per_frame", Math.Round(f.Theirs, 3));
            w.WriteNumber("ratio", Math.Round(f.Ratio, 3));
            if (f.OurAlias is { } ours) w.WriteNumber("our_alias_db", Math.Round(ours, 1));
            if (f.TheirAlias is { } theirs) w.WriteNumber("their_alias_db", Math.Round(theirs, 1));
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }
}
