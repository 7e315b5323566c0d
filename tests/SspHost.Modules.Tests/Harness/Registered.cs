// Every module in the catalogue, as the engine's registry holds it.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Modules.Tests;

/// <summary>The registry, filled as the engine's composition root fills it.</summary>
public static class Registered
{
    public static readonly ModuleRegistry Registry = Fill();

    // Rigs find modules by id, whoever makes the first one.
    [System.Runtime.CompilerServices.ModuleInitializer]
    internal static void Prepare() => _ = Registry;

    /// <summary>All module ids, for theories.</summary>
    public static TheoryData<string> Ids
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var d in Registry.Descriptors) data.Add(d.Id);
            return data;
        }
    }

    /// <summary>Ids of the modules that have settings with choices, once for each that is not the default.</summary>
    public static TheoryData<string> SettingIds => [.. Variants(Registry).Select(static v => v.Descriptor.Id)];

    public static ModuleDescriptor Descriptor(string id) => Registry.Descriptors[Index(id)];

    public static ModuleEntry Entry(string id) => Registry.Entries[Index(id)];

    private static int Index(string id)
    {
        for (var i = 0; i < Registry.Descriptors.Count; i++)
        {
            if (Registry.Descriptors[i].Id == id) return i;
        }

        throw new ArgumentException($"no module '{id}'");
    }

    private static ModuleRegistry Fill()
    {
        var visitor = new Adder(new ModuleRegistry());
        Catalog.VisitAll(ref visitor);
        Subjects.Add(visitor.Registry.Descriptors, visitor.Registry.Entries);
        var variants = Variants(visitor.Registry).ToList();
        Subjects.Add([.. variants.Select(static v => v.Descriptor)], [.. variants.Select(static v => v.Entry)]);
        return visitor.Registry;
    }

    // The same module with another default: what is tried on it is tried with that setting.
    private static IEnumerable<(ModuleDescriptor Descriptor, ModuleEntry Entry)> Variants(ModuleRegistry registry)
    {
        for (var i = 0; i < registry.Descriptors.Count; i++)
        {
            var d = registry.Descriptors[i];
            for (var k = 0; k < d.Settings.Count; k++)
            {
                for (var value = d.Settings[k].Min; d.Settings[k].Choices.Length > 0 && value <= d.Settings[k].Max; value++)
                {
                    if (value == d.Settings[k].Default) continue;
                    var settings = d.Settings.ToArray();
                    settings[k] = settings[k] with { Default = value };
                    var name = $"{d.Id} with {settings[k].Id} {settings[k].Choices[value - settings[k].Min]}";
                    yield return (d with { Id = name, Settings = settings }, registry.Entries[i]);
                }
            }
        }
    }

    private readonly struct Adder(ModuleRegistry registry) : IModuleVisitor
    {
        public ModuleRegistry Registry => registry;

        public void Visit<T>() where T : unmanaged, IModule<T> => registry.Add<T>();
    }
}
