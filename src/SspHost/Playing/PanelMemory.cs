// What the panel remembers of itself across a crash: a small file of lines, written soon after.
using System.Text;
using SspHost.Patching;

namespace SspHost.Playing;

/// <summary>Lines by name. Thread-safe; nobody waits for the disk.</summary>
internal sealed class PanelMemory : IDisposable
{
    private const int SoonMs = 250;
    private const int MostBytes = 64 << 10;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _lines = new(StringComparer.Ordinal);
    private readonly string _path;
    private readonly Action<string> _say;
    private readonly Timer _timer;
    private bool _told;

    public PanelMemory(string path, Action<string> say)
    {
        (_path, _say) = (path, say);
        _timer = new Timer(_ => Write());
        if (!File.Exists(path)) return;
        try
        {
            if (new FileInfo(path).Length > MostBytes) return; // none of ours
            foreach (var line in File.ReadLines(path))
            {
                if (line.Split('=', 2) is [{ Length: > 0 } name, var value]) _lines[name] = value;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            say($"{path}: not read, the panel begins anew: {PatchError.OneLine(e.Message)}");
        }
    }

    public void Keep(string name, string value)
    {
        lock (_lock)
        {
            var line = PatchError.OneLine(value, 1000);
            if (_lines.TryGetValue(name, out var before) && before == line) return;
            _lines[name] = line;
            _timer.Change(SoonMs, Timeout.Infinite);
        }
    }

    public string? Find(string name)
    {
        lock (_lock) return _lines.GetValueOrDefault(name);
    }

    public void Dispose()
    {
        using var done = new ManualResetEvent(initialState: false);
        if (_timer.Dispose(done)) done.WaitOne();
        Write();
    }

    private void Write()
    {
        var text = new StringBuilder();
        lock (_lock)
        {
            if (_lines.Count == 0) return;
            foreach (var (name, value) in _lines) text.Append(name).Append('=').Append(value).Append('\n');
        }

        try
        {
            AtomicFile.Write(_path, Encoding.UTF8.GetBytes(text.ToString()));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_told) _say($"{_path}: the panel's page is not kept: {PatchError.OneLine(e.Message)}");
            _told = true;
        }
    }
}
