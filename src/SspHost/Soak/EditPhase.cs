// The phase of hot edits: modules and cables come and go, knobs turn, things are undone, while the patch plays.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Commands;
using SspHost.Diagnostics.Soak;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Soak;

/// <summary>
/// Edits go the way of a player's, through the session. What is added is the phase's own and reaches no output, so that any patch may be soaked and sounds
/// as before; at its end all of it is gone.
/// </summary>
internal sealed class EditPhase(PatchHost host) : SoakPhase("edits")
{
    private const string Prefix = "soak-";
    private const int GapMs = 25, MostModules = 8;

    private static readonly string[] Types = ["vco", "ladder", "delay", "vca"]; // each has inputs, outputs and knobs

    private readonly Random _random = new(1);
    private ulong _plans;
    private Thread? _thread;
    private volatile bool _ending;
    private bool _undoable; // the last step is this phase's, and a whole one: turns of a knob are joined
    private string? _refused;

    public override void Begin()
    {
        (_ending, _refused, _plans) = (false, null, Plans());
        _thread = new Thread(Run) { Name = "ssp-edits", IsBackground = true };
        _thread.Start();
    }

    public override string? End()
    {
        _ending = true;
        _thread?.Join();
        foreach (var id in Own()) Do(new RemoveModule(id));
        Count("plans", (long)(Plans() - _plans));
        return _refused;
    }

    private unsafe ulong Plans() => host.Slot.Try(link => Volatile.Read(ref link.Map.Histogram(HistogramKind.Swap)->Count), otherwise: 0UL);

    private string[] Own() => [.. host.Session.Current.Modules.Select(m => m.Id).Where(id => id.StartsWith(Prefix, StringComparison.Ordinal))];

    private void Run()
    {
        for (var n = 0; !_ending && _refused == null; n++)
        {
            if (_undoable && _random.Next(6) == 0) Undo();
            else Do(Next(n));
            Thread.Sleep(_random.Next(2 * GapMs));
        }
    }

    private Edit Next(int n)
    {
        var (patch, own) = (host.Session.Current, Own());
        if (own.Length < 2) return Added(n);
        var (a, b) = (own[_random.Next(own.Length)], own[_random.Next(own.Length)]);
        switch (_random.Next(5))
        {
            case 0 when own.Length < MostModules:
                return Added(n);
            case 0 or 1:
                return new RemoveModule(a);
            case 2:
                return Parameter(patch, a);
            default:
                var (from, to) = (BenchPatch.At($"{a}.{Port(patch, a, outputs: true)}"), BenchPatch.At($"{b}.{Port(patch, b, outputs: false)}"));
                return patch.Cables.Any(c => c.From == from && c.To == to) ? new Disconnect(from, to) : new Connect(from, to, 0.3f);
        }
    }

    private AddModule Added(int n)
    {
        var type = Types[_random.Next(Types.Length)];
        return new AddModule(new Module { Id = $"{Prefix}{n}", Type = type, Version = host.Modules.Find(type)!.Descriptor.Version });
    }

    private ModuleDescriptor Descriptor(Patch patch, string id) => host.Modules.Find(patch.Find(id)!.Type)!.Descriptor;

    private string Port(Patch patch, string id, bool outputs)
    {
        var ports = outputs ? Descriptor(patch, id).Outputs : Descriptor(patch, id).Inputs;
        var cables = ports.Where(p => p.Kind == PortKind.Cable).ToArray();
        return cables[_random.Next(cables.Length)].Id;
    }

    private SetParameter Parameter(Patch patch, string id)
    {
        var all = Descriptor(patch, id).Parameters;
        var p = all[_random.Next(all.Count)];
        var value = p.Min + ((p.Max - p.Min) * _random.NextSingle());
        return new SetParameter(id, p.Id, p.Curve == ParameterCurve.Stepped ? MathF.Round(value) : value);
    }

    private void Do(Edit edit)
    {
        if (!Asked(() => host.Session.Apply(edit))) return;
        _undoable = edit is not SetParameter;
        Count(Word(edit), 1);
    }

    private void Undo()
    {
        if (Asked(host.Session.Undo)) Count("undone", 1);
    }

    private bool Asked(Func<PatchError?> what)
    {
        _undoable = false;
        try
        {
            if (what() is not { } why) return true;
            _refused ??= $"phase {Name}: {why}";
        }
        catch (Exception e) when (e is EngineGoneException or EngineTimeoutException or EngineRefusedException)
        {
            _refused ??= $"phase {Name}: {e.Message}";
        }

        return false;
    }

    private static string Word(Edit edit) => edit switch
    {
        AddModule => "added", RemoveModule => "removed", Connect => "connected", Disconnect => "disconnected", _ => "turned",
    };
}
