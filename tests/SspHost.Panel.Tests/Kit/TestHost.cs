// A host for pages: the real session over an engine that plays nothing, and a clock that stands still until it is moved.
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Modules;
using SspHost.Patching;

namespace SspHost.Panel.Tests.Kit;

internal sealed class TestHost : IPanelHost, IDisposable
{
    private readonly Dictionary<string, string> _kept = new(StringComparer.Ordinal);

    /// <param name="modules">Those of <paramref name="engine"/>; null: the shipped ones.</param>
    /// <param name="engine">What plays; null: nothing does.</param>
    /// <param name="live">What it shows; null: what a test says.</param>
    public TestHost(Patch? patch = null, string? journal = null, DescriptorIndex? modules = null, IPlanSink? engine = null, ILive? live = null)
    {
        Modules = modules ?? new DescriptorIndex(Shipped);
        Set = new ScriptedSettings(() => Now);
        Live = live ?? Moving;
        Session = PatchSession.Start(new PatchSessionOptions { Modules = Modules, Sink = engine ?? Sink, JournalPath = journal, Start = patch });
        if (Session.Reinstall(newEngine: true) is { } error) throw new InvalidOperationException(error.ToString());
    }

    /// <summary>The modules of this repository.</summary>
    public static IReadOnlyList<ModuleDescriptor> Shipped { get; } = Describe();

    public StillSink Sink { get; } = new();

    public ScriptedLive Moving { get; } = new();

    public PatchSession Session { get; }

    public DescriptorIndex Modules { get; }

    public ILive Live { get; }

    public ScriptedJacks Jack { get; } = new();

    public ScriptedFiles Folders { get; } = new();

    public ScriptedMachine Machines { get; } = new();

    public ScriptedSettings Set { get; }

    public IJackDesk? Jacks => Jack;

    public IFileDesk? Files => Folders;

    public ISystemDesk? Machine => Machines;

    public ISettingsDesk? Settings => Set;

    public StatusReport Status { get; set; } = new() { State = "playing" };

    public CostsReport Costs { get; set; } = new() { Time = "", Monotonic = "0" };

    public IncidentLog Incidents { get; } = new();

    public LogLines Log { get; } = new();

    public ulong Now { get; set; } = 1_000_000_000;

    public Func<ModuleType, ModuleLoad> Predicted { get; set; } = _ => default;

    /// <summary>What was asked of the host, a line each.</summary>
    public List<string> Asked { get; } = [];

    public ControllerMove LastController { get; set; }

    /// <summary>Presets by type and name.</summary>
    public Dictionary<(string Type, string Name), Edit[]> Kept { get; } = [];

    public IReadOnlyList<string> Presets(string type) => [.. Kept.Keys.Where(k => k.Type == type).Select(k => k.Name)];

    public IReadOnlyList<Edit>? Preset(string module, string name, out string why)
    {
        why = "there is no such preset";
        return Session.Current.Find(module) is { } m ? Kept.GetValueOrDefault((m.Type, name)) : null;
    }

    public string? SavePreset(string module, string name)
    {
        if (Session.Current.Find(module) is not { } m) return $"there is no module {module}"; // it was undone while its name was written
        Kept[(m.Type, name)] = [.. m.Parameters.Select(p => new SetParameter(module, p.Name, p.Value))];
        return null;
    }

    public List<string> SampleFiles { get; } = [];

    public IReadOnlyList<string> Samples() => SampleFiles;

    public ModuleLoad Predict(ModuleType type) => Predicted(type);

    public string? Open(string path) => Session.Open(path, out _)?.ToString();

    public string? Save(string? path) => (path ?? Session.Saved?.Path) is { } to ? Session.Save(to)?.ToString() : "it has no file yet";

    public string? Start()
    {
        Asked.Add("start");
        Moving.Playing = true;
        return null;
    }

    public string? Stop()
    {
        Asked.Add("stop");
        Moving.Playing = false;
        return null;
    }

    public string? Restore(string module)
    {
        Asked.Add("restore " + module);
        return Moving.Off.Remove(module) ? null : $"{module} is on";
    }

    public void Remember(string name, string value) => _kept[name] = value;

    public string? Recall(string name) => _kept.GetValueOrDefault(name);

    /// <summary>Work off the panel's thread is left undone: what is measured is the panel's own.</summary>
    public bool FilesStand { get; set; }

    public void Run<T>(Func<T> work, Action<T> done)
    {
        if (!FilesStand) done(work());
    }

    public void Dispose()
    {
        Session.Dispose();
        Folders.Dispose();
    }

    private static List<ModuleDescriptor> Describe()
    {
        var list = new List<ModuleDescriptor>();
        var visitor = new Visitor(list);
        Catalog.VisitAll(ref visitor);
        return list;
    }

    private readonly struct Visitor(List<ModuleDescriptor> list) : IModuleVisitor
    {
        public void Visit<T>()
            where T : unmanaged, IModule<T> => list.Add(T.Describe());
    }
}
