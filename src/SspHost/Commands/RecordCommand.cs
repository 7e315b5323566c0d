// ssp record: what the jacks of a running host carry, into a WAV file.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Recording;

namespace SspHost.Commands;

internal static class RecordCommand
{
    private const int TickMs = 50;

    public static Command Build()
    {
        var file = Flags.NoFlag(new Argument<string>("file") { Description = "WAV file to write: float, full scale 10 V." });
        var seconds = new Option<double>("--seconds") { Description = "Length; without it, until Ctrl-C.", HelpName = "S" };
        seconds.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && (!double.TryParse(r.Tokens[^1].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var s) || s is not (> 0 and <= 86_400)))
                r.AddError($"--seconds: expected more than 0 and at most 86400, not '{PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        var outputs = Jacks("--outputs", "Output jacks, as 1,2 or 1-8. Without any jack: outputs 1 and 2.");
        var inputs = Jacks("--inputs", "Input jacks, likewise; they follow the outputs.");
        var json = new Option<bool>("--json") { Description = "What came of it as one JSON object." };
        var command = new Command("record", "Record jacks while a patch plays. Lost frames become silence of their length, with a marker that says why.") { file, seconds, outputs, inputs, json };
        command.SetAction(r => Run(Path.GetFullPath(r.GetValue(file)!), r.GetValue(seconds), Parse(r.GetValue(outputs)), Parse(r.GetValue(inputs)), r.GetValue(json)));
        return command;
    }

    private static int Run(string file, double seconds, IReadOnlyList<int>? outputs, IReadOnlyList<int>? inputs, bool json)
    {
        using var host = StatusCommand.Host();
        using var stop = new ManualResetEventSlim();
        void Leave(PosixSignalContext context)
        {
            context.Cancel = true; // the file is finished first
            stop.Set();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Leave);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave);
        _ = host.Ask("record", w =>
        {
            w.WriteString("path", file);
            Write(w, "outputs", outputs);
            Write(w, "inputs", inputs);
        });
        if (!json) Console.WriteLine($"recording into {file}{(seconds > 0 ? "" : "; Ctrl-C ends it")}");
        var clock = Stopwatch.StartNew();
        while (!stop.Wait(TickMs))
            if (seconds > 0 && clock.Elapsed.TotalSeconds >= seconds) break;
        var result = host.Ask("recordStop", _ => { });
        if (json)
        {
            Console.WriteLine(result.GetRawText());
            return 0;
        }

        var report = JsonSerializer.Deserialize(result, DiagnosticsJson.Default.RecordingReport)!;
        Console.WriteLine(Recorder.Words(report));
        foreach (var gap in report.Gaps.Take(20)) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  at frame {gap.At}: {gap.Frames} frames: {gap.Text}"));
        return report.Trouble == null ? 0 : 1;
    }

    private static void Write(Utf8JsonWriter w, string name, IReadOnlyList<int>? jacks)
    {
        if (jacks == null) return;
        w.WriteStartArray(name);
        foreach (var j in jacks) w.WriteNumberValue(j);
        w.WriteEndArray();
    }

    private static Option<string?> Jacks(string name, string text)
    {
        var option = new Option<string?>(name) { Description = text, HelpName = "LIST" };
        option.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && Parse(r.Tokens[^1].Value) == null) r.AddError($"{name}: expected jacks from 1 to {Limits.MaxJacks}, as 1,2 or 1-8, not '{PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        return option;
    }

    // "1,2" or "1-8,11"; null where it is none.
    internal static IReadOnlyList<int>? Parse(string? text)
    {
        if (text == null) return null;
        var jacks = new List<int>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-', 2);
            if (!int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)) return null;
            var last = first;
            if (ends.Length == 2 && !int.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out last)) return null;
            if (first < 1 || last < first || last > Limits.MaxJacks || jacks.Count + last - first >= Limits.MaxJacks) return null;
            for (var j = first; j <= last; j++) jacks.Add(j);
        }

        return jacks;
    }
}
