// A C# module as a library: the table of ssp_module.h over an IModule<T>, and the two functions by which the engine handles the runtime.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Abi;

/// <summary>
/// <c>ModuleLibrary.Table&lt;MyModule&gt;()</c> is what a library's <c>ssp_module_get</c> returns. One library is one runtime in the engine: put all
/// your modules into one.
/// </summary>
internal static unsafe class ModuleLibrary
{
    // The functions of one module, by managed pointers; the exported functions below are the same for all of them.
    [StructLayout(LayoutKind.Sequential)]
    private struct Functions
    {
        public int SelfBytes, StateBytes;
        public delegate*<float, long> SharedBytes;
        public delegate*<void*, float, void> BuildShared;
        public delegate*<InstanceSetup*, Requirements*, void> Require;
        public delegate*<void*, InstanceSetup*, InstanceMemory*, ModuleTiming*, void> Construct;
        public delegate*<void*, void> Reset;
        public delegate*<void*, ProcessContext*, ProcessResult> Process;
        public delegate*<void*, byte*, int, int> SaveState;
        public delegate*<void*, uint, byte*, int, bool> LoadState;
        public delegate*<void*, int, Asset*, void> AssetChanged;
        public delegate*<void*, WorkJob*, void> Work;
    }

    // Stands before each instance, 64 bytes so that what follows is aligned as the host aligned it.
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Head
    {
        public Functions* Functions;
    }

    /// <summary>The table of a module; the same at every call. It is never freed. [steward]</summary>
    public static NativeModule* Table<T>() where T : unmanaged, IModule<T>
    {
        if (Tables<T>.Made != null) return Tables<T>.Made;
        var d = T.Describe();
        var functions = Take<Functions>();
        *functions = new Functions
        {
            SelfBytes = sizeof(T),
            StateBytes = d.StateBytes,
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
        var table = Take<NativeModule>();
        *table = new NativeModule
        {
            AbiVersion = AbiVersion.Module,
            Bytes = (uint)sizeof(NativeModule),
            Descriptor = Descriptor(d),
            Context = functions,
            SharedBytes = &SharedBytes,
            BuildShared = &BuildShared,
            InstanceBytes = &InstanceBytes,
            Construct = &Construct,
            Reset = &Reset,
            Process = &Process,
            SaveState = d.StateBytes > 0 ? &SaveState : null,
            LoadState = d.StateBytes > 0 ? &LoadState : null,
            AssetChanged = &AssetChanged,
            Work = &Work,
        };
        return Tables<T>.Made = table;
    }

    /// <summary>Does nothing but to be called: that makes the calling thread known to this runtime, before it plays.</summary>
    [UnmanagedCallersOnly(EntryPoint = "ssp_thread_attach", CallConvs = [typeof(CallConvCdecl)])]
    private static void AttachThread()
    {
    }

    /// <summary>Collections this runtime has made. Each may have stopped a real-time thread: a module that allocates nothing causes none.</summary>
    [UnmanagedCallersOnly(EntryPoint = "ssp_runtime_collections", CallConvs = [typeof(CallConvCdecl)])]
    private static ulong Collections() => CountCollections();

    // A thunk that an RT thread calls is one line, and its work not part of it: the runtime wants it so (see the host's real-time rules).
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong CountCollections() => (ulong)GC.CollectionCount(0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long SharedBytes(void* context, float rate) => ((Functions*)context)->SharedBytes(rate);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void BuildShared(void* context, void* shared, float rate) => ((Functions*)context)->BuildShared(shared, rate);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long InstanceBytes(void* context, InstanceSetup* setup) => BytesOf((Functions*)context, setup, out _);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Construct(void* context, void* self, InstanceSetup* setup, ModuleTiming* timing) => Make((Functions*)context, self, setup, timing);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Reset(void* self) => ((Head*)self)->Functions->Reset((Head*)self + 1);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static ProcessResult Process(void* self, ProcessContext* context) => ((Head*)self)->Functions->Process((Head*)self + 1, context);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SaveState(void* self, byte* state, int bytes) => ((Head*)self)->Functions->SaveState((Head*)self + 1, state, bytes);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int LoadState(void* self, uint version, byte* state, int bytes) =>
        ((Head*)self)->Functions->LoadState((Head*)self + 1, version, state, bytes) ? 1 : 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void AssetChanged(void* self, int slot, Asset* asset) => ((Head*)self)->Functions->AssetChanged((Head*)self + 1, slot, asset);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Work(void* self, WorkJob* job) => ((Head*)self)->Functions->Work((Head*)self + 1, job);

    private static long BytesOf(Functions* functions, InstanceSetup* setup, out long required)
    {
        Requirements need = default;
        functions->Require(setup, &need);
        required = need.Bytes;
        return sizeof(Head) + ((functions->SelfBytes + 63L) & ~63L) + need.Bytes;
    }

    // No exception may leave it; a module that took more than it required is refused.
    private static int Make(Functions* functions, void* self, InstanceSetup* setup, ModuleTiming* timing)
    {
        _ = BytesOf(functions, setup, out var required);
        var head = (Head*)self;
        head->Functions = functions;
        var memory = new InstanceMemory((byte*)(head + 1) + ((functions->SelfBytes + 63L) & ~63L), required);
        functions->Construct(head + 1, setup, &memory, timing);
        return memory.Overdrawn ? 1 : 0;
    }

    // One class per struct type, so that every call is direct once the compiler has specialised it.
    private static class Thunk<T> where T : unmanaged, IModule<T>
    {
        public static long SharedBytes(float rate) => T.SharedBytes(rate);

        public static void BuildShared(void* shared, float rate) => T.BuildShared(shared, rate);

        public static void Require(InstanceSetup* setup, Requirements* need) => T.Require(in *setup, ref *need);

        public static void Construct(void* self, InstanceSetup* setup, InstanceMemory* memory, ModuleTiming* timing) =>
            T.Construct(ref *(T*)self, in *setup, ref *memory, ref *timing);

        public static void Reset(void* self) => T.Reset(ref *(T*)self);

        public static ProcessResult Process(void* self, ProcessContext* context) => T.Process(ref *(T*)self, in *context);

        public static int SaveState(void* self, byte* state, int bytes) => T.SaveState(ref *(T*)self, MemoryMarshal.CreateSpan(ref *state, bytes));

        public static bool LoadState(void* self, uint version, byte* state, int bytes) =>
            T.LoadState(ref *(T*)self, version, MemoryMarshal.CreateReadOnlySpan(ref *state, bytes));

        public static void AssetChanged(void* self, int slot, Asset* asset) => T.AssetChanged(ref *(T*)self, slot, asset);

        public static void Work(void* self, WorkJob* job) => T.Work(ref *(T*)self, ref *job);
    }

    private static class Tables<T>
    {
        public static NativeModule* Made;
    }

    private static NativeDescriptor* Descriptor(ModuleDescriptor d)
    {
        var result = Take<NativeDescriptor>();
        *result = new NativeDescriptor
        {
            Id = Text(d.Id), Name = Text(d.Name), Family = Text(d.Family), Text = Text(d.Text), Help = d.Help.Length == 0 ? null : Text(d.Help),
            Version = d.Version,
            Flags = (d.AcceptsEvents ? ModuleFlags.AcceptsEvents : 0) | (d.HasTail ? ModuleFlags.HasTail : 0) | (d.Sheddable ? 0 : ModuleFlags.Essential),
            StateBytes = d.StateBytes,
            InputCount = d.Inputs.Count, OutputCount = d.Outputs.Count, ParameterCount = d.Parameters.Count, SettingCount = d.Settings.Count,
            AssetCount = d.Assets.Count, TelemetryCount = d.Telemetry.Count,
            Inputs = Ports(d.Inputs), Outputs = Ports(d.Outputs),
            Parameters = Take<NativeParameter>(d.Parameters.Count), Settings = Take<NativeSetting>(d.Settings.Count),
            Assets = Take<NativeAssetSlot>(d.Assets.Count), Telemetry = Take<NativeTelemetry>(d.Telemetry.Count),
        };
        for (var i = 0; i < d.Parameters.Count; i++)
        {
            var p = d.Parameters[i];
            result->Parameters[i] = new NativeParameter
            {
                Id = Text(p.Id), Name = Text(p.Name), Unit = Text(p.Unit), Text = Text(p.Text), Choices = Texts(p.Choices), ChoiceCount = p.Choices.Length,
                Min = p.Min, Max = p.Max, Default = p.Default, Curve = p.Curve,
            };
        }

        for (var i = 0; i < d.Settings.Count; i++)
        {
            var s = d.Settings[i];
            result->Settings[i] = new NativeSetting
            {
                Id = Text(s.Id), Name = Text(s.Name), Text = Text(s.Text), Choices = Texts(s.Choices), ChoiceCount = s.Choices.Length,
                Min = s.Min, Max = s.Max, Default = s.Default,
            };
        }

        for (var i = 0; i < d.Assets.Count; i++)
            result->Assets[i] = new NativeAssetSlot { Id = Text(d.Assets[i].Id), Name = Text(d.Assets[i].Name), Text = Text(d.Assets[i].Text) };
        for (var i = 0; i < d.Telemetry.Count; i++)
        {
            var t = d.Telemetry[i];
            result->Telemetry[i] = new NativeTelemetry { Id = Text(t.Id), Unit = Text(t.Unit), Text = Text(t.Text), Length = t.Length, Kind = t.Kind };
        }

        return result;
    }

    private static NativePort* Ports(IReadOnlyList<PortDescriptor> ports)
    {
        var result = Take<NativePort>(ports.Count);
        for (var i = 0; i < ports.Count; i++)
        {
            var p = ports[i];
            result[i] = new NativePort { Id = Text(p.Id), Name = Text(p.Name), Text = Text(p.Text), Rule = p.Rule, Channels = p.Channels, Kind = p.Kind };
        }

        return result;
    }

    private static byte** Texts(string[] texts)
    {
        var result = (byte**)NativeMemory.Alloc((nuint)Math.Max(1, texts.Length), (nuint)sizeof(byte*));
        for (var i = 0; i < texts.Length; i++) result[i] = Text(texts[i]);
        return result;
    }

    private static byte* Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text + "\0");
        var result = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(result, bytes.Length));
        return result;
    }

    private static TItem* Take<TItem>(int count = 1) where TItem : unmanaged => (TItem*)NativeMemory.AllocZeroed((nuint)Math.Max(1, count), (nuint)sizeof(TItem));
}
