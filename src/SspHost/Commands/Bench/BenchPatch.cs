// Patches that benchmarks play: as many voices as are asked for, of modules that ship.
using SspHost.Patching;

namespace SspHost.Commands;

internal static class BenchPatch
{
    /// <summary>A module beside the voices that stands still until a knob of it is turned; its output is <see cref="KnobJack"/>.</summary>
    public const string Knob = "knob";

    /// <summary>Output jack, from 0, that carries nothing but the knob's voltage.</summary>
    public const int KnobJack = 7;

    private const int SixVoices = 6; // and what is beside them: forty modules

    /// <summary>Voices of six modules each, a bus and the output.</summary>
    public static Patch Voices(DescriptorIndex types, int voices)
    {
        var edits = new List<Edit> { Add(types, "out", "audio-out"), Add(types, "bus", "mixer") };
        for (var v = 0; v < voices; v++)
        {
            foreach (var (id, type) in ((string, string)[])[("lfo", "lfo"), ("vco", "vco"), ("env", "adsr"), ("filter", "ladder"), ("vca", "vca"), ("echo", "delay")])
                edits.Add(Add(types, $"{id}{v}", type));
            edits.Add(new Connect(At($"lfo{v}.out"), At($"env{v}.gate")));
            edits.Add(new Connect(At($"vco{v}.saw"), At($"filter{v}.in")));
            edits.Add(new Connect(At($"env{v}.env"), At($"filter{v}.cutoff"), 0.3f));
            edits.Add(new Connect(At($"filter{v}.out"), At($"vca{v}.in")));
            edits.Add(new Connect(At($"env{v}.env"), At($"vca{v}.cv")));
            edits.Add(new Connect(At($"vca{v}.out"), At("out.in1"), 0.04f));
            edits.Add(new Connect(At($"vca{v}.out"), At($"echo{v}.in")));
            edits.Add(new Connect(At($"echo{v}.out"), At("bus.in1"), 0.03f));
        }

        edits.Add(new Connect(At("bus.out"), At("out.in2")));
        return Made(Patch.New() with { Name = "bench", Quantum = 32 }, edits, types);
    }

    /// <summary>Forty modules: six voices, and a voltage that goes out by itself (<see cref="Knob"/>).</summary>
    public static Patch Forty(DescriptorIndex types) => Made(
        Voices(types, SixVoices), [Add(types, Knob, "voltage"), Add(types, "scope", "scope"), new Connect(At($"{Knob}.out"), At($"out.in{KnobJack + 1}")), new Connect(At("bus.out"), At("scope.in1"))], types);

    public static PortRef At(string port) => PortRef.TryParse(port, out var p) ? p : throw new ArgumentException(port, nameof(port));

    private static AddModule Add(DescriptorIndex types, string id, string type) => new(new Module { Id = id, Type = type, Version = types.Find(type)!.Descriptor.Version });

    private static Patch Made(Patch patch, IEnumerable<Edit> edits, DescriptorIndex types)
    {
        foreach (var edit in edits)
            patch = PatchEdits.Apply(patch, edit, types, out var error) ?? throw new CommandException(error!.ToString());
        return patch;
    }
}
