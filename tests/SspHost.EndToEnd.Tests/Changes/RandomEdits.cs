// Edits at random: everything a player can do to a patch, with what the patch has.
using SspHost.Abi;
using SspHost.Patching;

namespace SspHost.EndToEnd.Tests.Changes;

/// <summary>Makes edits for one session. The same seed makes the same edits.</summary>
internal sealed class RandomEdits(int seed, DescriptorIndex modules, IReadOnlyList<Patch> patches, Patch home)
{
    public const int MostModules = 40;

    private readonly Random _random = new(seed);
    private int _gestures;

    /// <summary>The last edits, oldest first, as text.</summary>
    public Queue<string> History { get; } = new();

    /// <summary>What is done next. Quanta until the one after are the caller's.</summary>
    public void Do(Duet duet)
    {
        var choice = _random.Next(1000);
        if (choice < 60) Note("undo", duet.Undo());
        else if (choice < 100) Note("redo", duet.Redo());
        else if (choice < 110) Gesture(duet);
        else if (choice < 114) One(duet, new ReplacePatch(home));
        else if (choice < 117) One(duet, new ReplacePatch(patches[_random.Next(patches.Count)]));
        else if (choice < 200) Several(duet);
        else if (Next(duet) is { } edit) One(duet, edit);
    }

    /// <summary>Quanta from one edit to the next: half of the time so few that the next edit falls into the ramps of this one.</summary>
    public int Pause(int most) => _random.Next((OneIn(2) ? most : most / 6) + 1);

    /// <summary>Whether something happens this time.</summary>
    public bool OneIn(int n) => _random.Next(n) == 0;

    private void One(Duet duet, Edit edit)
    {
        Note(Text(edit));
        Note("", duet.Apply(edit));
    }

    // As one step: each edit is made for the patch that those before it leave.
    private void Several(Duet duet)
    {
        var patch = duet.Session.Current;
        var edits = new List<Edit>();
        var count = 2 + _random.Next(4);
        for (var i = 0; i < count; i++)
        {
            if (Next(duet, patch) is not { } edit || PatchEdits.Apply(patch, edit, modules, out _) is not { } after) continue;
            edits.Add(edit);
            patch = after;
        }

        if (edits.Count == 0) return;
        Note(string.Join(" + ", edits.Select(Text)));
        Note("", duet.Apply([.. edits]));
    }

    private void Gesture(Duet duet)
    {
        if (_gestures == 0 || (_gestures < 2 && OneIn(3)))
        {
            _gestures++;
            duet.BeginGesture();
            Note("gesture {");
        }
        else
        {
            _gestures--;
            duet.EndGesture();
            Note("}");
        }
    }

    private Edit? Next(Duet duet) => Next(duet, duet.Session.Current);

    private Edit? Next(Duet duet, Patch p)
    {
        if (p.Modules.Length == 0) return new ReplacePatch(home);
        var crowded = p.Cables.Length > 1.6 * p.Modules.Length;
        var many = p.Modules.Length > MostModules - 6;
        var choice = _random.Next(100);
        var m = p.Modules[_random.Next(p.Modules.Length)];
        var type = modules.Find(m.Type)!;
        switch (choice)
        {
            case < 26: return crowded && !OneIn(3) ? Unplug(p) : Plug(p);
            case < 44: return !crowded && OneIn(2) ? Plug(p) : Unplug(p);
            case < 53: return p.Cables.Length == 0 ? null : Gain(p);
            case < 60: return p.Modules.Length >= MostModules ? new RemoveModule(m.Id) : many ? null : Add(p);
            case < 65: return new RemoveModule(m.Id);
            case < 67: return p.Modules.Length >= MostModules ? null : new Duplicate(m.Id, p.FreeId(m.Type), OneIn(2));
            case < 82: return Parameter(m, type);
            case < 91: return new Bypass(m.Id, !m.Bypass);
            case < 94: return Setting(m, type);
            case < 96: return State(duet, p);
            case < 97: return Asset(m, type);
            case < 98: return new SetQuantum(16 << _random.Next(5));
            case < 99: return new Move(m.Id, _random.Next(20), _random.Next(20));
            default: return OneIn(2) ? new Rename(m.Id, "label") : new RenamePatch("patch " + _random.Next(10));
        }
    }

    private Edit? Plug(Patch p)
    {
        for (var tries = 0; tries < 20; tries++)
        {
            var (from, to) = (p.Modules[_random.Next(p.Modules.Length)], p.Modules[_random.Next(p.Modules.Length)]);
            var outputs = modules.Find(from.Type)!.Descriptor.Outputs.Where(o => o.Kind == PortKind.Cable).ToArray();
            var inputs = modules.Find(to.Type)!.Descriptor.Inputs.Where(i => i.Kind == PortKind.Cable).ToArray();
            if (outputs.Length == 0 || inputs.Length == 0) continue;
            var (a, b) = (new PortRef(from.Id, outputs[_random.Next(outputs.Length)].Id), new PortRef(to.Id, inputs[_random.Next(inputs.Length)].Id));
            if (p.IndexOf(a, b) >= 0) continue;
            var closes = Loops.WouldClose(p, from.Id, to.Id);
            if (closes && !OneIn(3)) continue;
            return new Connect(a, b, closes ? (float)((_random.NextDouble() * 1.4) - 0.7) : SomeGain());
        }

        return null;
    }

    private Edit? Unplug(Patch p)
    {
        if (p.Cables.Length == 0) return null;
        var c = p.Cables[_random.Next(p.Cables.Length)];
        return new Disconnect(c.From, c.To);
    }

    private SetCableGain Gain(Patch p)
    {
        var c = p.Cables[_random.Next(p.Cables.Length)];
        return new SetCableGain(c.From, c.To, c.Delayed ? (float)((_random.NextDouble() * 1.4) - 0.7) : SomeGain());
    }

    private float SomeGain() => _random.Next(8) switch { < 4 => 1f, 4 => 0.5f, 5 => -1f, 6 => 0f, _ => (float)((_random.NextDouble() * 2) - 1) };

    private AddModule Add(Patch p)
    {
        var type = modules.Types[_random.Next(modules.Types.Count)];
        var d = type.Descriptor;
        var m = new Module { Id = p.FreeId(d.Id), Type = d.Id, Version = d.Version, Bypass = OneIn(12) };
        foreach (var s in d.Settings) m = m with { Settings = m.Settings.With(s.Id, Whole(s)) };
        foreach (var q in d.Parameters)
            if (OneIn(2)) m = m with { Parameters = m.Parameters.With(q.Id, Value(q)) };
        foreach (var a in d.Assets) m = m with { Assets = m.Assets.With(a.Id, Path()) };
        return new AddModule(m);
    }

    private string Path() => $"samples/{(char)('a' + _random.Next(4))}.wav";

    private Edit? Parameter(Module m, ModuleType type)
    {
        if (type.Descriptor.Parameters.Count == 0) return null;
        var q = type.Descriptor.Parameters[_random.Next(type.Descriptor.Parameters.Count)];
        return new SetParameter(m.Id, q.Id, Value(q));
    }

    private float Value(ParameterDescriptor q)
    {
        var x = _random.NextDouble();
        var v = q.Curve switch
        {
            ParameterCurve.Exponential => (float)(q.Min * Math.Pow(q.Max / q.Min, x)),
            ParameterCurve.Stepped => (float)Math.Round(q.Min + ((q.Max - q.Min) * x)),
            _ => (float)(q.Min + ((q.Max - q.Min) * x)),
        };
        return Math.Clamp(v, q.Min, q.Max);
    }

    private Edit? Setting(Module m, ModuleType type)
    {
        if (type.Descriptor.Settings.Count == 0) return null;
        var s = type.Descriptor.Settings[_random.Next(type.Descriptor.Settings.Count)];
        return new SetSetting(m.Id, s.Id, Whole(s));
    }

    // Few: a hundred seconds of sixteen delays is memory, not another case.
    private int Whole(SettingDescriptor s) => s.Min + _random.Next(Math.Min(s.Max - s.Min, 3) + 1);

    private Edit? State(Duet duet, Patch p)
    {
        var plan = duet.Session.Plan!;
        for (var i = 0; i < p.Modules.Length && i < plan.Instances.Length; i++)
        {
            var type = modules.Find(p.Modules[i].Type)!;
            if (type.Descriptor.StateBytes == 0 || plan.Instances[i].Module != p.Modules[i].Id || OneIn(2)) continue;
            if (duet.Session.Current.Find(p.Modules[i].Id) is null || plan.Instances[i].Type != type.Number) continue;
            if (duet.Chain.SaveState(plan.Instances[i], out var version) is { } state) return new SetState(p.Modules[i].Id, version, new StateBlob([.. state]));
        }

        return null;
    }

    private Edit? Asset(Module m, ModuleType type) =>
        type.Descriptor.Assets.Count == 0 ? null : new SetAsset(m.Id, type.Descriptor.Assets[0].Id, OneIn(4) ? null : Path());

    private static string Text(Edit edit) => edit switch
    {
        ReplacePatch r => $"replace by {r.Patch.Id}",
        AddModule a => $"add {a.Module.Id}{(a.Module.Bypass ? " bypassed" : "")}",
        Connect c => $"plug {c.From} > {c.To} * {c.Gain}",
        Disconnect c => $"pull {c.From} > {c.To}",
        SetCableGain c => $"gain {c.From} > {c.To} * {c.Gain}",
        _ => edit.ToString(),
    };

    private void Note(string what, bool done = true)
    {
        if (what.Length == 0 && done) return;
        History.Enqueue(what.Length == 0 ? "  refused" : done ? what : what + " (nothing to do)");
        if (History.Count > 24) _ = History.Dequeue();
    }
}
