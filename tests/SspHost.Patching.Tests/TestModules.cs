// Module types for tests, one for every rule; and patches made of them at random.
using SspHost.Abi;

namespace SspHost.Patching.Tests;

internal static class TestModules
{
    public static DescriptorIndex Index { get; } = new(
    [
        new ModuleDescriptor
        {
            Id = "in", Name = "In", Family = "Test", Text = "",
            Inputs = [Port("jack1", ChannelRule.Fixed, 1, PortKind.Device), Port("jack2", ChannelRule.Fixed, 1, PortKind.Device)],
            Outputs = [Port("out1", ChannelRule.Fixed), Port("out2", ChannelRule.Fixed)],
            Settings = [new SettingDescriptor("first", "First", 0, 30, 0)],
        },
        new ModuleDescriptor
        {
            Id = "out", Name = "Out", Family = "Test", Text = "", Sheddable = false,
            Inputs = [Port("in1", ChannelRule.Fixed), Port("in2", ChannelRule.Fixed)],
            Outputs = [Port("jack1", ChannelRule.Fixed, 1, PortKind.Device), Port("jack2", ChannelRule.Fixed, 1, PortKind.Device)],
            Settings = [new SettingDescriptor("first", "First", 0, 30, 0)],
        },
        new ModuleDescriptor
        {
            Id = "osc", Version = 2, Name = "Osc", Family = "Sources", Text = "",
            Inputs = [Port("pitch"), Port("fm")],
            Outputs = [Port("sine"), Port("saw")],
            Parameters =
            [
                new ParameterDescriptor("tune", "Tune", "V/oct", -5, 5, 0),
                new ParameterDescriptor("level", "Level", "V", 0, 10, 5),
                new ParameterDescriptor("shape", "Shape", "", 0, 3, 1, ParameterCurve.Stepped),
            ],
        },
        new ModuleDescriptor
        {
            Id = "poly", Name = "Poly", Family = "Test", Text = "",
            Inputs = [Port("gate", ChannelRule.Fixed)],
            Outputs = [Port("out", ChannelRule.Setting, 1), Port("mono", ChannelRule.Fixed), Port("five", ChannelRule.Fixed, 5)],
            Settings = [new SettingDescriptor("mode", "Mode", 0, 4, 0), new SettingDescriptor("voices", "Voices", 1, 16, 4)],
        },
        new ModuleDescriptor
        {
            Id = "narrow", Name = "Narrow", Family = "Test", Text = "",
            Inputs = [Port("two", ChannelRule.Fixed, 2), Port("any"), Port("set", ChannelRule.Setting, 0)],
            Outputs = [Port("out"), Port("three", ChannelRule.Fixed, 3)],
            Settings = [new SettingDescriptor("width", "Width", 1, 16, 3)],
            Parameters = [new ParameterDescriptor("amount", "Amount", "", 0, 1, 0.5f)],
        },
        new ModuleDescriptor
        {
            Id = "seq", Version = 3, Name = "Seq", Family = "Test", Text = "", StateBytes = 64, AcceptsEvents = true,
            Inputs = [Port("clock")], Outputs = [Port("pitch", ChannelRule.Fixed), Port("gate", ChannelRule.Fixed)],
            Parameters = [new ParameterDescriptor("length", "Length", "", 1, 8, 8, ParameterCurve.Stepped)],
        },
        new ModuleDescriptor
        {
            Id = "player", Name = "Player", Family = "Test", Text = "",
            Inputs = [Port("gate")], Outputs = [Port("out")],
            Assets = [new AssetDescriptor("sample", "Sample"), new AssetDescriptor("other", "Other")],
        },
        new ModuleDescriptor
        {
            Id = "echo", Name = "Echo", Family = "Test", Text = "", HasTail = true,
            Inputs = [Port("in"), Port("time")], Outputs = [Port("out")],
        },
        new ModuleDescriptor
        {
            Id = "split", Name = "Split", Family = "Test", Text = "", HasTail = true,
            Inputs = [Port("in")], Outputs = [Port("low"), Port("high")],
        },
    ]);

    /// <summary>A patch that has come about by edits: any mixture of modules, cables, loops, gains, states.</summary>
    public static Patch Random(Random random, int modules, int cables)
    {
        var patch = new Patch { Id = $"p{random.Next():x8}", Name = "Random \u00fc \u266b", Notes = "turn\nthis \"way\"", Quantum = 16 << random.Next(5) };
        for (var i = 0; i < modules; i++) patch = Must(patch, new AddModule(RandomModule(random, patch)));
        for (var i = 0; i < cables; i++)
        {
            if (RandomConnect(random, patch) is { } connect) patch = PatchEdits.Apply(patch, connect, Index, out _) ?? patch;
        }

        return patch;
    }

    /// <summary>The same with all that a patch can have besides: cables to parameters, scenes, controllers.</summary>
    public static Patch Full(Random random, int modules, int cables)
    {
        var patch = Random(random, modules, cables);
        for (var i = 0; i < 6; i++)
        {
            foreach (var edit in new Edit?[] { RandomModulation(random, patch), RandomScene(random, patch), RandomMap(random, patch) })
            {
                if (edit is not null) patch = PatchEdits.Apply(patch, edit, Index, out _) ?? patch;
            }
        }

        return patch;
    }

    /// <summary>A cable to a parameter.</summary>
    public static Connect? RandomModulation(Random random, Patch patch)
    {
        if (RandomConnect(random, patch) is not { } connect || RandomParameter(random, patch) is not var (m, p)) return null;
        return connect with { To = new PortRef(m.Id, "@" + p.Id) };
    }

    public static StoreScene RandomScene(Random random, Patch patch) => new(
        random.Next(PatchLimits.Scenes), random.Next(4) == 0 ? null : SceneEdits.Take(patch, Index, random.Next(2) == 0 ? "" : "Scene \u266b"));

    public static MapController? RandomMap(Random random, Patch patch)
    {
        if (RandomParameter(random, patch) is not var (m, p)) return null;
        var fine = random.Next(3) == 0;
        return new MapController(new ControllerMap
        {
            Port = random.Next(2) == 0 ? "" : "Keys \u00fc", Channel = random.Next(17), Number = random.Next(fine ? 32 : 128), Fine = fine, Module = m.Id, Parameter = p.Id,
            From = Value(random, p), To = Value(random, p),
        });
    }

    private static (Module, ParameterDescriptor)? RandomParameter(Random random, Patch patch)
    {
        if (patch.Modules.IsEmpty) return null;
        var m = patch.Modules[random.Next(patch.Modules.Length)];
        var parameters = Index.Find(m.Type)!.Descriptor.Parameters;
        return parameters.Count == 0 ? null : (m, parameters[random.Next(parameters.Count)]);
    }

    public static Module RandomModule(Random random, Patch patch)
    {
        var type = Index.Types[random.Next(Index.Types.Count)];
        var d = type.Descriptor;
        var module = new Module
        {
            Id = patch.FreeId(d.Id), Type = d.Id, Version = d.Version, X = random.Next(-99, 99), Y = random.Next(99), Bypass = random.Next(9) == 0,
            Label = random.Next(4) == 0 ? "Bass \u201clow\u201d" : "",
        };
        foreach (var s in d.Settings)
        {
            if (random.Next(2) == 0) module = module with { Settings = module.Settings.With(s.Id, random.Next(s.Min, s.Max + 1)) };
        }

        foreach (var p in d.Parameters)
        {
            if (random.Next(2) == 0) module = module with { Parameters = module.Parameters.With(p.Id, Value(random, p)) };
        }

        if (d.Assets.Count > 0) module = module with { Assets = module.Assets.With("sample", "samples/kick 1.wav") };
        if (d.StateBytes > 0 && random.Next(2) == 0)
        {
            var state = new byte[random.Next(1, d.StateBytes)];
            random.NextBytes(state);
            module = module with { State = new StateBlob([.. state]) };
        }

        return module;
    }

    public static float Value(Random random, ParameterDescriptor p)
    {
        var value = p.Min + ((p.Max - p.Min) * random.NextSingle());
        return p.Curve == ParameterCurve.Stepped ? MathF.Round(value) : value;
    }

    public static Connect? RandomConnect(Random random, Patch patch)
    {
        if (patch.Modules.IsEmpty) return null;
        var from = patch.Modules[random.Next(patch.Modules.Length)];
        var to = patch.Modules[random.Next(patch.Modules.Length)];
        var outputs = Index.Find(from.Type)!.Descriptor.Outputs.Where(p => p.Kind == PortKind.Cable).ToArray();
        var inputs = Index.Find(to.Type)!.Descriptor.Inputs.Where(p => p.Kind == PortKind.Cable).ToArray();
        if (outputs.Length == 0 || inputs.Length == 0) return null;
        return new Connect(
            new PortRef(from.Id, outputs[random.Next(outputs.Length)].Id), new PortRef(to.Id, inputs[random.Next(inputs.Length)].Id),
            random.Next(3) == 0 ? (random.NextSingle() * 4) - 2 : 1f);
    }

    /// <summary>Any edit, most of them possible.</summary>
    public static Edit RandomEdit(Random random, Patch patch)
    {
        var m = patch.Modules.IsEmpty ? null : patch.Modules[random.Next(patch.Modules.Length)];
        var c = patch.Cables.IsEmpty ? null : patch.Cables[random.Next(patch.Cables.Length)];
        if (m is null) return new AddModule(RandomModule(random, patch));
        var d = Index.Find(m.Type)!.Descriptor;
        return random.Next(22) switch
        {
            0 or 1 => new AddModule(RandomModule(random, patch)),
            2 => new RemoveModule(m.Id),
            3 or 4 or 5 when RandomConnect(random, patch) is { } connect => connect,
            6 when c is not null => new Disconnect(c.From, c.To),
            7 when c is not null => new SetCableGain(c.From, c.To, random.NextSingle()),
            8 when d.Settings.Count > 0 => new SetSetting(m.Id, d.Settings[0].Id, random.Next(d.Settings[0].Min, d.Settings[0].Max + 1)),
            9 => new Bypass(m.Id, random.Next(2) == 0),
            10 => new Move(m.Id, random.Next(100), random.Next(100)),
            11 => new Rename(m.Id, $"name {random.Next(9)}"),
            12 => new Duplicate(m.Id, patch.FreeId(m.Type), random.Next(2) == 0),
            13 => random.Next(2) == 0 ? new RenamePatch($"patch {random.Next(99)}") : new SetNotes("line\nline"),
            14 when d.Assets.Count > 0 => new SetAsset(m.Id, "sample", random.Next(2) == 0 ? null : $"s{random.Next(9)}.wav"),
            15 when d.StateBytes > 0 => new SetState(m.Id, d.Version, new StateBlob([(byte)random.Next(256), 7])),
            16 when random.Next(6) == 0 => new ReplacePatch(Full(random, random.Next(8), random.Next(12))),
            17 when random.Next(4) == 0 => new SetQuantum(16 << random.Next(5)),
            18 => RandomScene(random, patch),
            19 when RandomMap(random, patch) is { } map => map,
            20 when !patch.Controllers.IsEmpty => new UnmapController(patch.Controllers[random.Next(patch.Controllers.Length)]),
            21 when RandomModulation(random, patch) is { } modulation => modulation,
            _ when d.Parameters.Count > 0 => new SetParameter(m.Id, d.Parameters[^1].Id, Value(random, d.Parameters[^1])),
            _ => new Move(m.Id, random.Next(100), 5),
        };
    }

    public static Patch Must(Patch patch, Edit edit) =>
        PatchEdits.Apply(patch, edit, Index, out var error) ?? throw new InvalidOperationException(error!.ToString());

    public static Module Make(string id, string type) => new() { Id = id, Type = type, Version = Index.Find(type)!.Descriptor.Version };

    public static PortRef At(string port) => PortRef.TryParse(port, out var p) ? p : throw new ArgumentException(port);

    private static PortDescriptor Port(string id, ChannelRule rule = ChannelRule.Follow, byte channels = 1, PortKind kind = PortKind.Cable) =>
        new(id, id, "", rule, channels, kind);
}

/// <summary>An engine that notes what it is told, keeps an instance table as the real one does, and refuses on demand.</summary>
internal sealed class FakeSink : IPlanSink
{
    private readonly InstanceRecord[] _table = new InstanceRecord[Limits.MaxInstances];

    public List<CompiledPlan> Plans { get; } = [];

    public List<ModuleEvent> Sent { get; } = [];

    public List<PlanAsset> Assets { get; } = [];

    public List<(string Module, byte[] State)> Loaded { get; } = [];

    public Dictionary<string, byte[]> LiveStates { get; } = [];

    public string? Refuse { get; set; }

    public bool RingFull { get; set; }

    /// <summary>Whether it notes no moves: where what a move costs is counted.</summary>
    public bool Forgetful { get; init; }

    /// <summary>Whether audio runs, and whether the ramps of the last plan have ended.</summary>
    public bool Running { get; set; }

    /// <inheritdoc cref="Running"/>
    public bool Settled { get; set; }

    public ulong Frames { get; set; }

    /// <summary>Most modules at once that there is memory for.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>Whether there is memory for a plan, apart from <see cref="Room"/>.</summary>
    public Func<CompiledPlan, bool> Fits { get; set; } = _ => true;

    /// <summary>Bytes that are missing where there is no memory.</summary>
    public long Missing { get; set; }

    public PlayState State => new(Running, Plans.Count == 0 ? 0 : Plans[^1].Serial, Settled, Frames, 48_000);

    public ref InstanceRecord this[int slot] => ref _table[slot];

    public int Inputs => 2;

    public int Outputs => 2;

    public ReadOnlySpan<InstanceRecord> Instances => _table;

    public ReadOnlyMemory<float> Costs => default;

    public PlanRefusal? Install(CompiledPlan plan)
    {
        if (Refuse is not null) return new PlanRefusal(Refuse);
        if (plan.Instances.Length + plan.Leaving.Length > Room || !Fits(plan)) return new PlanRefusal("too large", DoesNotFit: true, Missing);
        foreach (var i in plan.Instances.Concat(plan.Leaving))
        {
            var state = _table[i.Slot].State;
            if (state != InstanceState.Free && _table[i.Slot].Key != i.Key) return new PlanRefusal($"slot {i.Slot} is in use");
        }

        for (var i = 0; i < _table.Length; i++)
        {
            if (_table[i].State == InstanceState.Active) _table[i].State = InstanceState.Leaving;
        }

        foreach (var i in plan.Instances.Concat(plan.Leaving))
        {
            _table[i.Slot].Key = i.Key;
            _table[i.Slot].State = InstanceState.Active;
        }

        Plans.Add(plan);
        return null;
    }

    public void Retire()
    {
        for (var i = 0; i < _table.Length; i++)
        {
            if (_table[i].State == InstanceState.Leaving) _table[i] = default;
        }
    }

    public bool Send(in ModuleEvent move)
    {
        if (RingFull) return false;
        if (!Forgetful) Sent.Add(move);
        return true;
    }

    public string? SetAsset(in PlanAsset asset)
    {
        if (Refuse is not null) return Refuse;
        Assets.Add(asset);
        return null;
    }

    public string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state)
    {
        Loaded.Add((instance.Module, state.ToArray()));
        return null;
    }

    public byte[]? SaveState(in PlanInstance instance, out uint version)
    {
        version = 3;
        return LiveStates.GetValueOrDefault(instance.Module);
    }
}

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ssp-patching-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
