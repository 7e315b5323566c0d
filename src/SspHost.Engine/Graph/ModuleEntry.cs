// A module type as the engine calls it: plain function pointers over untyped memory, one table for C# and native modules.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>
/// The functions of one module type. For a C# module each is a direct call into the struct's static function, made by
/// <see cref="For{T}"/>; a native module gets thunks over its own table.
/// </summary>
public unsafe struct ModuleEntry
{
    /// <summary>Bytes of the instance's struct.</summary>
    public int Size;

    public int Inputs, Outputs, Parameters, Settings, Assets, TelemetryFloats, StateBytes;
    public uint Version;
    public bool AcceptsEvents, HasTail, Sheddable;

    /// <summary>What the functions below that have no instance yet are told: the table of a native module; null for a C# module.</summary>
    public void* Context;

    public delegate*<void*, float, long> SharedBytes;
    public delegate*<void*, void*, float, void> BuildShared;
    public delegate*<void*, InstanceSetup*, Requirements*, void> Require;
    public delegate*<void*, void*, InstanceSetup*, InstanceMemory*, ModuleTiming*, void> Construct;
    public delegate*<void*, void> Reset;
    public delegate*<void*, ProcessContext*, ProcessResult> Process;
    public delegate*<void*, byte*, int, int> SaveState;
    public delegate*<void*, uint, byte*, int, bool> LoadState;
    public delegate*<void*, int, Asset*, void> AssetChanged;
    public delegate*<void*, WorkJob*, void> Work;

    /// <summary>Gives back what an instance holds beside its memory; null: nothing, as a C# module.</summary>
    public delegate*<void*, void> Destroy;

    /// <summary>The table of a C# module.</summary>
    public static ModuleEntry For<T>(ModuleDescriptor descriptor) where T : unmanaged, IModule<T> => new()
    {
        Size = sizeof(T),
        Inputs = descriptor.Inputs.Count,
        Outputs = descriptor.Outputs.Count,
        Parameters = descriptor.Parameters.Count,
        Settings = descriptor.Settings.Count,
        Assets = descriptor.Assets.Count,
        TelemetryFloats = descriptor.TelemetryFloats,
        StateBytes = descriptor.StateBytes,
        Version = descriptor.Version,
        AcceptsEvents = descriptor.AcceptsEvents,
        HasTail = descriptor.HasTail,
        Sheddable = descriptor.Sheddable,
        SharedBytes = &Thunk<T>.SharedBytes,
        BuildShared = &Thunk<T>.BuildShared,
        Require = &Thunk<T>.Require,
        Construct = &Thunk<T>.Construct,
        Reset = &Thunk<T>.Reset,
        Process = &Thunk<T>.Process,
        SaveState = &Thunk<T>.SaveState,
        LoadState = &Thunk<T>.LoadState,
        AssetChanged = &Thunk<T>.AssetChanged,
        Work = &Thunk<T>.Work,
    };

    // One class per struct type, so that every call below is direct once the compiler has specialised it.
    // The spans are made without a check of their length: it would be a path to an exception from every module.
    private static class Thunk<T> where T : unmanaged, IModule<T>
    {
        public static long SharedBytes(void* context, float rate) => T.SharedBytes(rate);

        public static void BuildShared(void* context, void* shared, float rate) => T.BuildShared(shared, rate);

        public static void Require(void* context, InstanceSetup* setup, Requirements* need) => T.Require(in *setup, ref *need);

        public static void Construct(void* context, void* self, InstanceSetup* setup, InstanceMemory* memory, ModuleTiming* timing) =>
            T.Construct(ref *(T*)self, in *setup, ref *memory, ref *timing);

        public static void Reset(void* self) => T.Reset(ref *(T*)self);

        public static ProcessResult Process(void* self, ProcessContext* context) => T.Process(ref *(T*)self, in *context);

        public static int SaveState(void* self, byte* state, int bytes) => T.SaveState(ref *(T*)self, MemoryMarshal.CreateSpan(ref *state, bytes));

        public static bool LoadState(void* self, uint version, byte* state, int bytes) =>
            T.LoadState(ref *(T*)self, version, MemoryMarshal.CreateReadOnlySpan(ref *state, bytes));

        public static void AssetChanged(void* self, int slot, Asset* asset) => T.AssetChanged(ref *(T*)self, slot, asset);

        public static void Work(void* self, WorkJob* job) => T.Work(ref *(T*)self, ref *job);
    }
}
