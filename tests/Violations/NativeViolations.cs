// Rules broken in native libraries: what allocates there, or opens.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Violations;

internal struct StrdupModule : IViolation<StrdupModule>
{
    public static string Name => "strdup";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe ProcessResult Process(ref StrdupModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        var copy = LibC.Strdup((byte*)Violate.Semaphore); // here: strdup
        LibC.Free(copy);
        return ProcessResult.Continue;
    }
}

internal struct FopenModule : IViolation<FopenModule>
{
    public static string Name => "fopen";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe ProcessResult Process(ref FopenModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        fixed (byte* path = "/dev/null\0"u8)
        fixed (byte* mode = "r\0"u8)
        {
            _ = LibC.Fclose(LibC.Fopen(path, mode)); // here: fopen
        }

        return ProcessResult.Continue;
    }
}

internal struct DlopenModule : IViolation<DlopenModule>
{
    public static string Name => "dlopen";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe ProcessResult Process(ref DlopenModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        _ = LibC.Dlopen(Violate.Library, 2); // here: dlopen
        return ProcessResult.Continue;
    }
}
