// The host as the panel's pages need it: over the patch host that plays.
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Patching;
using SspHost.Playing.Desks;

namespace SspHost.Playing;

/// <summary>Quick functions of the panel's thread; what takes its time runs beside it.</summary>
internal sealed class PanelHost(PatchHost host, PresetLibrary presets, LogLines log, PanelMemory memory, Action<string> say) : IPanelHost
{
    private const int MostSamples = 1000;

    /// <summary>Runs something on the panel's thread; set before the panel is made.</summary>
    public Action<Action> OnPanel { get; set; } = _ => { };

    /// <summary>What the pages Jacks, Files, System and Settings work with; null: nothing.</summary>
    public PanelDesks? Desks { get; init; }

    public IJackDesk? Jacks => Desks?.Jacks;

    public IFileDesk? Files => Desks?.Files;

    public ISystemDesk? Machine => Desks?.Machine;

    public ISettingsDesk? Settings => Desks?.Settings;

    public PatchSession Session => host.Session;

    public DescriptorIndex Modules => host.Modules;

    public ILive Live { get; } = new EngineLive(host.Slot, host.Modules);

    public StatusReport Status => host.Latest;

    public CostsReport Costs => host.Costs;

    public IncidentLog Incidents => host.Incidents;

    public LogLines Log => log;

    public ulong Now => Linux.Now();

    public ControllerMove LastController => host.Midi?.LastController ?? default;

    public ModuleLoad Predict(ModuleType type)
    {
        var (rate, quantum) = Status.Audio is { Rate: > 0 } a ? (a.Rate, a.Quantum) : (host.Sink.Setup.Rate, host.Sink.Setup.QuantumFor(Session.Current.Quantum));
        var nanoseconds = host.MeasuredCosts.Of(type.Descriptor.Id, rate, quantum);
        long? bytes = Costs.Modules.FirstOrDefault(m => m.Module == type.Descriptor.Id && m.Bytes > 0)?.Bytes;
        return new ModuleLoad(nanoseconds > 0 ? nanoseconds : null, bytes);
    }

    public string? Open(string path) => host.Open(path);

    public string? Save(string? path) => (path ?? Session.Saved?.Path) is { } to ? Session.Save(to)?.ToString() : "it has no file yet";

    public IReadOnlyList<string> Presets(string type) => [.. presets.List(type).Select(p => p.Name)];

    public IReadOnlyList<Edit>? Preset(string module, string name, out string why)
    {
        PatchError? error = null;
        var preset = Session.Current.Find(module) is { } m ? presets.Load(m.Type, name, out error) : null;
        var edits = preset?.EditsFor(Session.Current, module, Modules, out error);
        why = error?.ToString() ?? (edits is null ? $"there is no module '{module}'" : "");
        return edits;
    }

    public string? SavePreset(string module, string name) =>
        Session.PresetOf(module) is { } preset ? presets.Save(preset, name)?.ToString() : $"there is no module '{module}'";

    public IReadOnlyList<string> Samples() => host.Sink.Assets.Recordings(MostSamples);

    public string? Start() => host.Play();

    public string? Stop() => host.Stop();

    public string? Restore(string module) => host.Sink.Restore(module);

    public void Remember(string name, string value) => memory.Keep(name, value);

    public string? Recall(string name) => memory.Find(name);

    public void Run<T>(Func<T> work, Action<T> done) => _ = Task.Run(() =>
    {
        try
        {
            var result = work();
            OnPanel(() => done(result));
        }
        catch (Exception e)
        {
            say($"defect: work for the panel ended by {e.GetType().Name}: {e.Message}");
        }
    });
}
