// Modules whose Process reaches an allocation, each by another kind of call.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Proof.BadModules;

/// <summary>By two direct calls.</summary>
internal struct DirectCall : IModule<DirectCall>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("DirectCall");

    public static void Construct(ref DirectCall self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref DirectCall self) { }

    public static ProcessResult Process(ref DirectCall self, in ProcessContext context)
    {
        Kept.Object = Grow(context.Frames);
        return ProcessResult.Continue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float[] Grow(int frames) => Copy(frames + 1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float[] Copy(int length) => new float[length];
}

/// <summary>By a virtual call: which of the two, only the object knows.</summary>
internal struct VirtualCall : IModule<VirtualCall>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("VirtualCall");

    public static void Construct(ref VirtualCall self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref VirtualCall self) { }

    public static ProcessResult Process(ref VirtualCall self, in ProcessContext context)
    {
        Kept.Number = Kept.Shape!.Area(context.Frames);
        return ProcessResult.Continue;
    }
}

internal abstract class Shape
{
    public abstract float Area(int size);
}

internal sealed class Square : Shape
{
    public override float Area(int size) => size * size;
}

internal sealed class Circle : Shape
{
    public override float Area(int size) => 3.14f * size * size;
}

internal sealed class Ring : Shape
{
    public override float Area(int size) => 6.28f * size;
}

internal sealed class Line : Shape
{
    public override float Area(int size) => size;
}

internal sealed class Polygon : Shape
{
    public override float Area(int size) => new float[size].Length;
}

/// <summary>By a call of an interface.</summary>
internal struct InterfaceCall : IModule<InterfaceCall>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("InterfaceCall");

    public static void Construct(ref InterfaceCall self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref InterfaceCall self) { }

    public static ProcessResult Process(ref InterfaceCall self, in ProcessContext context)
    {
        Kept.Number = Kept.Sized!.Size(context.Frames);
        return ProcessResult.Continue;
    }
}

internal interface ISized
{
    float Size(int of);
}

internal sealed class Small : ISized
{
    public float Size(int of) => of;
}

internal sealed class Middling : ISized
{
    public float Size(int of) => 2 * of;
}

internal sealed class Wide : ISized
{
    public float Size(int of) => 3 * of;
}

internal sealed class Narrow : ISized
{
    public float Size(int of) => 4 * of;
}

internal sealed class Large : ISized
{
    public float Size(int of) => new float[of].Length;
}

/// <summary>By a static abstract call that the compiler makes direct.</summary>
internal struct ConstrainedCall : IModule<ConstrainedCall>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("ConstrainedCall");

    public static void Construct(ref ConstrainedCall self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref ConstrainedCall self) { }

    public static ProcessResult Process(ref ConstrainedCall self, in ProcessContext context)
    {
        Scale<Doubling>(context.Frames);
        return ProcessResult.Continue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Scale<T>(int by) where T : struct, IScaling => Kept.Object = T.Scale(by);
}

internal interface IScaling
{
    static abstract object Scale(int by);
}

internal struct Doubling : IScaling
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static object Scale(int by) => 2 * by;
}

/// <summary>By generic code that is compiled once for all classes.</summary>
internal struct SharedGeneric : IModule<SharedGeneric>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("SharedGeneric");

    public static void Construct(ref SharedGeneric self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref SharedGeneric self) { }

    public static ProcessResult Process(ref SharedGeneric self, in ProcessContext context)
    {
        Kept.Object = Many<string>(context.Frames);
        return ProcessResult.Continue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static T[] Many<T>(int count) where T : class => new T[count];
}

/// <summary>By a generic virtual method, which is looked up at run time.</summary>
internal struct GenericVirtual : IModule<GenericVirtual>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("GenericVirtual");

    public static void Construct(ref GenericVirtual self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref GenericVirtual self) { }

    public static ProcessResult Process(ref GenericVirtual self, in ProcessContext context)
    {
        Kept.Number = Kept.Visitor!.Visit(context.Frames);
        return ProcessResult.Continue;
    }
}

internal abstract class Visitor
{
    public abstract int Visit<T>(T it);
}

internal sealed class Counter : Visitor
{
    public override int Visit<T>(T it) => new T[4].Length;
}

internal sealed class Blind : Visitor
{
    public override int Visit<T>(T it) => 0;
}

/// <summary>By a delegate.</summary>
internal struct DelegateCall : IModule<DelegateCall>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("DelegateCall");

    public static void Construct(ref DelegateCall self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref DelegateCall self) { }

    public static ProcessResult Process(ref DelegateCall self, in ProcessContext context)
    {
        Kept.Number = Kept.Function!(context.Frames);
        return ProcessResult.Continue;
    }
}

/// <summary>In a branch that is never taken.</summary>
internal struct Interpolation : IModule<Interpolation>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("Interpolation");

    public static void Construct(ref Interpolation self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Interpolation self) { }

    public static ProcessResult Process(ref Interpolation self, in ProcessContext context)
    {
        if (context.Frames < 0) Kept.Object = $"{context.Frames} frames";
        return ProcessResult.Continue;
    }
}

/// <summary>By a lambda that captures.</summary>
internal struct Closure : IModule<Closure>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("Closure");

    public static void Construct(ref Closure self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Closure self) { }

    public static ProcessResult Process(ref Closure self, in ProcessContext context)
    {
        var frames = context.Frames;
        Kept.Function = x => x + frames;
        return ProcessResult.Continue;
    }
}
