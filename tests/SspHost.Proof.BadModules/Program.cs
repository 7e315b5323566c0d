// Keeps every module in the program, as a catalogue would.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Proof.BadModules;

/// <summary>Where the modules leave what they made, so that the compiler must make it.</summary>
internal static class Kept
{
    internal static object? Object;
    internal static object? Gate;
    internal static float Number;
    internal static float[]? Table;
    internal static Shape? Shape;
    internal static ISized? Sized;
    internal static Visitor? Visitor;
    internal static Func<float, float>? Function;
}

internal static class Plain
{
    internal static ModuleDescriptor Descriptor(string id) => new() { Id = id, Name = id, Family = "Bad", Text = id, Inputs = [new("in", "In")], Outputs = [new("out", "Out")] };
}

internal static unsafe class Program
{
    private static int s_modules;

    public static int Main(string[] arguments)
    {
        var many = arguments.Length > 0;
        Kept.Gate = new object();
        Kept.Table = new float[arguments.Length];
        // More kinds than the compiler is willing to ask for one by one.
        Kept.Shape = arguments.Length switch { 0 => new Square(), 1 => new Circle(), 2 => new Ring(), 3 => new Line(), _ => new Polygon() };
        Kept.Sized = arguments.Length switch { 0 => new Small(), 1 => new Middling(), 2 => new Wide(), 3 => new Narrow(), _ => new Large() };
        Kept.Visitor = many ? new Counter() : new Blind();
        Kept.Function = many ? static x => x : static x => new float[(int)x].Length;
        Kept.Number = ListedPointer.Either(many)(1f);
        Add<DirectCall>();
        Add<VirtualCall>();
        Add<InterfaceCall>();
        Add<ConstrainedCall>();
        Add<SharedGeneric>();
        Add<GenericVirtual>();
        Add<DelegateCall>();
        Add<Interpolation>();
        Add<Closure>();
        Add<Locking>();
        Add<Sleeping>();
        Add<SleepingManaged>();
        Add<LateBound>();
        Add<Throwing>();
        Add<OutOfBounds>();
        Add<LazyStatic>();
        Add<PerThread>();
        Add<Collecting>();
        Add<UnlistedPointer>();
        Add<PureDsp>();
        Add<Switching>();
        Add<ListedPointer>();
        return s_modules;
    }

    private static void Add<T>() where T : unmanaged, IModule<T>
    {
        var entry = ModuleEntry.For<T>(T.Describe());
        Kept.Object = entry;
        s_modules += entry.Size;
    }
}
