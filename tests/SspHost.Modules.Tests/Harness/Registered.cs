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
        return visitor.Registry;
    }

    private readonly struct Adder(ModuleRegistry registry) : IModuleVisitor
    {
        public ModuleRegistry Registry => registry;

        public void Visit<T>() where T : unmanaged, IModule<T> => registry.Add<T>();
    }
}
