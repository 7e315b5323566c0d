// One round trip after the other: the real audio loop over a card, with bursts in place of a patch.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.EngineHost.Bench;

/// <summary>What is to be measured. Jacks from 0; an empty device is the simulated card.</summary>
internal sealed class LatencySetup
{
    public string Device { get; set; } = "";

    public string Capture { get; set; } = "";

    public int Out { get; set; }

    public int In { get; set; }

    public int Rate { get; set; }

    public int Periods { get; set; }

    /// <summary>Frames that the simulated card's cable takes.</summary>
    public int Cable { get; set; }

    public int Bursts { get; set; }

    public int[] Sizes { get; set; } = [16, 32, 64, 128, 256];

    public int[] Quanta { get; set; } = [16, 32, 64, 128, 256];
}

internal static unsafe class LatencyRun
{
    private const ulong PatienceNs = 10_000_000_000; // beyond the time it takes: a card that stands still is given up

    public static List<LatencyRow> All(LatencySetup setup)
    {
        var rows = new List<LatencyRow>();
        using var rig = new GraphBenchRig(); // its region has what a loop writes to
        rig.Configure();
        foreach (var period in setup.Sizes)
            foreach (var quantum in setup.Quanta) rows.Add(One(rig, setup, period, quantum));
        return rows;
    }

    private static LatencyRow One(GraphBenchRig rig, LatencySetup setup, int period, int quantum)
    {
        var alsa = setup.Device.Length > 0;
        var config = new AudioConfig
        {
            Card = alsa ? CardKind.Alsa : CardKind.Simulated, Rate = setup.Rate, Quantum = quantum, Period = period, Periods = setup.Periods, Threads = 1,
            Inputs = alsa ? setup.In + 1 : 1, Outputs = alsa ? setup.Out + 1 : 1,
        };
        var frames = LatencyQuantum.Lead + ((long)(setup.Bursts + 1) * LatencyQuantum.Gap);
        var cable = (float*)NativeMemory.AllocZeroed((nuint)(frames + setup.Cable), sizeof(float));
        try
        {
            if (!alsa)
            {
                // Both ends of the cable are one piece of memory; what is played a cable's length later is what is heard.
                var jacks = new SimulatedJacks { Source = cable, Played = cable + setup.Cable, Frames = frames };
                return Play(rig, setup, config, frames, new SimulatedCard<MonotonicClock>(default, config, jacks), 0, 0);
            }

            Encoding.UTF8.GetBytes(setup.Device).CopyTo(new Span<byte>(config.Device, AudioConfig.DeviceBytes - 1));
            Encoding.UTF8.GetBytes(setup.Capture).CopyTo(new Span<byte>(config.CaptureDevice, AudioConfig.DeviceBytes - 1));
            var error = AlsaCard.Open(&config, out var card, out var step);
            if (error != 0) return Refused(config, step == AlsaStep.Library ? "libasound is not installed (Debian: apt-get install libasound2)" : $"the card is not to be had: errno {error} at {step}");
            var row = card.Facts.Inputs <= setup.In || card.Facts.Outputs <= setup.Out
                ? Refused(config, $"the card has {card.Facts.Outputs} outputs and {card.Facts.Inputs} inputs")
                : card.Facts.Rate != setup.Rate ? Refused(config, $"the card runs at {card.Facts.Rate} Hz") : Play(rig, setup, config, frames, card, setup.Out, setup.In);
            card.Close();
            return row;
        }
        finally
        {
            NativeMemory.Free(cable);
        }
    }

    private static LatencyRow Refused(in AudioConfig config, string why) => new(config.Period, config.Quantum, why, 0, 0, double.NaN, 0, 0, 0);

    private static LatencyRow Play<TCard>(GraphBenchRig rig, LatencySetup setup, AudioConfig config, long frames, TCard card, int output, int input) where TCard : unmanaged, ICard
    {
        var facts = card.Facts;
        var heard = (float*)NativeMemory.AllocZeroed((nuint)frames, sizeof(float));
        var signs = stackalloc float[LatencyQuantum.Burst];
        var random = new Random(1);
        for (var i = 0; i < LatencyQuantum.Burst; i++) signs[i] = random.Next(2) == 0 ? -1 : 1;
        var bytes = AudioLoop.BufferBytes + sizeof(AudioLoop<TCard, LatencyQuantum>) + sizeof(LatencyQuantum) + 256;
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(memory, bytes).Clear();
        var loop = (AudioLoop<TCard, LatencyQuantum>*)(memory + AudioLoop.BufferBytes);
        var render = (LatencyQuantum*)(loop + 1);
        *render = new LatencyQuantum { Signs = signs, Heard = heard, Frames = frames, Out = output, In = input, Quantum = config.Quantum };
        var before = Lost(rig);
        *loop = new AudioLoop<TCard, LatencyQuantum>(card, render, rig.Loop(config.Quantum, memory));
        var end = AudioEnd.None;
        var until = Linux.Now() + ((ulong)frames * 1_000_000_000 / (ulong)config.Rate) + PatienceNs;
        _ = GraphBenchRig.On(0, 1, () => end = Serve(loop, render, (ulong)frames, until));
        var found = new List<double>();
        for (var b = 0; b < setup.Bursts; b++)
        {
            var at = LatencyQuantum.Lead + ((long)b * LatencyQuantum.Gap);
            if (LatencyFinder.Find(new ReadOnlySpan<float>(heard + at, LatencyQuantum.Gap), new ReadOnlySpan<float>(signs, LatencyQuantum.Burst)) is >= 0 and var lag) found.Add(lag);
        }

        found.Sort();
        NativeMemory.Free(heard);
        NativeMemory.AlignedFree(memory);
        var refused = end != AudioEnd.Stopped ? $"the card ended: {end}" : found.Count == 0 ? "no burst came back: is there a cable?" : "";
        var median = found.Count > 0 ? (found[(found.Count - 1) / 2] + found[found.Count / 2]) / 2 : double.NaN;
        return new LatencyRow(config.Period, config.Quantum, refused, facts.Period, facts.BufferFrames, median, found.Count, setup.Bursts, Lost(rig) - before);
    }

    private static AudioEnd Serve<TCard>(AudioLoop<TCard, LatencyQuantum>* loop, LatencyQuantum* render, ulong frames, ulong until) where TCard : unmanaged, ICard
    {
        if (!loop->Begin()) return loop->End;
        var asked = false;
        while (loop->Step())
        {
            if (asked || (render->Next < frames && Linux.Now() < until)) continue;
            asked = true;
            loop->RequestStop(0);
        }

        return loop->End;
    }

    private static ulong Lost(GraphBenchRig rig) => rig.Map.AudioStatus->TryRead(out var status) ? status.LostFrames : 0;
}
