// A module that keeps every rule until it is told to break one: what such modules have in common.
using SspHost.Abi;

namespace SspHost.Violations;

/// <summary>A module of the corpus: two inputs nobody uses, one output, and a process that breaks one rule when <see cref="Violate.Now"/> says so.</summary>
/// <remarks>Process is never inlined, as that of a module that renders frames never is: what loops is not. Else its line would be its caller's.</remarks>
internal interface IViolation<TSelf> : IModule<TSelf> where TSelf : unmanaged, IViolation<TSelf>
{
    /// <summary>Name on the command line, and the module's id. The line that breaks the rule ends in <c>// here: name</c>.</summary>
    static abstract string Name { get; }

    static ModuleDescriptor IModule<TSelf>.Describe() => new()
    {
        Id = TSelf.Name,
        Name = TSelf.Name,
        Family = "Violations",
        Text = "Does what no module may",
        Inputs = [new("a", "A"), new("b", "B")],
        Outputs = [new("out", "Out")],
    };

    static void IModule<TSelf>.Construct(ref TSelf self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
    }

    static void IModule<TSelf>.Reset(ref TSelf self)
    {
    }
}
