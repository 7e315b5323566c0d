// Libraries of modules that come while it plays: opened, checked, made known to every RT thread, and only then among the module types.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Service;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Loading;

/// <summary>What a library brought.</summary>
internal readonly record struct Loaded(int First, int Count, int Record);

/// <summary>
/// Nothing is ever unloaded: a type that was replaced lives on for its instances, and a runtime cannot be unloaded at all. Allocates nothing
/// managed. LV2 plugins come with descriptors from the request, and their binaries are opened later (<see cref="Lv2Types"/>). [steward]
/// </summary>
internal sealed unsafe partial class LibraryLoader
{
    private const int Now = 2; // RTLD_NOW | RTLD_LOCAL

    private readonly RegionMap _map;
    private readonly Pool* _pool;
    private readonly Renderer _renderer;
    private readonly NativeModule** _tables;
    private readonly ulong* _collections; // functions, by record
    private readonly ulong* _before;
    private int _records;
    private byte* _blob, _former; // descriptor blobs in the pool: the one that is published, and the one a reader may still be in

    /// <summary>Takes its places in the pool. [start-up]</summary>
    public LibraryLoader(RegionMap map, Pool* pool, Renderer renderer)
    {
        _map = map;
        _pool = pool;
        _renderer = renderer;
        _tables = (NativeModule**)ModuleTypes.Take(pool, Limits.MaxLibraryModules * (long)sizeof(NativeModule*));
        _collections = (ulong*)ModuleTypes.Take(pool, Limits.MaxLibraries * (long)sizeof(ulong));
        _before = (ulong*)ModuleTypes.Take(pool, Limits.MaxLibraries * (long)sizeof(ulong));
        Attachments.Prepare();
    }

    /// <summary>Loads one. False: nothing has changed but that the library may be in memory, and the request's block says why.</summary>
    public bool Load(LibraryLoad* load, Playback audio, out Loaded loaded)
    {
        loaded = default;
        load->Path[LibraryRecord.PathBytes - 1] = load->File[LibraryRecord.PathBytes - 1] = 0;
        var words = new RefusalText(load->Refusal, LibraryLoad.RefusalBytes);
        words.Clear();
        if (load->Kind == LibraryKind.Lv2 && load->DescriptorBytes == 0) return Silence(load, ref words);
        if (_records == Limits.MaxLibraries)
        {
            words.Add("no more than 256 libraries can be loaded by one engine: start it anew"u8);
            return false;
        }

        SignalsKeep();
        void* handle;
        int count;
        byte* record = null;
        long recordBytes = 0;
        bool sound;
        var name = stackalloc byte[InstanceRecord.NameBytes];
        NameOf(load->File, name);
        using (new StewardVisit(_map, -1, 0, 0, name)) // should it not come back, the file is named
        {
            handle = Open(load, ref words, out count);
            sound = handle != null;
        }

        SignalsRestore();
        if (!sound) return false;
        if (_renderer.TypeCount + count > Limits.MaxModuleTypes)
        {
            words.Add("no more than 1024 module types can be in one engine, those that were replaced included: start it anew"u8);
            return false;
        }

        if (load->Kind == LibraryKind.Native)
        {
            var counter = new DescriptorPen(null);
            for (var i = 0; i < count; i++) counter.Module(_tables[i]->Descriptor, load->File);
            recordBytes = counter.Bytes;
            record = (byte*)_pool->Allocate(0, recordBytes, 0);
            if (record == null) return NoMemory(ref words);
            var pen = new DescriptorPen(record);
            for (var i = 0; i < count; i++) pen.Module(_tables[i]->Descriptor, load->File);
        }
        else
        {
            // The blob of the request, without its head.
            const int Head = 2 * sizeof(int);
            recordBytes = load->DescriptorBytes - Head;
            record = recordBytes <= 0 ? null : (byte*)_pool->Allocate(0, recordBytes, 0);
            if (record == null) return NoMemory(ref words);
            Buffer.MemoryCopy((byte*)(load + 1) + Head, record, recordBytes, recordBytes);
        }

        sound = AreFree(record, recordBytes, count, ref words) && Fill(record, recordBytes, count, load, ref words);
        if (sound && load->Kind == LibraryKind.Native && !Attach(handle, audio))
        {
            words.Add("an audio thread did not make itself known to the library's runtime in time: it is stuck, or its device stands still"u8);
            sound = false;
        }

        if (sound && !Publish(record, recordBytes, count)) sound = NoMemory(ref words);
        _pool->Free(0, record);
        if (!sound)
        {
            FreeTypes(count);
            return false;
        }

        loaded = new Loaded(_renderer.TypeCount, count, _records);
        _renderer.Grow(count);
        Note(load, handle, loaded);
        return true;
    }

    /// <summary>
    /// Tells how often the libraries' runtimes have collected. A runtime that waits for a thread which one of its modules has cost the engine lets
    /// nobody in any more: then the file is named, and the engine made anew as for a module that does not come back.
    /// </summary>
    public void PublishCollections()
    {
        var name = stackalloc byte[InstanceRecord.NameBytes];
        for (var i = 0; i < _records; i++)
        {
            if (_collections[i] == 0) continue;
            NameOf(_map.Libraries[i].File, name);
            using (new StewardVisit(_map, -1, 0, 0, name))
                Volatile.Write(ref _map.Libraries[i].Collections, ((delegate* unmanaged[Cdecl]<ulong>)_collections[i])() - _before[i]);
        }
    }

    // Opens the library and finds its modules; null with the reason.
    private void* Open(LibraryLoad* load, ref RefusalText words, out int count)
    {
        count = 0;
        if (load->Kind == LibraryKind.Lv2)
        {
            // Each binary is opened with its first instance: of hundreds of plugins a patch uses few.
            count = Lv2Types.Count(Plugins(load), load->PluginBytes);
            if (count is > 0 and <= Limits.MaxLibraryModules && CountOf(load) == count) return load;
            words.Add("its plugins are damaged, more than 256, or not as many as its descriptors"u8);
            return null;
        }

        if (load->Kind != LibraryKind.Native)
        {
            words.Add("this engine loads no libraries of that kind"u8);
            return null;
        }

        return OpenNative(load->Path, _tables, load->Refusal, LibraryLoad.RefusalBytes, out count);
    }

    private static byte* Plugins(LibraryLoad* load) => (byte*)load + LibraryLoad.PluginsAt(load->DescriptorBytes);

    // Of the descriptors' head.
    private static int CountOf(LibraryLoad* load)
    {
        var eye = new DescriptorEye((byte*)(load + 1), load->DescriptorBytes);
        return eye.Number() == (int)AbiVersion.Descriptors ? eye.Number() : -1;
    }

    private bool Silence(LibraryLoad* load, ref RefusalText words)
    {
        if (Lv2Types.Count(Plugins(load), load->PluginBytes) == 1 && Lv2Types.Silence(_renderer.Types, _renderer.TypeCount, (Lv2Plugin*)Plugins(load))) return true;
        words.Add("there is no plugin of that URI to be silenced or to play again"u8);
        return false;
    }

    /// <summary>Opens a native library and checks its tables. Null with the reason in <paramref name="refusal"/>. [steward, probe]</summary>
    public static void* OpenNative(byte* path, NativeModule** tables, byte* refusal, int room, out int count)
    {
        count = 0;
        var words = new RefusalText(refusal, room);
        words.Clear();
        var handle = DlOpen(path, Now);
        if (handle == null)
        {
            words.Add("it cannot be loaded: "u8);
            Add(ref words, DlError());
            return null;
        }

        var get = (delegate* unmanaged[Cdecl]<uint, NativeModule*>)Find(handle, "ssp_module_get\0"u8);
        if (get == null)
        {
            words.Add("it has no function ssp_module_get: it is no library of modules"u8);
            return null;
        }

        while (count <= Limits.MaxLibraryModules)
        {
            var table = get((uint)count);
            if (table == null) break;
            if (count == Limits.MaxLibraryModules)
            {
                words.Add("it has more than 256 modules, or its ssp_module_get never returns NULL"u8);
                return null;
            }

            tables[count++] = table;
        }

        return new NativeCheck(refusal, room).Run(tables, count) ? handle : null;
    }

    /// <summary>A function of a library; null: it has none of that name.</summary>
    public static void* Find(void* handle, ReadOnlySpan<byte> name)
    {
        fixed (byte* n = name) return DlSym(handle, n);
    }

    // No id is another file's: whoever patched that must not get this.
    private bool AreFree(byte* record, long bytes, int count, ref RefusalText words)
    {
        var mine = new DescriptorEye(record, bytes);
        for (var i = 0; i < count; i++)
        {
            var at = mine.At;
            if (!mine.Record(null, null, out var id, out var idBytes)) break;
            var myFile = FileOf(record + at, bytes - at, out var myFileBytes);
            var theirs = new DescriptorEye(_map.At(_map.Header->DescriptorsOffset), _map.Header->DescriptorsBytes);
            _ = theirs.Number();
            _ = theirs.Number();
            for (var t = 0; t < _renderer.TypeCount; t++)
            {
                var start = theirs.At;
                if (!theirs.Record(null, null, out var other, out var otherBytes)) break;
                if (!new ReadOnlySpan<byte>(id, idBytes).SequenceEqual(new ReadOnlySpan<byte>(other, otherBytes))) continue;
                var file = FileOf(_map.At(_map.Header->DescriptorsOffset) + start, _map.Header->DescriptorsBytes - start, out var fileBytes);
                if (new ReadOnlySpan<byte>(file, fileBytes).SequenceEqual(new ReadOnlySpan<byte>(myFile, myFileBytes))) continue;
                words.Add("module "u8);
                words.Add(i);
                words.Add(": there is a module '"u8);
                words.Add(new ReadOnlySpan<byte>(id, idBytes));
                words.Add("' already, "u8);
                words.Add(fileBytes == 0 ? "which ships with the engine"u8 : "from "u8);
                words.Add(new ReadOnlySpan<byte>(file, fileBytes));
                return false;
            }
        }

        if (mine.Sound && mine.At == bytes) return true;
        words.Add("its descriptors are damaged"u8);
        return false;
    }

    private static byte* FileOf(byte* record, long bytes, out int count)
    {
        var eye = new DescriptorEye(record, bytes);
        return eye.File(out count);
    }

    // The types' tables behind the last type, not counted yet.
    private bool Fill(byte* record, long bytes, int count, LibraryLoad* load, ref RefusalText words)
    {
        var eye = new DescriptorEye(record, bytes);
        var plugin = (Lv2Plugin*)Plugins(load);
        for (var i = 0; i < count; i++)
        {
            var type = _renderer.Types + _renderer.TypeCount + i;
            *type = default;
            if (!eye.Record(type, _pool, out var id, out var idBytes)) return NoMemory(ref words);
            RtGuard.Name(_renderer.TypeCount + i, id, idBytes, load->File);
            if (load->Kind == LibraryKind.Lv2)
            {
                if (!Lv2Types.Fits(plugin, &type->Entry))
                {
                    words.Add("a plugin's ports do not fit its descriptor: number "u8);
                    words.Add(i);
                    return false;
                }

                var both = _pool->Allocate(0, sizeof(NativeModule) + plugin->Bytes, 0);
                if (both == null) return NoMemory(ref words);
                Lv2Types.Fill(both, plugin, &type->Entry);
                plugin = Lv2Types.Next(plugin);
                continue;
            }

            var table = (NativeModule*)_pool->Allocate(0, sizeof(NativeModule), 0);
            if (table == null) return NoMemory(ref words);
            *table = *_tables[i];
            NativeInstance.Fill(&type->Entry, table);
        }

        return true;
    }

    private void FreeTypes(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var type = _renderer.Types + _renderer.TypeCount + i;
            if (type->Tables != null) _pool->Free(0, type->Tables);
            if (type->Entry.Context != null) _pool->Free(0, type->Entry.Context);
            *type = default;
        }
    }

    // Counted even where a thread does not come to it: the library stays, and so does its runtime.
    private static bool Attach(void* handle, Playback audio)
    {
        var attach = (delegate* unmanaged[Cdecl]<void>)Find(handle, "ssp_thread_attach\0"u8);
        if (attach == null) return true;
        Attachments.Add(attach);
        return audio.AttachThreads();
    }

    // A blob with everything in it, put in place of the one before: a reader that was in that sees the generation change.
    private bool Publish(byte* record, long bytes, int count)
    {
        const int Head = 2 * sizeof(int);
        var header = _map.Header;
        var all = header->DescriptorsBytes + bytes;
        var blob = (byte*)_pool->Allocate(0, all, 0);
        if (blob == null) return false;
        var pen = new DescriptorPen(blob);
        pen.Number((int)AbiVersion.Descriptors);
        pen.Number(_renderer.TypeCount + count);
        pen.Copy(_map.At(header->DescriptorsOffset) + Head, header->DescriptorsBytes - Head);
        pen.Copy(record, bytes);

        _ = Interlocked.Increment(ref header->DescriptorsGeneration); // odd; a full fence
        header->DescriptorsOffset = _map.OffsetOf(blob);
        header->DescriptorsBytes = all;
        _ = Interlocked.Increment(ref header->DescriptorsGeneration);
        if (_former != null) _pool->Free(0, _former);
        _former = _blob;
        _blob = blob;
        return true;
    }

    private void Note(LibraryLoad* load, void* handle, Loaded loaded)
    {
        var collections = (delegate* unmanaged[Cdecl]<ulong>)(load->Kind == LibraryKind.Native ? Find(handle, "ssp_runtime_collections\0"u8) : null);
        _collections[_records] = (ulong)collections;
        _before[_records] = collections == null ? 0 : collections();
        var note = _map.Libraries + _records;
        (note->Kind, note->FirstType, note->Collections) = (load->Kind, loaded.First, 0);
        note->HasRuntime = load->Kind != LibraryKind.Native || Find(handle, "ssp_thread_attach\0"u8) == null ? 0 : 1;
        new ReadOnlySpan<byte>(load->File, LibraryRecord.PathBytes).CopyTo(new Span<byte>(note->File, LibraryRecord.PathBytes));
        Volatile.Write(ref note->Types, loaded.Count);
        _records++;
        var log = default(Log);
        log.Text("library: "u8);
        log.Text(load->File, LibraryRecord.PathBytes);
        log.Text(", modules "u8);
        log.Number(loaded.First);
        log.Text(" to "u8);
        log.Number(loaded.First + loaded.Count - 1);
        log.End();
    }

    private static bool NoMemory(ref RefusalText words)
    {
        words.Add("there is no memory for its descriptors in the region (--region-mib)"u8);
        return false;
    }

    private static void Add(ref RefusalText words, byte* text)
    {
        var length = 0;
        while (text != null && text[length] != 0) length++;
        words.Add(new ReadOnlySpan<byte>(text, length));
    }

    // The end of a path, cut to what a name holds.
    private static void NameOf(byte* path, byte* name)
    {
        var start = path;
        for (var p = path; *p != 0; p++)
            if (*p == '/') start = p + 1;
        var i = 0;
        for (; i < InstanceRecord.NameBytes - 1 && start[i] != 0; i++) name[i] = start[i];
        for (; i < InstanceRecord.NameBytes; i++) name[i] = 0;
    }

    [LibraryImport("libc", EntryPoint = "dlopen")]
    private static partial void* DlOpen(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "dlsym")]
    private static partial void* DlSym(void* handle, byte* name);

    [LibraryImport("libc", EntryPoint = "dlerror")]
    private static partial byte* DlError();

    [LibraryImport("libssphost_native", EntryPoint = "ssp_signals_keep")]
    private static partial void SignalsKeep();

    [LibraryImport("libssphost_native", EntryPoint = "ssp_signals_restore")]
    private static partial void SignalsRestore();
}
