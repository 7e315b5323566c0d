// The checked build's eyes on RT threads: what they may not do aborts at the call. In other builds nothing of this is compiled.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Threads;

/// <summary>
/// Managed and native allocations, exceptions and system calls between <see cref="Enter"/> and <see cref="Leave"/> are reported with the module
/// and the line, and end the process; with SSP_CHECKED=warn the thread goes on. The C part is SspHost.Native/checked.
/// </summary>
internal static unsafe partial class RtGuard
{
    private const string Library = "libssphost_guard";

    private static byte** s_types, s_files; // by number of the type; kept as long as the process

    /// <summary>Tells the guards what the engine calls its modules and installs them, before the first RT thread. [start-up]</summary>
    [Conditional("CHECKED")]
    public static void Install(RegionMap map, ModuleRegistry registry)
    {
        var ids = registry.Descriptors;
        s_types = (byte**)NativeMemory.AllocZeroed(Limits.MaxModuleTypes, (nuint)sizeof(byte*));
        s_files = (byte**)NativeMemory.AllocZeroed(Limits.MaxModuleTypes, (nuint)sizeof(byte*));
        for (var i = 0; i < ids.Count; i++) s_types[i] = Copy(Encoding.UTF8.GetBytes(ids[i].Id));

        InstanceRecord any;
        var names = new Names
        {
            Instances = map.Instances,
            Stride = sizeof(InstanceRecord),
            NameOffset = (int)(any.Name - (byte*)&any),
            ModuleOffset = (int)((byte*)&any.Module - (byte*)&any),
            InstanceCount = Limits.MaxInstances,
            TypeCount = Limits.MaxModuleTypes,
            Types = s_types,
            Files = s_files,
        };
        _ = InstallCall(&names);
    }

    /// <summary>A module type has come with a library, before any plan knows its number. <paramref name="file"/>: zero-terminated. [steward]</summary>
    [Conditional("CHECKED")]
    public static void Name(int type, byte* id, int idBytes, byte* file)
    {
        if (s_types[type] != null) NativeMemory.Free(s_types[type]); // of a library that was refused at the last moment
        s_types[type] = Copy(new ReadOnlySpan<byte>(id, idBytes));
        if (s_files[type] != null) NativeMemory.Free(s_files[type]);
        s_files[type] = Copy(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(file));
    }

    /// <summary>The calling thread begins its function; the cell tells when it is inside a module. [rt-thread]</summary>
    [Conditional("CHECKED")]
    public static void Enter(FaultCell* cell) => EnterCall(cell);

    /// <summary>Its function has returned. [rt-thread]</summary>
    [Conditional("CHECKED")]
    public static void Leave() => LeaveCall();

    /// <summary>What the calling thread does up to <see cref="EndPermit"/> is allowed. Every use says why. [rt-thread]</summary>
    [Conditional("CHECKED")]
    public static void Permit() => PermitCall();

    /// <inheritdoc cref="Permit"/>
    [Conditional("CHECKED")]
    public static void EndPermit() => EndPermitCall();

    [StructLayout(LayoutKind.Sequential)]
    private struct Names
    {
        public InstanceRecord* Instances;
        public int Stride, NameOffset, ModuleOffset, InstanceCount, TypeCount;
        public byte** Types, Files;
    }

    private static byte* Copy(ReadOnlySpan<byte> text)
    {
        var copy = (byte*)NativeMemory.AllocZeroed((nuint)text.Length + 1);
        text.CopyTo(new Span<byte>(copy, text.Length));
        return copy;
    }

    [LibraryImport(Library, EntryPoint = "ssp_guard_install")]
    private static partial int InstallCall(Names* names);

    [LibraryImport(Library, EntryPoint = "ssp_guard_enter")]
    private static partial void EnterCall(FaultCell* cell);

    [LibraryImport(Library, EntryPoint = "ssp_guard_leave")]
    private static partial void LeaveCall();

    [LibraryImport(Library, EntryPoint = "ssp_guard_permit")]
    private static partial void PermitCall();

    [LibraryImport(Library, EntryPoint = "ssp_guard_end_permit")]
    private static partial void EndPermitCall();
}
