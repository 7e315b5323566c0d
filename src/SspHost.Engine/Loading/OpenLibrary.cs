// A library of modules outside of an engine: for the child that probes it, the conformance suite and tests. May allocate.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Loading;

/// <summary>A library that was opened and whose tables are sound. It stays loaded as long as the process.</summary>
public sealed unsafe class OpenLibrary
{
    private OpenLibrary(byte[] blob, ModuleEntry[] entries, bool hasRuntime)
    {
        Blob = blob;
        Descriptors = DescriptorBlob.Read(blob);
        Entries = entries;
        HasRuntime = hasRuntime;
    }

    /// <summary>The descriptors as the engine would publish them.</summary>
    public byte[] Blob { get; }

    /// <summary>What is known of its modules.</summary>
    public IReadOnlyList<ModuleDescriptor> Descriptors { get; }

    /// <summary>Their functions, in the same order.</summary>
    public IReadOnlyList<ModuleEntry> Entries { get; }

    /// <summary>Whether it brings a runtime of its own that RT threads have to be made known to.</summary>
    public bool HasRuntime { get; }

    /// <summary>Opens <paramref name="path"/>; null with one sentence on why not.</summary>
    public static OpenLibrary? Open(string path, string file, out string refusal)
    {
        var words = stackalloc byte[LibraryLoad.RefusalBytes];
        var tables = (NativeModule**)NativeMemory.AllocZeroed(Limits.MaxLibraryModules, (nuint)sizeof(NativeModule*));
        try
        {
            void* handle;
            int count;
            fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0")) handle = LibraryLoader.OpenNative(name, tables, words, LibraryLoad.RefusalBytes, out count);
            refusal = LibraryRecord.Text(words, LibraryLoad.RefusalBytes);
            if (handle == null) return null;
            return new OpenLibrary(BlobOf(tables, count, file), EntriesOf(tables, count), LibraryLoader.Find(handle, "ssp_thread_attach\0"u8) != null);
        }
        finally
        {
            NativeMemory.Free(tables);
        }
    }

    private static byte[] BlobOf(NativeModule** tables, int count, string file)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(file + "\0"))
        {
            var counter = new DescriptorPen(null);
            Write(ref counter, tables, count, name);
            var blob = new byte[counter.Bytes];
            fixed (byte* at = blob)
            {
                var pen = new DescriptorPen(at);
                Write(ref pen, tables, count, name);
            }

            return blob;
        }
    }

    private static void Write(ref DescriptorPen pen, NativeModule** tables, int count, byte* file)
    {
        pen.Number((int)AbiVersion.Descriptors);
        pen.Number(count);
        for (var i = 0; i < count; i++) pen.Module(tables[i]->Descriptor, file);
    }

    private static ModuleEntry[] EntriesOf(NativeModule** tables, int count)
    {
        var entries = new ModuleEntry[count];
        for (var i = 0; i < count; i++)
        {
            var d = tables[i]->Descriptor;
            long floats = 0;
            for (var t = 0; t < d->TelemetryCount; t++) floats += d->Telemetry[t].Length;
            var table = (NativeModule*)NativeMemory.Alloc((nuint)sizeof(NativeModule)); // as long as the library
            *table = *tables[i];
            ModuleEntry entry = default;
            NativeInstance.Fill(&entry, table);
            (entry.Inputs, entry.Outputs, entry.Parameters, entry.Settings, entry.Assets) = (d->InputCount, d->OutputCount, d->ParameterCount, d->SettingCount, d->AssetCount);
            (entry.TelemetryFloats, entry.StateBytes, entry.Version) = ((int)floats, d->StateBytes, d->Version);
            entry.AcceptsEvents = (d->Flags & ModuleFlags.AcceptsEvents) != 0;
            entry.HasTail = (d->Flags & ModuleFlags.HasTail) != 0;
            entry.Sheddable = (d->Flags & ModuleFlags.Essential) == 0;
            entries[i] = entry;
        }

        return entries;
    }
}
