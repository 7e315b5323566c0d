// A host that has a patch and nothing else: no jacks, no files, no settings.
using SspHost.Diagnostics;
using SspHost.Patching;

namespace SspHost.Panel.Tests.Kit;

internal sealed class BareHost(TestHost host) : IPanelHost, IDisposable
{
    public PatchSession Session => host.Session;

    public DescriptorIndex Modules => host.Modules;

    public ILive Live => host.Live;

    public StatusReport Status { get; } = new() { State = "none" };

    public CostsReport Costs => host.Costs;

    public IncidentLog Incidents { get; } = new();

    public LogLines Log { get; } = new();

    public ulong Now => host.Now;

    public ModuleLoad Predict(ModuleType type) => default;

    public string? Open(string path) => "no files";

    public string? Save(string? path) => "no files";

    public ControllerMove LastController => default;

    public IReadOnlyList<string> Presets(string type) => [];

    public IReadOnlyList<Edit>? Preset(string module, string name, out string why)
    {
        why = "no presets";
        return null;
    }

    public string? SavePreset(string module, string name) => "no presets";

    public IReadOnlyList<string> Samples() => [];

    public string? Start() => "no engine";

    public string? Stop() => "no engine";

    public string? Restore(string module) => "no engine";

    public void Remember(string name, string value)
    {
    }

    public string? Recall(string name) => null;

    public void Run<T>(Func<T> work, Action<T> done) => done(work());

    public void Dispose()
    {
    }
}
