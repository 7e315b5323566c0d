// The module contract for C and everything that speaks it: the same functions as IModule, in one table. ssp_module.h is generated from this.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>A port of a native module. Strings are UTF-8, zero-terminated and live as long as the library.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct NativePort
{
    /// <summary>Stable name used in patch files, lower case.</summary>
    public byte* Id;

    /// <summary>What the panel shows.</summary>
    public byte* Name;

    /// <summary>One line for the player, or NULL.</summary>
    public byte* Text;

    /// <summary>How many channels it carries.</summary>
    public ChannelRule Rule;

    /// <summary>Channels (FIXED) or number of the setting that gives them (SETTING).</summary>
    public byte Channels;

    /// <summary>A cable, or a jack of the device.</summary>
    public PortKind Kind;
}

/// <summary>A parameter of a native module.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct NativeParameter
{
    /// <summary>Stable name used in patch files, lower case.</summary>
    public byte* Id;

    /// <summary>What the panel shows.</summary>
    public byte* Name;

    /// <summary>"Hz", "s", "V", "dB" or empty.</summary>
    public byte* Unit;

    /// <summary>One line for the player, or NULL.</summary>
    public byte* Text;

    /// <summary>Names of the values 0, 1, 2 ... of a stepped parameter, or NULL.</summary>
    public byte** Choices;

    /// <summary>How many names.</summary>
    public int ChoiceCount;

    /// <summary>Lowest value, highest value and the value when placed, in the unit.</summary>
    public float Min, Max, Default;

    /// <summary>How travel maps to values, and how it ramps.</summary>
    public ParameterCurve Curve;
}

/// <summary>A whole number fixed when the instance is made.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct NativeSetting
{
    /// <summary>Stable name used in patch files, lower case.</summary>
    public byte* Id;

    /// <summary>What the panel shows.</summary>
    public byte* Name;

    /// <summary>One line for the player, or NULL.</summary>
    public byte* Text;

    /// <summary>Names of the values Min, Min + 1 ..., or NULL.</summary>
    public byte** Choices;

    /// <summary>How many names.</summary>
    public int ChoiceCount;

    /// <summary>Range and default.</summary>
    public int Min, Max, Default;
}

/// <summary>A slot for sample data.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct NativeAssetSlot
{
    /// <summary>Stable name used in patch files, lower case.</summary>
    public byte* Id;

    /// <summary>What the panel shows.</summary>
    public byte* Name;

    /// <summary>One line for the player, or NULL.</summary>
    public byte* Text;
}

/// <summary>Floats that process writes and everybody may read.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct NativeTelemetry
{
    /// <summary>Stable name, lower case.</summary>
    public byte* Id;

    /// <summary>Unit of the values, or NULL.</summary>
    public byte* Unit;

    /// <summary>One line for the player, or NULL.</summary>
    public byte* Text;

    /// <summary>Floats.</summary>
    public int Length;

    /// <summary>What they show.</summary>
    public TelemetryKind Kind;
}

/// <summary>Properties of a module.</summary>
[Flags]
public enum ModuleFlags : uint
{
    None = 0,

    /// <summary>Reads notes, controllers or clock.</summary>
    AcceptsEvents = 1,

    /// <summary>Declares a tail: may ring out when it leaves the patch.</summary>
    HasTail = 2,

    /// <summary>Must never be switched off by overload.</summary>
    Essential = 4,
}

/// <summary>Everything that is known of a native module type.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct NativeDescriptor
{
    /// <summary>Stable name used in patch files, lower case.</summary>
    public byte* Id;

    /// <summary>What the panel shows.</summary>
    public byte* Name;

    /// <summary>The family it is listed under.</summary>
    public byte* Family;

    /// <summary>One line a player understands.</summary>
    public byte* Text;

    /// <summary>The help page: paragraphs separated by an empty line, lines that begin with "- " are a list; or NULL.</summary>
    public byte* Help;

    /// <summary>Version of the module's saved state.</summary>
    public uint Version;

    /// <summary>Properties.</summary>
    public ModuleFlags Flags;

    /// <summary>Most bytes save_state writes.</summary>
    public int StateBytes;

    /// <summary>How many inputs, at most SSP_MAX_PORTS.</summary>
    public int InputCount;

    /// <summary>How many outputs, at most SSP_MAX_PORTS.</summary>
    public int OutputCount;

    /// <summary>How many parameters, at most SSP_MAX_PARAMETERS.</summary>
    public int ParameterCount;

    /// <summary>How many settings, at most SSP_MAX_PARAMETERS.</summary>
    public int SettingCount;

    /// <summary>How many asset slots, at most SSP_MAX_ASSETS.</summary>
    public int AssetCount;

    /// <summary>How many telemetry entries, at most SSP_MAX_PARAMETERS.</summary>
    public int TelemetryCount;

    /// <summary>The inputs, in the order of the context's; NULL only where there is none.</summary>
    public NativePort* Inputs;

    /// <summary>The outputs, in the order of the context's; NULL only where there is none.</summary>
    public NativePort* Outputs;

    /// <summary>The parameters, in the order of the context's; NULL only where there is none.</summary>
    public NativeParameter* Parameters;

    /// <summary>The settings, in the order of the setup's; NULL only where there is none.</summary>
    public NativeSetting* Settings;

    /// <summary>The asset slots, in the order of the context's; NULL only where there is none.</summary>
    public NativeAssetSlot* Assets;

    /// <summary>The telemetry, in the order of its floats; NULL only where there is none.</summary>
    public NativeTelemetry* Telemetry;
}

/// <summary>
/// The table of a native module: what a library's <c>const ssp_native_module *ssp_module_get(uint32_t index)</c> returns for 0, 1, 2 ...
/// until NULL. Functions marked [audio-thread] may neither allocate, lock, block, fault nor make a system call. NULL is allowed where it says so.
/// The table and what it points at are read when the library is loaded, and must stay as they are.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct NativeModule
{
    /// <summary>SSP_ABI_MODULE of the header it was compiled with.</summary>
    public uint AbiVersion;

    /// <summary>sizeof(ssp_native_module).</summary>
    public uint Bytes;

    /// <summary>What is known of the module without running it; lives as long as the library.</summary>
    public NativeDescriptor* Descriptor;

    /// <summary>The module's own, or NULL: handed to the four functions that have no instance yet, so that several modules can share them.</summary>
    public void* Context;

    /// <summary>Bytes of data all instances share at this rate (0: none), or NULL: none. [steward]</summary>
    public delegate* unmanaged[Cdecl]<void*, float, long> SharedBytes;

    /// <summary>Fills the shared data, which is zeroed, once for each rate, before the first instance; NULL only together with shared_bytes. [steward]</summary>
    public delegate* unmanaged[Cdecl]<void*, void*, float, void> BuildShared;

    /// <summary>Bytes one instance needs with these settings, all of it: the host owns every byte. The same for the same setup; quick. [steward]</summary>
    public delegate* unmanaged[Cdecl]<void*, InstanceSetup*, long> InstanceBytes;

    /// <summary>Makes an instance in zeroed, 64-byte aligned memory and declares its timing; 0, or not 0 if it cannot. [steward, not yet playing]</summary>
    public delegate* unmanaged[Cdecl]<void*, void*, InstanceSetup*, ModuleTiming*, int> Construct;

    /// <summary>Gives back what the instance holds beside its memory, or NULL: nothing. Called once for each construct that returned 0. [steward, no longer playing]</summary>
    public delegate* unmanaged[Cdecl]<void*, void> Destroy;

    /// <summary>Back to the state after construct, parameters and assets apart. [steward or audio-thread, not processing]</summary>
    public delegate* unmanaged[Cdecl]<void*, void> Reset;

    /// <summary>Renders one quantum: reads inputs, fills every channel of every output, or leaves one that nobody reads unwritten and says so by its flags. One thread at a time for an instance, not always the same. [audio-thread]</summary>
    public delegate* unmanaged[Cdecl]<void*, ProcessContext*, ProcessResult> Process;

    /// <summary>
    /// Writes what is not in parameters, at most the descriptor's state_bytes, and returns how many; NULL: there is none. What it writes
    /// load_state of a rebuilt library must be able to read, for the module to be replaced while it plays. [audio-thread, between quanta]
    /// </summary>
    public delegate* unmanaged[Cdecl]<void*, byte*, int, int> SaveState;

    /// <summary>
    /// Reads state of this or an older version; 0 = the bytes mean nothing and nothing changed; NULL only together with save_state.
    /// [steward before playing, or audio-thread between quanta]
    /// </summary>
    public delegate* unmanaged[Cdecl]<void*, uint, byte*, int, int> LoadState;

    /// <summary>An asset slot got a new asset, or was emptied (asset is NULL); NULL: it looks at the context's. The old one is valid until this returns. [audio-thread, between quanta]</summary>
    public delegate* unmanaged[Cdecl]<void*, int, Asset*, void> AssetChanged;

    /// <summary>Does the job process asked for (ssp_request_work), while process goes on; NULL: it never asks. [steward, concurrent with process]</summary>
    public delegate* unmanaged[Cdecl]<void*, WorkJob*, void> Work;
}
