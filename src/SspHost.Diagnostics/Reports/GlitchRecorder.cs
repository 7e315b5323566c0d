// Writes a glitch report about a second after a dropout, on a thread of its own: neither the host nor the audio waits for a disk.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>Watches the incidents of a host. Dispose it before what it looks at.</summary>
public sealed class GlitchRecorder : IDisposable
{
    /// <summary>From a dropout to its report, and from one report to the next, in ns.</summary>
    public const ulong DelayNs = 1_000_000_000, ApartNs = 10_000_000_000;

    private const int MostIncidents = 50, LookEveryMs = 250;
    private readonly IncidentLog _incidents;
    private readonly MetricsRecorder _metrics;
    private readonly Func<StatusReport> _status;
    private readonly GlitchFiles _files;
    private readonly Action<string> _say;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread? _thread;
    private readonly List<Incident> _pending = [];
    private long _seen;
    private long _frames;
    private int _more;
    private ulong _due = ulong.MaxValue;
    private ulong _next;
    private bool _saidTrouble;

    internal GlitchRecorder(IncidentLog incidents, MetricsRecorder metrics, Func<StatusReport> status, GlitchFiles files, Action<string> say, bool run)
    {
        (_incidents, _metrics, _status, _files, _say) = (incidents, metrics, status, files, say);
        _seen = incidents.Last;
        if (!run) return;
        _thread = new Thread(Run) { IsBackground = true, Name = "ssp-glitches" };
        _thread.Start();
    }

    /// <summary>
    /// Starts. <paramref name="status"/>: the last report of the engine; quick. <paramref name="say"/>: where a line goes, once, when reports cannot be
    /// written.
    /// </summary>
    public static GlitchRecorder Start(IncidentLog incidents, MetricsRecorder metrics, Func<StatusReport> status, string stateDirectory, Action<string> say) =>
        new(incidents, metrics, status, new GlitchFiles(stateDirectory), say, run: true);

    /// <summary>Does what is due at <paramref name="now"/> (CLOCK_MONOTONIC, ns); the path of the report that was written.</summary>
    internal string? Turn(ulong now)
    {
        if (_incidents.Last != _seen) Gather(now);
        if (now < _due || now < _next) return null;
        _due = ulong.MaxValue;
        _next = now + ApartNs;
        try
        {
            var path = _files.Write(Make(now), DateTime.UtcNow);
            _saidTrouble = false;
            return path;
        }
        catch (Exception e)
        {
            // A full disk, or a defect of a report: neither may end the process that plays.
            if (!_saidTrouble) _say($"glitch reports cannot be written: {e.Message.ReplaceLineEndings(" ")}; nothing else changes");
            _saidTrouble = true;
            return null;
        }
        finally
        {
            _pending.Clear();
            (_frames, _more) = (0, 0);
        }
    }

    public void Dispose()
    {
        if (_stop.IsSet) return;
        _stop.Set();
        _thread?.Join();
        _stop.Dispose();
    }

    private void Gather(ulong now)
    {
        foreach (var incident in _incidents.Since(_seen))
        {
            _seen = incident.Id;
            if (incident.Kind != "dropout") continue;
            if (_due == ulong.MaxValue) _due = now + DelayNs;
            _frames += incident.Figures.GetValueOrDefault("frames");
            if (_pending.Count < MostIncidents) _pending.Add(incident);
            else _more++;
        }
    }

    private GlitchReport Make(ulong now)
    {
        var moment = Moment.At(now);
        var status = _status();
        var audio = status.Threads.FirstOrDefault(t => t.Name == "ssp-audio") ?? (status.Threads.Count > 0 ? status.Threads[0] : null);
        foreach (var every in (ReadOnlySpan<int>)[1, 2, 5, 10, 0])
        {
            var report = new GlitchReport
            {
                Time = moment.Time,
                Monotonic = moment.Monotonic,
                Incidents = [.. _pending],
                More = _more,
                LostFrames = _frames,
                AudioCore = audio is { Core: >= 0 } ? audio.Core : null,
                AudioTid = audio?.Tid,
                Status = status,
                Metrics = _metrics.Report(seconds: 2, every > 0 ? MetricsRecorder.Seconds : 0, Math.Max(1, every)),
                Joined = Math.Max(1, every),
            };
            report = report with { Text = GlitchWords.Paragraph(report, TimeZoneInfo.Local) };
            if (every == 0 || JsonSerializer.SerializeToUtf8Bytes(report, MetricsJson.Default.GlitchReport).Length <= GlitchFiles.MaxBytes) return report;
        }

        throw new IOException(string.Create(CultureInfo.InvariantCulture, $"a report does not fit into {GlitchFiles.MaxBytes} bytes"));
    }

    private void Run()
    {
        while (!_stop.Wait(LookEveryMs)) _ = Turn(Linux.Now());
    }
}
