// A state snapshot that liblilv reads, told value by value.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Lv2;

internal sealed unsafe partial class Lilv
{
    /// <summary>
    /// Tells the port values (by symbol) and the properties (by URI, with the URI of their type) of a preset. Throws <see cref="InvalidDataException"/>
    /// where it cannot be read.
    /// </summary>
    public void ReadState(string preset, Action<string, float> port, Action<string, string, byte[]> property)
    {
        var node = Node(preset);
        var listener = GCHandle.Alloc(new Lv2Preset.Listener(port, property));
        try
        {
            var handle = (void*)GCHandle.ToIntPtr(listener);
            var map = stackalloc UridMap[1];
            map[0] = new UridMap { Handle = handle, Map = &Map };
            nint state = 0;
            var why = LilvWords.Of(() =>
            {
                LoadResource(_world, node);
                state = StateNewFromWorld(_world, map, node);
            });
            if (state == 0) throw new InvalidDataException($"{preset}: {why ?? "liblilv makes no state of this preset"}");
            var descriptor = new Descriptor { ExtensionData = &ExtensionData };
            var instance = new Instance { Descriptor = &descriptor, Handle = handle };
            StateRestore(state, &instance, &Port, handle, 0, null);
            StateFree(state);
        }
        finally
        {
            listener.Free();
        }
    }

    private static Lv2Preset.Listener ListenerOf(void* handle) => (Lv2Preset.Listener)GCHandle.FromIntPtr((nint)handle).Target!;

    [UnmanagedCallersOnly]
    private static uint Map(void* handle, byte* uri) => ListenerOf(handle).Map(Marshal.PtrToStringUTF8((nint)uri) ?? "");

    [UnmanagedCallersOnly]
    private static void Port(byte* symbol, void* handle, void* value, uint size, uint type) => ListenerOf(handle).Port(Marshal.PtrToStringUTF8((nint)symbol) ?? "", value, size, type);

    [UnmanagedCallersOnly]
    private static void* ExtensionData(byte* uri) => Marshal.PtrToStringUTF8((nint)uri) == "http://lv2plug.in/ns/ext/state#interface" ? StateInterface.Only : null;

    [UnmanagedCallersOnly]
    private static int Restore(void* handle, delegate* unmanaged<void*, uint, nuint*, uint*, uint*, void*> retrieve, void* state, uint flags, Lv2Preset.Feature** features)
    {
        ListenerOf(handle).Restore(retrieve, state, features);
        return 0;
    }

    // LV2_URID_Map.
    private struct UridMap
    {
        public void* Handle;
        public delegate* unmanaged<void*, byte*, uint> Map;
    }

    // LV2_Descriptor.
    private struct Descriptor
    {
        public byte* Uri;
        public void* Instantiate, ConnectPort, Activate, Run, Deactivate, Cleanup;
        public delegate* unmanaged<byte*, void*> ExtensionData;
    }

    // LilvInstance.
    private struct Instance
    {
        public Descriptor* Descriptor;
        public void* Handle;
        public void* Own;
    }

    // LV2_State_Interface.
    private struct StateInterface
    {
        public static readonly StateInterface* Only = Make();

        public void* Save;
        public delegate* unmanaged<void*, delegate* unmanaged<void*, uint, nuint*, uint*, uint*, void*>, void*, uint, Lv2Preset.Feature**, int> Restore;

        private static StateInterface* Make()
        {
            var made = (StateInterface*)RuntimeHelpers.AllocateTypeAssociatedMemory(typeof(Lilv), sizeof(StateInterface));
            *made = new StateInterface { Save = null, Restore = &Lilv.Restore };
            return made;
        }
    }

    [LibraryImport(Library, EntryPoint = "lilv_world_load_resource")]
    private static partial int LoadResource(nint world, nint resource);

    [LibraryImport(Library, EntryPoint = "lilv_state_new_from_world")]
    private static partial nint StateNewFromWorld(nint world, UridMap* map, nint node);

    [LibraryImport(Library, EntryPoint = "lilv_state_restore")]
    private static partial void StateRestore(nint state, Instance* instance, delegate* unmanaged<byte*, void*, void*, uint, uint, void> port, void* user, uint flags, void* features);

    [LibraryImport(Library, EntryPoint = "lilv_state_free")]
    private static partial void StateFree(nint state);
}
