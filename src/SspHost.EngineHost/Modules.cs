// Which modules the engine ships: the only place where engine and modules meet.
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Modules;

namespace SspHost.EngineHost;

/// <summary>Registers the catalogue.</summary>
internal static class Modules
{
    /// <summary>A registry with every module of dsp-modules. [start-up]</summary>
    public static ModuleRegistry Register()
    {
        var registry = new ModuleRegistry();
        var visitor = new Visitor(registry);
        Catalog.VisitAll(ref visitor);
        return registry;
    }

    private readonly struct Visitor(ModuleRegistry registry) : IModuleVisitor
    {
        public void Visit<T>() where T : unmanaged, IModule<T> => registry.Add<T>();
    }
}
