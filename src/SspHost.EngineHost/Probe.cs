// ssp-engine probe FILE: a library of modules tried out in a process that may die of it. What it says last is where it was.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Loading;

namespace SspHost.EngineHost;

/// <summary>
/// Opens it, reads its descriptors, makes each module once and plays it for a moment. Prints where it is, line by line, and at the end one line of
/// JSON: {"ok":true,"runtime":false,"descriptors":BASE64} or {"ok":false,"refusal":TEXT}.
/// </summary>
internal static unsafe class Probe
{
    private const int Quanta = 64;
    private const long Most = 1L << 30;

    private static int Rate { get; set; } = 48_000;

    private static int Quantum { get; set; } = 32;

    public static int Run(string[] args)
    {
        var lv2 = args is ["--lv2", ..];
        if (lv2 ? !TryAudio(args[1..]) : args is not [_] and not [_, _])
        {
            Console.Error.WriteLine("usage: ssp-engine probe FILE [NAME] | --lv2 FILE RATE QUANTUM      NAME: what the library is called in its descriptors");
            return 2;
        }

        Stage("loading");
        var library = lv2 ? Lv2File.Open(args[1], out var refusal) : OpenLibrary.Open(args[0], args[^1], out refusal);
        for (var i = 0; library != null && i < library.Entries.Count; i++)
        {
            if (Try(library.Descriptors[i], library.Entries[i]) is not { } wrong) continue;
            refusal = $"module {i} ('{library.Descriptors[i].Id}'): {wrong}";
            library = null;
        }

        if (lv2 && library != null) Trial.Run(library, Rate, Quantum, Stage);
        Stage("done");
        using var stream = new MemoryStream();
        using (var w = new Utf8JsonWriter(stream))
        {
            w.WriteStartObject();
            w.WriteBoolean("ok", library != null);
            if (library == null)
            {
                w.WriteString("refusal", refusal);
            }
            else
            {
                w.WriteBoolean("runtime", library.HasRuntime);
                w.WriteBase64String("descriptors", library.Blob);
            }

            w.WriteEndObject();
        }

        Console.WriteLine(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
        return library == null ? 1 : 0;
    }

    private static bool TryAudio(string[] args)
    {
        if (args is not [_, var rate, var quantum] || !int.TryParse(rate, CultureInfo.InvariantCulture, out var r) || !int.TryParse(quantum, CultureInfo.InvariantCulture, out var q)) return false;
        (Rate, Quantum) = (r, q);
        return r is >= 8000 and <= 768_000 && q is >= 16 and <= Limits.MaxQuantum && int.IsPow2(q);
    }

    // Flushed each time: it may be the last one.
    private static void Stage(string text)
    {
        Console.Out.WriteLine(text);
        Console.Out.Flush();
    }

    private static string? Try(ModuleDescriptor d, ModuleEntry entry)
    {
        Stage($"making '{d.Id}'");
        var settings = (int*)Zeroed(Math.Max(1, d.Settings.Count) * sizeof(int));
        for (var i = 0; i < d.Settings.Count; i++) settings[i] = d.Settings[i].Default;
        var shared = entry.SharedBytes(entry.Context, Rate);
        if (shared is < 0 or > Most) return $"shared_bytes answers {shared} bytes";
        var setup = new InstanceSetup { SampleRate = Rate, Quantum = Quantum, Settings = settings, Seed = 1, Shared = shared == 0 ? null : Zeroed(shared) };
        if (shared > 0) entry.BuildShared(entry.Context, setup.Shared, Rate);
        Requirements need = default;
        entry.Require(entry.Context, &setup, &need);
        if (need.Bytes is < 0 or > Most) return $"instance_bytes answers {need.Bytes} bytes";
        var self = Zeroed(entry.Size);
        var memory = new InstanceMemory((byte*)Zeroed(need.Bytes), need.Bytes);
        ModuleTiming timing = default;
        entry.Construct(entry.Context, self, &setup, &memory, &timing);
        if (memory.Overdrawn) return "instance_bytes answers more at its second call with the same setup";
        if (timing.LatencyFrames < 0 || timing.TailFrames < -1) return OpenLibrary.Lv2Failure is { Length: > 0 } said ? said : "construct fails with the default settings, or declares a latency or tail that is none";

        Stage($"playing '{d.Id}'");
        var wrong = Play(d, entry, self, settings);
        Stage($"saving and loading the state of '{d.Id}'");
        var state = (byte*)Zeroed(Math.Max(1, d.StateBytes));
        var bytes = entry.SaveState(self, state, d.StateBytes);
        if (bytes < 0 || bytes > d.StateBytes) wrong ??= $"save_state answers {bytes} bytes, of at most {d.StateBytes}";
        else if (!entry.LoadState(self, d.Version, state, bytes)) wrong ??= "load_state refuses what save_state wrote";
        Stage($"ending '{d.Id}'");
        entry.Reset(self);
        if (entry.Destroy != null) entry.Destroy(self);
        return wrong;
    }

    // Sines in, knobs where they are at first.
    private static string? Play(ModuleDescriptor d, ModuleEntry entry, void* self, int* settings)
    {
        const int Floats = Limits.MaxQuantum;
        var inputs = (Signal*)Zeroed(Math.Max(1, d.Inputs.Count) * sizeof(Signal));
        var outputs = (Signal*)Zeroed(Math.Max(1, d.Outputs.Count) * sizeof(Signal));
        for (var i = 0; i < d.Inputs.Count; i++) inputs[i] = new Signal { Data = (float*)Zeroed(Floats * sizeof(float)), Channels = 1, Stride = Floats, Flags = SignalFlags.Connected };
        for (var o = 0; o < d.Outputs.Count; o++)
        {
            var channels = d.Outputs[o].Rule switch
            {
                ChannelRule.Fixed => d.Outputs[o].Channels,
                ChannelRule.Follow => 1,
                _ => settings[d.Outputs[o].Channels],
            };
            outputs[o] = new Signal { Data = (float*)Zeroed(channels * Floats * sizeof(float)), Channels = channels, Stride = Floats, Flags = SignalFlags.Connected };
        }

        var parameters = (float*)Zeroed(Math.Max(1, d.Parameters.Count) * Limits.GridPoints * sizeof(float));
        for (var p = 0; p < d.Parameters.Count; p++) new Span<float>(parameters + (p * Limits.GridPoints), Limits.GridPoints).Fill(d.Parameters[p].Default);
        var context = new ProcessContext
        {
            Inputs = inputs, Outputs = outputs, Params = parameters, Frames = Quantum, SampleRate = Rate, Key = 1,
            Telemetry = (float*)Zeroed(Math.Max(1, d.TelemetryFloats) * sizeof(float)),
            Assets = (Asset**)Zeroed(Limits.MaxAssets * sizeof(nint)),
            Job = (WorkJob*)Zeroed(sizeof(WorkJob)),
            Silence = (float*)Zeroed(Limits.MaxChannels * Floats * sizeof(float)),
            WorkPending = (ulong*)Zeroed(Limits.MaxInstances / 8),
        };
        string? wrong = null;
        for (var q = 0; q < Quanta && wrong == null; q++)
        {
            for (var i = 0; i < d.Inputs.Count; i++)
                for (var f = 0; f < Quantum; f++) inputs[i].Data[f] = 5 * MathF.Sin((((q * Quantum) + f) * 0.05f) + i);
            context.Time = (ulong)(q * Quantum);
            var result = entry.Process(self, &context);
            if (result is < ProcessResult.Continue or > ProcessResult.Error) wrong = $"process answers {(int)result}, expected CONTINUE, SLEEP or ERROR";
            if (context.Job->State == (int)WorkState.Requested)
            {
                context.Job->State = (int)WorkState.Running;
                entry.Work(self, context.Job);
                context.Job->State = (int)WorkState.Replied;
            }
        }

        return wrong;
    }

    // Given back when the process ends.
    private static void* Zeroed(long bytes)
    {
        var block = NativeMemory.AlignedAlloc((nuint)Math.Max(64, bytes), 64);
        NativeMemory.Clear(block, (nuint)Math.Max(64, bytes));
        return block;
    }
}
