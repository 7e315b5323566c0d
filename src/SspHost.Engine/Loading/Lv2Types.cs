// LV2 plugins as the control process described them: looked through before anything is believed, and made into types that lv2.c plays.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Loading;

/// <summary>[steward, probe]</summary>
internal static unsafe partial class Lv2Types
{
    private const string Library = "libssphost_native";
    private const int MostPorts = 4096, MostStateBytes = 1 << 20, MostSequenceBytes = 1 << 20;

    /// <summary>How many plugins there are in so many bytes; -1: they are damaged.</summary>
    public static int Count(byte* plugins, long bytes)
    {
        var count = 0;
        for (long at = 0; at < bytes; count++)
        {
            if (bytes - at < sizeof(Lv2Plugin)) return -1;
            var p = (Lv2Plugin*)(plugins + at);
            if (p->Ports is < 0 or > MostPorts || p->Bytes != Lv2Plugin.BytesFor(p->Ports) || p->Bytes > bytes - at || !IsSound(p)) return -1;
            at += p->Bytes;
        }

        return count;
    }

    /// <summary>The plugin after this one.</summary>
    public static Lv2Plugin* Next(Lv2Plugin* plugin) => (Lv2Plugin*)((byte*)plugin + plugin->Bytes);

    /// <summary>Whether each port leads to something that its descriptor has.</summary>
    public static bool Fits(Lv2Plugin* plugin, ModuleEntry* entry)
    {
        if (plugin->StateBytes != entry->StateBytes || ((plugin->Flags & Lv2PluginFlags.Voices) != 0 && entry->Settings == 0)) return false;
        if (plugin->Tempo >= entry->Parameters || plugin->Clock >= entry->Inputs || plugin->Pulses >= entry->Settings) return false;
        for (var i = 0; i < plugin->Ports; i++)
        {
            var port = Lv2Plugin.PortsOf(plugin) + i;
            var most = port->Kind switch
            {
                Lv2PortKind.AudioIn or Lv2PortKind.CvIn => entry->Inputs,
                Lv2PortKind.AudioOut or Lv2PortKind.CvOut => entry->Outputs,
                Lv2PortKind.ControlIn => entry->Parameters,
                Lv2PortKind.ControlOut => entry->TelemetryFloats,
                Lv2PortKind.AtomIn => 3,
                _ => 1,
            };
            var needed = port->Kind <= Lv2PortKind.CvOut; // the others may lead nowhere
            if (port->Index >= most || port->Index < (needed ? 0 : -1)) return false;
        }

        return true;
    }

    /// <summary>
    /// A copy of the plugin with the table that plays it, in one block, which begins with the table; <paramref name="block"/>: sizeof(NativeModule)
    /// and the plugin's bytes.
    /// </summary>
    public static void Fill(void* block, Lv2Plugin* plugin, ModuleEntry* entry)
    {
        var table = (NativeModule*)block;
        var copy = (Lv2Plugin*)(table + 1);
        Buffer.MemoryCopy(plugin, copy, plugin->Bytes, plugin->Bytes);
        Table(table, copy);
        NativeInstance.Fill(entry, table);
        entry->SavesBesidePlaying = true;
    }

    /// <summary>Silences the newest type of a plugin's URI, or lets it play again, as the flags of <paramref name="like"/> have it: so do instances made from now on. False: there is none.</summary>
    public static bool Silence(ModuleType* types, int count, Lv2Plugin* like)
    {
        var silent = like->Flags & Lv2PluginFlags.Silent;
        for (var i = count - 1; i >= 0; i--)
        {
            if (!types[i].Entry.SavesBesidePlaying) continue;
            var plugin = (Lv2Plugin*)((NativeModule*)types[i].Entry.Context + 1);
            if (!Text(like->Uri).SequenceEqual(Text(plugin->Uri))) continue;
            Volatile.Write(ref *(uint*)&plugin->Flags, (uint)((plugin->Flags & ~Lv2PluginFlags.Silent) | silent));
            return true;
        }

        return false;
    }

    /// <summary>Why the last plugin that could not be made was not. [steward, probe]</summary>
    public static byte* Failure() => LastFailure();

    private static ReadOnlySpan<byte> Text(byte* uri) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(uri);

    private static bool IsSound(Lv2Plugin* p)
    {
        if (p->LatencyPort < -1 || p->LatencyPort >= p->Ports || p->StateBytes is < 0 or > MostStateBytes) return false;
        if (p->Tempo < -1 || p->Clock < -1 || p->Pulses < -1 || (p->Tempo < 0 && p->Clock >= 0) || (p->Clock < 0) != (p->Pulses < 0)) return false;
        if (!Ends(p->Uri, Lv2Plugin.UriBytes) || !Ends(p->Bundle, LibraryRecord.PathBytes) || !Ends(p->Binary, LibraryRecord.PathBytes)) return false;
        for (var i = 0; i < p->Ports; i++)
        {
            var port = Lv2Plugin.PortsOf(p) + i;
            if (port->Kind is < 0 or > Lv2PortKind.Unused || !float.IsFinite(port->Value)) return false;
            if (port->Kind is Lv2PortKind.AtomIn or Lv2PortKind.AtomOut && port->Bytes is < 64 or > MostSequenceBytes) return false;
        }

        return p->LatencyPort < 0 || Lv2Plugin.PortsOf(p)[p->LatencyPort].Kind == Lv2PortKind.ControlOut;
    }

    private static bool Ends(byte* text, int room) => new ReadOnlySpan<byte>(text, room).Contains((byte)0);

    [LibraryImport(Library, EntryPoint = "ssp_lv2_table")]
    private static partial void Table(NativeModule* table, Lv2Plugin* plugin);

    [LibraryImport(Library, EntryPoint = "ssp_lv2_failure")]
    private static partial byte* LastFailure();
}
