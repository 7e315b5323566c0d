// Addresses of an engine process in words: its symbol file, its maps, and what the libraries in it export.
using SspHost.Diagnostics.Symbols;

namespace SspHost.Diagnostics.Stalls;

/// <summary>
/// For one engine process. Maps are read at the beginning and again when an address is in none of them; so a process that has died since is still
/// told of. A symbol file of another build is not believed.
/// </summary>
public sealed class StackNames
{
    private static readonly string[] Systems = ["/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "["];

    private readonly int _pid;
    private readonly string _engine;
    private readonly Dictionary<string, SymbolTable?> _tables = new(StringComparer.Ordinal);
    private ProcessMaps _maps = ProcessMaps.Parse([]);

    /// <param name="pid">The engine.</param>
    public StackNames(int pid)
    {
        _pid = pid;
        _engine = LinkOf($"/proc/{pid}/exe");
        Refresh();
    }

    /// <summary>Of maps and the engine's path as given.</summary>
    public StackNames(ProcessMaps maps, string engine) => (_maps, _engine) = (maps, engine);

    /// <summary>Why there are no names of the engine's own functions; null: there are.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Reads the maps anew: after something was loaded.</summary>
    public void Refresh()
    {
        if (_pid > 0 && ProcessMaps.TryRead(_pid) is { } maps) _maps = maps;
    }

    /// <summary>An address in words. <paramref name="isReturn"/>: it is where a call returns to, so the call is the byte before.</summary>
    public StallFrame Find(ulong address, bool isReturn)
    {
        if (_maps.Find(address) == null) Refresh();
        if (_maps.Find(address) is not { } file) return new StallFrame(address, null, default, IsOwn: false);
        var place = TableOf(file.Path)?.Find(address - file.Base - (isReturn ? 1UL : 0)) ?? default;
        var engine = string.Equals(file.Path, _engine, StringComparison.Ordinal);
        var own = engine ? place.File != null : !Array.Exists(Systems, s => file.Path.StartsWith(s, StringComparison.Ordinal));
        return new StallFrame(address, Path.GetFileName(file.Path), place, own);
    }

    private SymbolTable? TableOf(string path)
    {
        if (_tables.TryGetValue(path, out var known)) return known;
        SymbolTable? table = null;
        if (path.StartsWith('/'))
        {
            try
            {
                table = string.Equals(path, _engine, StringComparison.Ordinal) ? OfEngine() : SymbolMaker.FromLibrary(ElfImage.Open(path));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                if (string.Equals(path, _engine, StringComparison.Ordinal)) Trouble = e.Message;
            }
        }

        return _tables[path] = table;
    }

    private SymbolTable OfEngine()
    {
        const string Suffix = ".sym", Deleted = " (deleted)"; // replaced while it runs: then the file beside it is another build's
        var path = _engine.EndsWith(Deleted, StringComparison.Ordinal) ? _engine[..^Deleted.Length] : _engine;
        var table = SymbolTable.Open(path + Suffix);
        var image = File.Exists($"/proc/{_pid}/exe") ? ElfImage.Open($"/proc/{_pid}/exe") : ElfImage.Open(path);
        return image.BuildId.AsSpan().SequenceEqual(table.BuildId) ? table : throw new InvalidDataException($"{path}{Suffix} is of another build of the engine than the one that runs");
    }

    private static string LinkOf(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
