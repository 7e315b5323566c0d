// What this library exports: its modules, one after the other.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace MyModule;

internal static unsafe class Library
{
    [UnmanagedCallersOnly(EntryPoint = "ssp_module_get", CallConvs = [typeof(CallConvCdecl)])]
    private static NativeModule* Get(uint index) => index switch
    {
        0 => ModuleLibrary.Table<MyModuleEffect>(),
        _ => null,
    };
}
