// The four desks of a running host: what the pages Jacks, Files, System and Settings work with.
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Commands;
using SspHost.Configuration;
using SspHost.Devices;
using SspHost.Diagnostics;

namespace SspHost.Playing.Desks;

/// <summary>They live as long as the host, and longer than a panel that fails. Made once the host plays.</summary>
internal sealed class PanelDesks : IDisposable
{
    private readonly PatchHost _host;

    /// <param name="host">The host.</param>
    /// <param name="settings">What it was started with.</param>
    /// <param name="configuration">The file that was named as its configuration; null: the usual one.</param>
    /// <param name="metrics">Its snapshots of the system.</param>
    /// <param name="say">Where a line for the player goes.</param>
    /// <param name="clock">What time is told by.</param>
    public PanelDesks(PatchHost host, Settings settings, string? configuration, MetricsRecorder metrics, Action<string> say, TimeProvider? clock = null)
    {
        var state = Path.GetFullPath(settings.StateDirectory);
        clock ??= TimeProvider.System;
        Jacks = new JackDesk(host.Slot, host.Sink, () => host.Latest, CalibrationFile.PathBeside(configuration), say, clock);
        Files = new FileDesk(settings, new FileTools
        {
            Patch = () => host.Session.Current,
            Modules = host.Modules,
            Outputs = () => host.Slot.Try(link => link.TryAudio(out var a) ? Math.Clamp(a.Outputs, 0, Limits.MaxJacks) : 0, otherwise: 0),
            Record = (path, jacks) =>
            {
                var why = host.Recorder.Start(path, jacks);
                host.NoteRecording();
                return why;
            },
            EndRecording = () =>
            {
                var report = host.Recorder.Stop(out var why);
                host.NoteRecording();
                return (report, why);
            },
        });
        Machine = new SystemDesk(new SystemTools
        {
            Engine = host.Slot,
            Status = () => host.Latest,
            Metrics = metrics,
            Flight = host.Flight,
            Examine = () => DoctorCommand.Examine(settings),
            Report = path => ReportCommand.Pack(path, settings),
            StartTracing = () => host.Sink.SwitchTracing(trace: true, modules: null),
            State = state,
            Say = say,
        });
        Settings = new SettingsDesk(new SettingsTools
        {
            Settings = settings,
            File = SettingsFile.Find(configuration) ?? Path.Combine(SettingsFile.UserDirectory, "ssp.json"),
            State = state,
            Playing = () => host.Sink.Setup,
            Play = host.UseAudio,
            Decide = s => Jacks.Calibrated(AudioSetup.Decide(s, FifoProbe.Granted(), SoundCards.Present, Environment.ProcessorCount)),
            Calibrated = Jacks.Calibrated,
            Devices = ConverterNames,
            Cores = AudioSetup.AllowedCores(),
            About = () => AboutThis(host),
            Say = say,
            Clock = clock,
        });
        _host = host;
        host.Taken = Machine.Sample;
    }

    public JackDesk Jacks { get; }

    public FileDesk Files { get; }

    public SystemDesk Machine { get; }

    public SettingsDesk Settings { get; }

    public void Dispose()
    {
        _host.Taken = null;
        Settings.Dispose();
        Machine.Dispose();
        Jacks.Dispose();
    }

    // Converters themselves, with a conversion or without, and what the system calls its default: mixers and servers would share the card.
    private static IReadOnlyList<string> ConverterNames() =>
        [.. SoundCards.Devices().Select(d => d.Name).Where(n => n is "default" || n.StartsWith("hw:", StringComparison.Ordinal) || n.StartsWith("plughw:", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal)];

    private static IReadOnlyList<string> AboutThis(PatchHost host) =>
    [
        $"SspHost {CommandTree.Version}" + (host.Latest.EngineVersion is { Length: > 0 } engine && engine != CommandTree.Version ? $", engine {engine}" : ""),
        $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}",
        string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB of memory"),
        $"called {Environment.MachineName}",
    ];
}
