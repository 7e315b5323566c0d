// Watches the directories of modules: a library that was rebuilt is loaded when whoever wrote it has come to rest.
namespace SspHost.Playing;

/// <summary>
/// Asks to look at the directories when something has changed in one of them and then nothing for a while, as a compiler and a linker write many
/// times; and once more for as long as somebody is still writing. Directories may come, go and be replaced.
/// </summary>
internal sealed class ModuleWatch : IDisposable
{
    private const int QuietMs = 300; // between the writes of a linker lie milliseconds
    private const int DirectoriesMs = 2000;

    private readonly IReadOnlyList<string> _directories;
    private readonly Func<bool> _look;
    private readonly Action<string> _say;
    private readonly Dictionary<string, (FileSystemWatcher Watcher, DateTime Made)> _watched = new(StringComparer.Ordinal);
    private readonly AutoResetEvent _changed = new(initialState: false);
    private readonly Thread _thread;
    private volatile bool _ended;
    private string _trouble = "";

    /// <summary>Begins. <paramref name="look"/> looks for what has changed, on a thread of this; true: it is to be asked again soon.</summary>
    public ModuleWatch(IReadOnlyList<string> directories, Func<bool> look, Action<string> say)
    {
        (_directories, _look, _say) = (directories, look, say);
        _ = Arm();
        _thread = new Thread(Run) { IsBackground = true, Name = "module-watch" };
        _thread.Start();
    }

    public void Dispose()
    {
        _ended = true;
        _changed.Set();
        _thread.Join();
        foreach (var (watcher, _) in _watched.Values) watcher.Dispose();
        _changed.Dispose();
    }

    private void Run()
    {
        var again = true; // what changed before the first of them watched
        while (!_ended)
        {
            var changed = _changed.WaitOne(again ? QuietMs : DirectoriesMs);
            if (!Arm() && !changed && !again) continue;
            while (!_ended && _changed.WaitOne(QuietMs))
            {
                // Still at work.
            }

            if (!_ended) again = _look();
        }
    }

    // Watches what is there; true: something of it was not watched yet.
    private bool Arm()
    {
        var news = false;
        foreach (var directory in _directories)
        {
            try
            {
                var made = Directory.Exists(directory) ? Directory.GetCreationTimeUtc(directory) : default;
                var known = _watched.TryGetValue(directory, out var entry);
                if (known && entry.Made == made) continue;
                if (known)
                {
                    entry.Watcher.Dispose();
                    _watched.Remove(directory);
                }

                if (made == default) continue;
                var watcher = new FileSystemWatcher(directory, "*.so") { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size };
                FileSystemEventHandler set = (_, _) => _changed.Set();
                watcher.Created += set;
                watcher.Changed += set;
                watcher.Renamed += (_, _) => _changed.Set();
                watcher.Error += (_, _) => _changed.Set(); // events were lost: a look finds what they were about
                watcher.EnableRaisingEvents = true;
                _watched[directory] = (watcher, made);
                news = true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // No more watches to be had, say: the next round tries again.
                if (_trouble != e.Message) _say($"{directory} is not watched: {e.Message}");
                _trouble = e.Message;
            }
        }

        return news;
    }
}
