// A native module as the engine calls every module: thunks over its table, through which the host's calls and its instance are found.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Loading;

/// <summary>
/// What stands where a C# module's struct does: whose functions are to be called, and with what. The table is a copy: what was checked is what
/// is called, whatever the library does to its own.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeInstance
{
    public NativeModule* Table;
    public void* Self;

    /// <summary>Fills a type's functions for a checked table, which lives as long as the type. [steward]</summary>
    public static void Fill(ModuleEntry* entry, NativeModule* table)
    {
        entry->Context = table;
        entry->Size = sizeof(NativeInstance);
        entry->SharedBytes = &SharedBytes;
        entry->BuildShared = &BuildShared;
        entry->Require = &Require;
        entry->Construct = &Construct;
        entry->Reset = &Reset;
        entry->Process = &Process;
        entry->SaveState = &SaveState;
        entry->LoadState = &LoadState;
        entry->AssetChanged = &AssetChanged;
        entry->Work = &Work;
        entry->Destroy = &Destroy;
    }

    private static long SharedBytes(void* context, float rate)
    {
        var table = (NativeModule*)context;
        return table->SharedBytes == null ? 0 : table->SharedBytes(table->Context, rate);
    }

    private static void BuildShared(void* context, void* shared, float rate) =>
        ((NativeModule*)context)->BuildShared(((NativeModule*)context)->Context, shared, rate);

    private static void Require(void* context, InstanceSetup* setup, Requirements* need)
    {
        var bytes = ((NativeModule*)context)->InstanceBytes(((NativeModule*)context)->Context, setup);
        if (bytes < 0) need->Bytes = -1; // nonsense, which the engine refuses
        else need->Need<byte>(bytes);
    }

    private static void Construct(void* context, void* self, InstanceSetup* setup, InstanceMemory* memory, ModuleTiming* timing)
    {
        var table = (NativeModule*)context;
        var own = memory->Take<byte>(table->InstanceBytes(table->Context, setup)); // more than it said before is refused by the engine
        if (own == null) return;
        if (table->Construct(table->Context, own, setup, timing) != 0)
        {
            timing->LatencyFrames = -1; // no instance
            return;
        }

        if (timing->LatencyFrames < 0 || timing->TailFrames < -1)
        {
            if (table->Destroy != null) table->Destroy(own);
            return;
        }

        *(NativeInstance*)self = new NativeInstance { Table = table, Self = own };
    }

    private static void Reset(void* self) => ((NativeInstance*)self)->Table->Reset(((NativeInstance*)self)->Self);

    private static ProcessResult Process(void* self, ProcessContext* context) => ((NativeInstance*)self)->Table->Process(((NativeInstance*)self)->Self, context);

    private static int SaveState(void* self, byte* state, int bytes)
    {
        var save = ((NativeInstance*)self)->Table->SaveState;
        return save == null ? 0 : save(((NativeInstance*)self)->Self, state, bytes);
    }

    private static bool LoadState(void* self, uint version, byte* state, int bytes)
    {
        var load = ((NativeInstance*)self)->Table->LoadState;
        return load == null ? bytes == 0 : load(((NativeInstance*)self)->Self, version, state, bytes) != 0;
    }

    private static void AssetChanged(void* self, int slot, Asset* asset)
    {
        var changed = ((NativeInstance*)self)->Table->AssetChanged;
        if (changed != null) changed(((NativeInstance*)self)->Self, slot, asset);
    }

    private static void Work(void* self, WorkJob* job)
    {
        var work = ((NativeInstance*)self)->Table->Work;
        if (work != null) work(((NativeInstance*)self)->Self, job);
    }

    private static void Destroy(void* self)
    {
        var destroy = ((NativeInstance*)self)->Table->Destroy;
        if (destroy != null) destroy(((NativeInstance*)self)->Self);
    }
}
