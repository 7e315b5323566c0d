// Libraries of modules in the configured directories: found, copied, tried, loaded, and replaced while they play.
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Supervision;

namespace SspHost.Playing;

/// <summary>
/// The control process's side of the door. Nothing is loaded but what lies in these directories, whatever a patch says. What the engine loads is a
/// copy under a name of its own: the same name would give the old image again, and a file that is written over while it is mapped would take
/// the engine down. Thread-safe.
/// </summary>
internal sealed class ModuleLibraries(IReadOnlyList<string> directories, string copies)
{
    /// <summary>Replaced libraries that stay in the engine's memory before it is said.</summary>
    public const int ManyReplaced = 20;

    private const string Busy = "it is being written at this moment";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (DateTime Time, long Bytes)> _loaded = new(StringComparer.Ordinal); // by file; as it was
    private readonly Dictionary<string, (DateTime Time, long Bytes)> _tried = new(StringComparer.Ordinal); // the same, whatever came of it
    private readonly Dictionary<string, (DateTime Time, long Bytes)> _guilty = new(StringComparer.Ordinal); // took the engine down while loading
    private readonly HashSet<string> _distrusted = new(StringComparer.Ordinal); // directories of which that was said
    private int _copy;
    private int _warned;

    /// <summary>What the libraries in the directories bring, where no engine runs that has loaded them: each is tried.</summary>
    public static IReadOnlyList<ModuleDescriptor> Describe(IReadOnlyList<string> directories, IReadOnlyList<ModuleDescriptor> shipped, Action<string> say)
    {
        var all = new List<ModuleDescriptor>();
        var files = Find(directories, out var distrusted);
        foreach (var (directory, why) in distrusted) say($"{directory}: {why}");
        foreach (var file in files)
        {
            var result = Probe(file);
            if ((result.Refusal ?? Taken(result.Descriptors, file, new DescriptorIndex([.. shipped, .. all]))) is { } why) say($"{file}: {why}");
            else all.AddRange(result.Descriptors);
        }

        return all;
    }

    // The files in the directories that can be trusted, in order of name.
    private static List<string> Find(IReadOnlyList<string> directories, out List<RefusedLibrary> distrusted)
    {
        var found = new List<string>();
        distrusted = [];
        foreach (var directory in directories)
        {
            try
            {
                if (!Directory.Exists(directory)) continue;
                if (LibraryFile.Distrust(directory) is { } why) distrusted.Add(new RefusedLibrary(directory, why));
                else found.AddRange(Directory.GetFiles(directory, "*.so").Order(StringComparer.Ordinal));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // One that cannot be read has nothing in it.
            }
        }

        return found;
    }

    // Where it lies: nothing but a child of ours maps it.
    private static ProbeResult Probe(string file)
    {
        try
        {
            using var source = LibraryFile.Open(file);
            return Unfit(source, file) is { } why ? new ProbeResult([], why) : LibraryProbe.Run(file, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ProbeResult([], e.Message);
        }
    }

    /// <summary>The engine was there before this process: what it has is taken as it is.</summary>
    public void Adopt(DescriptorIndex modules)
    {
        lock (_lock)
        {
            foreach (var file in modules.Descriptors.Select(d => d.File).Where(f => f.Length > 0).Distinct(StringComparer.Ordinal)) _loaded[file] = StampOf(file);
            _copy = modules.Descriptors.Count; // names that are surely free
        }
    }

    /// <summary>Loads into an engine that is new, or lacks some, what lies in the directories.</summary>
    public ReloadReport LoadAll(EngineSlot slot, DescriptorIndex modules)
    {
        lock (_lock)
        {
            var found = Find(directories, out var distrusted);
            var there = modules.Descriptors.Select(d => d.File).ToHashSet(StringComparer.Ordinal);
            foreach (var gone in _loaded.Keys.Where(f => !there.Contains(f)).ToArray()) _loaded.Remove(gone);
            if (_loaded.Count == 0) Clear();
            _distrusted.UnionWith(distrusted.Select(d => d.File));
            return Load(found.Where(f => !_loaded.ContainsKey(f)), distrusted, slot, modules, session: null);
        }
    }

    /// <summary>Loads the library of a module type anew, or (null) each that is new or has changed.</summary>
    public ReloadReport Reload(EngineSlot slot, DescriptorIndex modules, PatchSession session, string? module)
    {
        lock (_lock)
        {
            var found = Find(directories, out var distrusted);
            if (module == null) return Load(found.Where(f => !_loaded.TryGetValue(f, out var was) || was != StampOf(f)), distrusted, slot, modules, session);
            var file = modules.Find(module)?.Descriptor.File;
            if (file is { Length: > 0 } && found.Contains(file, StringComparer.Ordinal)) return Load([file], [], slot, modules, session);
            var why = file == null ? "there is no such module" : file.Length == 0 ? "it ships with the engine" : $"its file {file} is in none of the module directories any more";
            if (file != null && distrusted.Find(d => d.File == Path.GetDirectoryName(file)) is { } distrust) why = $"{distrust.File}: {distrust.Why}";
            return new ReloadReport { Loaded = [], Refused = [new RefusedLibrary(module, why)] };
        }
    }

    /// <summary>
    /// Loads each library whose file is new or has changed since it was last tried. What is still being written is left alone, and
    /// <paramref name="again"/> says that it is to be looked at once more.
    /// </summary>
    public ReloadReport ReloadChanged(EngineSlot slot, DescriptorIndex modules, PatchSession session, out bool again)
    {
        lock (_lock)
        {
            var found = Find(directories, out var distrusted);
            var news = distrusted.Where(d => !_distrusted.Contains(d.File)).ToList();
            _distrusted.Clear();
            _distrusted.UnionWith(distrusted.Select(d => d.File));
            var report = Load(found.Where(f => !_tried.TryGetValue(f, out var was) || was != StampOf(f)), news, slot, modules, session);
            again = report.Refused.Any(r => r.Why == Busy);
            return again ? report with { Refused = [.. report.Refused.Where(r => r.Why != Busy)] } : report;
        }
    }

    /// <summary>What is to be said once many replaced libraries are in memory; null: nothing, or it was said.</summary>
    public string? Warning(DescriptorIndex modules)
    {
        lock (_lock)
        {
            var replaced = modules.Types.Where(t => t.Descriptor.File.Length > 0 && modules.Find(t.Descriptor.Id) != t).Select(t => (t.Descriptor.File, t.Revision)).Distinct().Count();
            if (replaced < ManyReplaced) _warned = 0; // another engine
            if (replaced / ManyReplaced == _warned) return null;
            _warned = replaced / ManyReplaced;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{replaced} replaced libraries are still in the engine's memory, which cannot be unloaded: 'ssp stop' and 'ssp run' begin anew");
        }
    }

    private ReloadReport Load(IEnumerable<string> files, List<RefusedLibrary> distrusted, EngineSlot slot, DescriptorIndex modules, PatchSession? session)
    {
        var loaded = new List<LoadedLibrary>();
        var refused = new List<RefusedLibrary>(distrusted);
        foreach (var file in files.ToArray())
        {
            try
            {
                var stamp = StampOf(file);
                var ids = Load(file, slot, modules, session, out var why);
                if (why != Busy) _tried[file] = stamp;
                if (why != null) refused.Add(new RefusedLibrary(file, why));
                else
                {
                    loaded.Add(new LoadedLibrary(file, ids));
                    _loaded[file] = stamp;
                }
            }
            catch (EngineGoneException)
            {
                _tried[file] = _guilty[file] = StampOf(file);
                refused.Add(new RefusedLibrary(file, "it took the engine down while it was loaded; it is not tried again before it changes"));
                break;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or EngineRefusedException or EngineTimeoutException or ArgumentException or InvalidDataException)
            {
                _tried[file] = StampOf(file);
                refused.Add(new RefusedLibrary(file, e.Message));
            }
        }

        return new ReloadReport { Loaded = loaded, Refused = refused };
    }

    private string[] Load(string file, EngineSlot slot, DescriptorIndex modules, PatchSession? session, out string? why)
    {
        why = _guilty.TryGetValue(file, out var then) && then == StampOf(file) ? "it took the engine down while it was loaded, and has not changed since" : null;
        if (why != null) return [];
        var copy = Copy(file, out why);
        if (copy == null) return [];
        var probed = LibraryProbe.Run(copy, file);
        why = probed.Refusal ?? Taken(probed.Descriptors, file, modules) ?? Misfit(probed.Descriptors, modules, session);
        if (why == null && !slot.Try(static _ => true, otherwise: false)) why = "the engine is being started again";
        if (why != null)
        {
            File.Delete(copy);
            return [];
        }

        slot.Use(link => link.LoadLibrary(LibraryKind.Native, copy, file));
        var all = slot.Use(link => link.ReadDescriptors());
        if (session == null) modules.Update(all);
        else if (session.Renew(() => modules.Update(all)) is { } error) why = error.ToString();
        return [.. probed.Descriptors.Select(d => d.Id)];
    }

    // The engine would say so, too; but then the library would be in its memory.
    private static string? Taken(IReadOnlyList<ModuleDescriptor> brought, string file, DescriptorIndex modules)
    {
        foreach (var d in brought)
        {
            if (modules.Find(d.Id)?.Descriptor is { } other && other.File != file)
                return $"there is a module '{d.Id}' already, {(other.File.Length == 0 ? "which ships with the engine" : "from " + other.File)}";
        }

        return null;
    }

    // What plays must still be possible: a port that is gone has a cable in it.
    private static string? Misfit(IReadOnlyList<ModuleDescriptor> brought, DescriptorIndex modules, PatchSession? session) =>
        session != null && PatchCheck.Types(session.Current, new DescriptorIndex([.. modules.Descriptors, .. brought])) is { } error
            ? "the patch that plays does not fit it: " + error
            : null;

    // What is tried is what is loaded: one open file is looked at and copied, whatever becomes of its name. Null with the reason.
    private string? Copy(string file, out string? why)
    {
        using var source = LibraryFile.Open(file);
        why = Unfit(source, file);
        if (why != null) return null;
        Directory.CreateDirectory(copies, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (LibraryFile.Distrust(copies) is { } distrust)
        {
            why = $"{copies}, where copies are kept: {distrust}";
            return null;
        }

        var copy = Path.Combine(copies, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{++_copy}-{Path.GetFileName(file)}"));
        var written = RandomAccess.GetLength(source);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using (var to = new FileStream(copy, options))
        {
            var buffer = new byte[1 << 16];
            var at = 0L;
            for (int n; (n = RandomAccess.Read(source, buffer, at)) > 0; at += n) to.Write(buffer, 0, n);
            if (at != written || LibraryFile.IsBeingWritten(source)) why = Busy;
        }

        if (why == null) return copy;
        File.Delete(copy);
        return null;
    }

    private static string? Unfit(SafeFileHandle file, string path)
    {
        if (LibraryFile.Distrust(file, path) is { } distrust) return distrust;
        if (LibraryFile.IsBeingWritten(file)) return Busy;
        var head = new byte[64];
        var read = RandomAccess.Read(file, head, 0);
        return LibraryFile.IsWhole(head.AsSpan(0, read), RandomAccess.GetLength(file)) ? null : "it ends before its own tables do: whoever wrote it did not finish";
    }

    // Of engines that are gone.
    private void Clear()
    {
        try
        {
            if (Directory.Exists(copies)) Directory.Delete(copies, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They lie there a while longer.
        }
    }

    private static (DateTime Time, long Bytes) StampOf(string file)
    {
        var info = new FileInfo(file);
        return info.Exists ? (info.LastWriteTimeUtc, info.Length) : default;
    }
}
