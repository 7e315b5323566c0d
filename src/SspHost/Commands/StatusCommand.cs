// ssp status: what the engine does, asked of the host; without one, read from the engine's region.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Remote;

namespace SspHost.Commands;

internal static class StatusCommand
{
    private const int WindowMs = 500;

    private const double WatchPerSecond = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Build()
    {
        var json = new Option<bool>("--json") { Description = "As one JSON object; with --watch, one a line." };
        var watch = new Option<bool>("--watch") { Description = "Go on, twice a second, until Ctrl-C." };
        var command = new Command("status", "Show what the engine does: load, late quanta, dropouts, cores, memory.") { json, watch };
        command.SetAction(r => r.GetValue(watch) ? Watch(r.GetValue(json)) : Show(r.GetValue(json)));
        return command;
    }

    /// <summary>The host that runs. Throws <see cref="CommandException"/> where none does.</summary>
    public static ControlClient Host() =>
        ControlClient.TryConnect(RuntimeDirectory.Locate(), Patience) ?? throw new CommandException("no host runs; ssp run starts one");

    /// <summary>A report as the host sent it.</summary>
    public static StatusReport Read(JsonElement report) =>
        report.Deserialize(DiagnosticsJson.Default.StatusReport) ?? throw new IOException("the host sent no status");

    private static int Show(bool json)
    {
        var runtime = RuntimeDirectory.Locate();
        using (var host = ControlClient.TryConnect(runtime, Patience))
        {
            if (host != null)
            {
                var told = host.Ask("status");
                if (json) Print(told);
                else Write(Read(told));
                return 0;
            }
        }

        // An engine whose control process is gone plays on: its region tells what the host would.
        EngineLink link;
        try
        {
            link = EngineLink.Look(runtime);
        }
        catch (EngineGoneException e)
        {
            if (json) Print(Element(new StatusReport { State = "none" }));
            else Console.WriteLine(e.Message);
            return 1;
        }

        using (link)
        {
            var sampler = new StatusSampler(link);
            for (var waited = 0; waited < WindowMs; waited += 50)
            {
                Thread.Sleep(50);
                sampler.Look();
            }

            var report = sampler.Take();
            if (json) Print(Element(report));
            else Write(report);
        }

        return 0;
    }

    private static int Watch(bool json)
    {
        using var host = Host();
        host.Subscribe(("status", WatchPerSecond));
        var screen = new Screen();
        while (host.NextEvent() is { } told)
        {
            var data = told.GetProperty("data");
            if (json) screen.Say(data.GetRawText());
            else if (screen.Terminal) screen.Status(StatusLine.Format(Read(data), screen.Columns));
            else screen.Say(StatusLine.Format(Read(data)));
        }

        screen.Close();
        return 0;
    }

    private static JsonElement Element(StatusReport report) => JsonSerializer.SerializeToElement(report, DiagnosticsJson.Default.StatusReport);

    // As the host sent it: a field that this program does not know is shown, too.
    private static void Print(JsonElement report)
    {
        using var output = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true })) report.WriteTo(w);
        output.Write("\n"u8);
    }

    private static void Write(StatusReport r)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"engine {r.EnginePid} ({r.EngineVersion}), {r.State}, up {r.Uptime:0} s"));
        Console.WriteLine(StatusLine.Format(r));
        if (r.Audio is { } a)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{a.Rate} Hz, quantum {a.Quantum}, {a.Periods} periods of {a.Period}, {a.Inputs} in, {a.Outputs} out, {a.Frames / (double)a.Rate:0.0} s played"));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"render {a.RenderMicroseconds.P50:0.0} µs p99 {a.RenderMicroseconds.P99:0.0} max {a.RenderMicroseconds.Max:0.0} | wake-up {a.WakeMicroseconds.P50:0.0} µs p99 {a.WakeMicroseconds.P99:0.0} max {a.WakeMicroseconds.Max:0.0}"));
        }

        foreach (var t in r.Threads)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {t.Name,-15} tid {t.Tid} core {(t.Core < 0 ? "any" : t.Core)} {t.Policy} {t.Priority}{(t.FlushToZero ? "" : ", DENORMALS NOT FLUSHED")}{(t.StackLocked ? "" : ", stack not locked")}, {t.Quanta} quanta, {t.Nodes} nodes, {t.Faults} faults, {t.Preemptions} preemptions"));
        foreach (var s in r.Shed) Console.WriteLine($"off      '{s.Name}' ({s.Reason}); 'ssp patch restore {s.Name}' switches it on again");
        foreach (var d in r.Dearest)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  {d.Name,-20} {d.Module,-14} {d.Nanoseconds / 1e3,8:0.00} µs per quantum, {d.Share * 100:0.0} % of it"));
        if (r.Memory is { } m)
            Console.WriteLine($"heap of the engine since start: {m.Collections} collections, {m.AllocatedBytes} bytes; {m.Instances} modules");
    }
}
