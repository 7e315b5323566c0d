// `ssp-engine bench samples`: how many walks of a thread's own stack, asked for by signal while it is inside a module, reach where it began.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Engine.Service;

namespace SspHost.EngineHost.Bench;

internal static unsafe class SampleBench
{
    private const int DefaultPokes = 10_000;

    /// <summary>Runs the benchmark; the process's exit code: 0, 1 where nothing could be measured, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var json = args.Contains("--json");
        var pokes = DefaultPokes;
        var rest = args.Where(a => a != "--json").ToArray();
        if (rest is ["--pokes", var n] && int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out pokes) && pokes is > 0 and <= 1_000_000) rest = [];
        if (rest.Length > 0)
        {
            Console.Error.WriteLine($"bench samples: cannot use '{rest[0]}'");
            Console.Error.WriteLine("usage: ssp-engine bench samples [--pokes N] [--json]");
            return 2;
        }

        CycleClock.Calibrate();
        var registry = new ModuleRegistry().Add<EmptyModule>().Add<BurnModule>();
        var region = Region.Create(Region.MinBytes, DescriptorBlob.Write(registry.Descriptors), "bench", out var error) ?? throw new IOException(error);
        var renderer = new Renderer(region.Map, region.Pool, registry, (float*)region.Silence);
        var playback = new Playback(region, renderer);
        if (renderer.Configure(GraphBenchRig.Rate, GraphBenchRig.Quantum, 1) != ReplyStatus.Ok) return 1;
        var blob = GraphBenchPlan.Voices(1, 24, 8).Compile(GraphBenchRig.Quantum);
        var copy = NativeMemory.AlignedAlloc((nuint)blob.Length, 64);
        blob.CopyTo(new Span<byte>(copy, blob.Length));
        var status = renderer.Install((PlanHeader*)copy, blob.Length, out _);
        NativeMemory.AlignedFree(copy);
        if (status != ReplyStatus.Ok) return Refused("plan", status);
        var config = new AudioConfig
        {
            Card = CardKind.Simulated, Rate = (int)GraphBenchRig.Rate, Quantum = GraphBenchRig.Quantum, Period = GraphBenchRig.Quantum, Periods = 2, Outputs = 2, Threads = 1,
        };
        for (var t = 0; t < Limits.MaxThreads; t++) config.Cores[t] = -1;
        var reply = default(Reply);
        playback.Start(&config, ref reply);
        if (reply.Status != ReplyStatus.Ok) return Refused("start", reply.Status);
        var result = playback.PokeThreads(pokes);
        var stopped = playback.Stop(0);
        BenchFigures.Add("samples.answered", "%", BenchFigures.More, 100.0 * result.Answered / result.Pokes);
        BenchFigures.Add("samples.complete-first", "%", BenchFigures.More, 100.0 * result.First / result.Pokes);
        BenchFigures.Add("samples.complete-any", "%", BenchFigures.More, 100.0 * result.Any / result.Pokes);
        if (json)
        {
            using var stream = Console.OpenStandardOutput();
            using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
            {
                w.WriteStartObject();
                w.WriteString("bench", "samples");
                w.WriteNumber("pokes", result.Pokes);
                w.WriteNumber("answered", result.Answered);
                w.WriteNumber("complete_first", result.First);
                w.WriteNumber("complete_any", result.Any);
                w.WriteEndObject();
            }

            stream.WriteByte((byte)'\n');
        }
        else
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{result.Pokes} pokes inside modules: {result.Answered} answered, complete with one look {100.0 * result.First / result.Pokes:F2} %, with up to three {100.0 * result.Any / result.Pokes:F2} %"));
        }

        return stopped ? 0 : 1;
    }

    private static int Refused(string what, ReplyStatus status)
    {
        Console.Error.WriteLine($"bench samples: {what} refused: {status}");
        return 1;
    }
}
