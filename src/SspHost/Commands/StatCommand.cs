// ssp stat: threads, modules, cores and pool as they are this moment, in the manner of top; over the control socket only.
using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Diagnostics;
using SspHost.Remote;

namespace SspHost.Commands;

internal static class StatCommand
{
    private const int PlainColumns = 120, PlainRows = 200;
    private const int Incidents = 10;
    private const double PerSecond = 2;
    private const int KeyMs = 100;

    public static Command Build()
    {
        var once = new Option<bool>("--once") { Description = "Print it once, as plain text." };
        var json = new Option<bool>("--json") { Description = "Print it once, as one JSON object." };
        var command = new Command("stat", "Watch threads, modules, cores and memory of the host that runs. q quits.") { once, json };
        command.SetAction(r =>
        {
            using var host = StatusCommand.Host();
            if (r.GetValue(json)) return Json(host);
            return r.GetValue(once) || !Terminal.Usable ? Once(host) : Watch(host);
        });
        return command;
    }

    private static int Json(ControlClient host)
    {
        using var output = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            foreach (var command in new[] { "status", "costs", "metrics" })
            {
                w.WritePropertyName(command);
                host.Ask(command).WriteTo(w);
            }

            w.WritePropertyName("incidents");
            host.Ask("incidents", f => f.WriteNumber("limit", Incidents)).GetProperty("incidents").WriteTo(w);
            w.WriteEndObject();
        }

        output.Write("\n"u8);
        return 0;
    }

    private static int Once(ControlClient host)
    {
        var model = new StatModel(
            StatusCommand.Read(host.Ask("status")), host.Ask("costs").Deserialize(DiagnosticsJson.Default.CostsReport),
            host.Ask("metrics").Deserialize(MetricsJson.Default.MetricsReport), Known(host));
        var columns = Terminal.Usable ? Terminal.Size().Columns : PlainColumns;
        foreach (var line in StatView.Lines(model, default, columns, PlainRows, keys: false)) Console.WriteLine(line.Text);
        return 0;
    }

    private static int Watch(ControlClient host)
    {
        host.Subscribe(("status", PerSecond), ("costs", PerSecond), ("metrics", PerSecond), ("incidents", 0));
        var told = new Told(Known(host));
        var listening = new Thread(() => told.Listen(host)) { IsBackground = true, Name = "ssp-stat" };
        listening.Start();
        using var terminal = new Terminal();
        var (leave, suspend, redraw) = (0, 0, 1);
        using var interrupt = On(PosixSignal.SIGINT, () => Volatile.Write(ref leave, 1));
        using var terminate = On(PosixSignal.SIGTERM, () => Volatile.Write(ref leave, 1));
        using var hangUp = On(PosixSignal.SIGHUP, () => Volatile.Write(ref leave, 1));
        using var resize = On(PosixSignal.SIGWINCH, () => Volatile.Write(ref redraw, 1));
        using var stop = On(PosixSignal.SIGTSTP, () => Volatile.Write(ref suspend, 1));
        terminal.Take();
        var choice = default(StatChoice);
        var shown = told.Model;
        var seen = -1L;
        while (Volatile.Read(ref leave) == 0 && !told.Ended)
        {
            if (Interlocked.Exchange(ref suspend, 0) != 0)
            {
                terminal.Give();
                Terminal.Suspend();
                terminal.Take();
                Volatile.Write(ref redraw, 1);
            }

            if (!choice.Paused && told.Version != seen) (seen, shown, redraw) = (told.Version, told.Model, 1);
            if (Interlocked.Exchange(ref redraw, 0) != 0)
            {
                var size = Terminal.Size();
                terminal.Show(StatView.Lines(shown, choice, size.Columns, size.Rows), size);
            }

            var key = Terminal.Key(KeyMs);
            if (key == '\0') continue;
            if (key is 'q' or 'Q') break;
            choice = Press(choice, key);
            Volatile.Write(ref redraw, 1);
        }

        terminal.Give();
        if (told.Ended) Console.WriteLine(told.Trouble ?? "the host has ended");
        return 0;
    }

    /// <summary>What a key changes.</summary>
    public static StatChoice Press(StatChoice c, char key) => key switch
    {
        't' => c with { Threads = (ThreadSort)(((int)c.Threads + 1) % 5) },
        'm' => c with { Modules = (ModuleSort)(((int)c.Modules + 1) % 5) },
        'p' or ' ' => c with { Paused = !c.Paused },
        _ => c,
    };

    private static PosixSignalRegistration On(PosixSignal signal, Action act) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        act();
    });

    private static List<Incident> Known(ControlClient host) =>
        [.. host.Ask("incidents", f => f.WriteNumber("limit", Incidents)).GetProperty("incidents").EnumerateArray().Select(i => i.Deserialize(DiagnosticsJson.Default.Incident)!)];

    // What the host told, the newest of each; filled by a thread of its own.
    private sealed class Told(List<Incident> incidents)
    {
        private StatModel _model = new(null, null, null, incidents);
        private long _version;
        private volatile bool _ended;

        public StatModel Model => Volatile.Read(ref _model);

        public long Version => Interlocked.Read(ref _version);

        public bool Ended => _ended;

        public string? Trouble { get; private set; }

        public void Listen(ControlClient host)
        {
            try
            {
                while (host.NextEvent() is { } e)
                {
                    var data = e.GetProperty("data");
                    var m = Model;
                    Volatile.Write(ref _model, e.GetProperty("event").GetString() switch
                    {
                        "status" => m with { Status = StatusCommand.Read(data) },
                        "costs" => m with { Costs = data.Deserialize(DiagnosticsJson.Default.CostsReport) },
                        "metrics" => m with { Metrics = data.Deserialize(MetricsJson.Default.MetricsReport) },
                        "incidents" => m with { Incidents = [.. m.Incidents.Append(data.Deserialize(DiagnosticsJson.Default.Incident)!).TakeLast(Incidents)] },
                        _ => m,
                    });
                    Interlocked.Increment(ref _version);
                }
            }
            catch (Exception e) when (e is IOException or JsonException or ObjectDisposedException)
            {
                Trouble = e.Message;
            }

            _ended = true;
        }
    }
}
