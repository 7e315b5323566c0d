// Modules that must pass: arithmetic, a switch, a function pointer that is listed, a method of its own.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Proof.BadModules;

/// <summary>What modules are made of.</summary>
internal unsafe struct PureDsp : IModule<PureDsp>
{
    private float _phase;

    public static ModuleDescriptor Describe() => Plain.Descriptor("PureDsp");

    public static void Construct(ref PureDsp self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref PureDsp self) { }

    public static ProcessResult Process(ref PureDsp self, in ProcessContext context)
    {
        var input = context.In(0);
        var output = context.Out(0);
        for (var i = 0; i < context.Frames; i++) output[i] = MathF.Sin(input[i] + self.Step());
        return ProcessResult.Continue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private float Step() => _phase = _phase >= 1f ? 0f : _phase + MathF.Pow(2f, _phase);
}

/// <summary>A jump table.</summary>
internal struct Switching : IModule<Switching>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("Switching");

    public static void Construct(ref Switching self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Switching self) { }

    public static ProcessResult Process(ref Switching self, in ProcessContext context)
    {
        Kept.Number = Choose(context.Frames, context.Slot);
        return ProcessResult.Continue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Choose(int which, int x) => which switch
    {
        0 => x * 3f,
        1 => MathF.Sqrt(x),
        2 => x + 1f,
        3 => MathF.Sin(x),
        4 => x - 7f,
        5 => MathF.Cos(x),
        6 => x / 3f,
        _ => 0f,
    };
}

/// <summary>Calls a function pointer whose targets the list names.</summary>
internal unsafe struct ListedPointer : IModule<ListedPointer>
{
    private delegate*<float, float> _function;

    public static delegate*<float, float> Either(bool first) => first ? &Half : &Twice;

    public static ModuleDescriptor Describe() => Plain.Descriptor("ListedPointer");

    public static void Construct(ref ListedPointer self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref ListedPointer self) { }

    public static ProcessResult Process(ref ListedPointer self, in ProcessContext context)
    {
        Kept.Number = self._function(context.Frames);
        return ProcessResult.Continue;
    }

    private static float Half(float x) => 0.5f * x;

    private static float Twice(float x) => 2f * x;
}
