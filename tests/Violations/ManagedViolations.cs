// Rules broken by the language: what allocates without looking like it, and exceptions.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Violations;

internal struct ArrayModule : IViolation<ArrayModule>
{
    public static string Name => "array";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref ArrayModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        Violate.Sink = new float[context.Frames]; // here: array
        return ProcessResult.Continue;
    }
}

internal struct StringModule : IViolation<StringModule>
{
    public static string Name => "string";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref StringModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        Violate.Sink = Violate.Text + Violate.Text; // here: string
        return ProcessResult.Continue;
    }
}

internal struct BoxingModule : IViolation<BoxingModule>
{
    public static string Name => "boxing";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref BoxingModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        Violate.Sink = context.Frames; // here: boxing
        return ProcessResult.Continue;
    }
}

internal struct ClosureModule : IViolation<ClosureModule>
{
    public static string Name => "closure";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref ClosureModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        Capture(context.Frames); // here: closure
        return ProcessResult.Continue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Capture(int frames) => Violate.Sink = new Func<int>(() => frames);
}

internal struct ListModule : IViolation<ListModule>
{
    public static string Name => "list";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref ListModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        Violate.Full.Add(context.Frames); // here: list
        return ProcessResult.Continue;
    }
}

internal struct LinqModule : IViolation<LinqModule>
{
    public static string Name => "linq";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref LinqModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        Violate.Count = Violate.Numbers.Where(static n => n > 1).Count(); // here: linq
        return ProcessResult.Continue;
    }
}

internal struct AsyncModule : IViolation<AsyncModule>
{
    public static string Name => "async";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref AsyncModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        _ = Later(); // here: async
        return ProcessResult.Continue;
    }

    private static async Task Later()
    {
        await Task.Yield();
        Violate.Count++;
    }
}

internal struct ExceptionModule : IViolation<ExceptionModule>
{
    public static string Name => "exception";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref ExceptionModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        try
        {
            throw Violate.Ready; // here: exception
        }
        catch (InvalidOperationException)
        {
            return ProcessResult.Continue;
        }
    }
}

internal struct CollectModule : IViolation<CollectModule>
{
    public static string Name => "collect";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref CollectModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        GC.Collect(); // here: collect
        return ProcessResult.Continue;
    }
}
