// ssp status: what the engine does, read from its region without disturbing anybody.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi.Link;
using SspHost.Diagnostics;

namespace SspHost.Commands;

internal static class StatusCommand
{
    private const int WindowMs = 500;

    public static Command Build()
    {
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var command = new Command("status", "Show what the engine does: load, late quanta, dropouts, cores, memory.") { json };
        command.SetAction(r => Show(r.GetValue(json)));
        return command;
    }

    private static int Show(bool json)
    {
        var runtime = RuntimeDirectory.Locate();
        EngineLink link;
        try
        {
            link = EngineLink.Look(runtime);
        }
        catch (EngineGoneException e)
        {
            if (json) Print(new StatusReport { State = "none" });
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
            if (json) Print(report);
            else Write(report);
        }

        return 0;
    }

    private static void Print(StatusReport report) => Console.WriteLine(JsonSerializer.Serialize(report, DiagnosticsJson.Pretty.StatusReport));

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
