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

    /// <summary>Tells the guards what the engine calls its modules and installs them, before the first RT thread. [start-up]</summary>
    [Conditional("CHECKED")]
    public static void Install(RegionMap map, ModuleRegistry registry)
    {
        var ids = registry.Descriptors;
        var types = (byte**)NativeMemory.AllocZeroed((nuint)ids.Count + 1, (nuint)sizeof(byte*)); // kept as long as the process
        for (var i = 0; i < ids.Count; i++)
        {
            var text = Encoding.UTF8.GetBytes(ids[i].Id + "\0");
            types[i] = (byte*)NativeMemory.Alloc((nuint)text.Length);
            text.CopyTo(new Span<byte>(types[i], text.Length));
        }

        InstanceRecord any;
        var names = new Names
        {
            Instances = map.Instances,
            Stride = sizeof(InstanceRecord),
            NameOffset = (int)(any.Name - (byte*)&any),
            ModuleOffset = (int)((byte*)&any.Module - (byte*)&any),
            InstanceCount = Limits.MaxInstances,
            TypeCount = ids.Count,
            Types = types,
        };
        _ = InstallCall(&names);
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
        public byte** Types;
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
