// Trace files that nobody asked for: written after something went wrong, few, and bounded.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// A dump is written a second after what caused it, so that the aftermath is in it; what happens within the next half minute is in that one or in
/// none. The last ten are kept, and no more than a quarter of a gigabyte. A directory that cannot be written to is told once.
/// </summary>
public sealed class TraceDumps(string directory, Action<string> say)
{
    /// <summary>Files kept, and bytes of them.</summary>
    public const int Most = 10;

    /// <inheritdoc cref="Most"/>
    public const long MostBytes = 256 << 20;

    private const string Pattern = "*.ssptrace";
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(30), Aftermath = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new(), _writeLock = new();
    private ulong _last, _lastAtOnce;
    private bool _troubled;
    private Task _writing = Task.CompletedTask;

    /// <summary>Where they are.</summary>
    public string Directory => directory;

    /// <summary>The last one written.</summary>
    public string? Latest { get; private set; }

    /// <summary>
    /// Asks for a dump; false where one was asked for less than half a minute ago. <paramref name="write"/> writes it to a path, on another
    /// thread; it may throw an <see cref="IOException"/>. <paramref name="now"/>: what it is of is gone in a moment, so what was asked for before it
    /// does not stand in its way, only another such does.
    /// </summary>
    public bool Ask(string reason, Action<string> write, bool now = false)
    {
        lock (_lock)
        {
            var time = Linux.Now();
            ref var before = ref now ? ref _lastAtOnce : ref _last;
            if (before != 0 && time - before < (ulong)Apart.TotalNanoseconds) return false;
            before = time;
            if (now) _last = time;
            var writing = Task.Run(async () =>
            {
                if (!now) await Task.Delay(Aftermath);
                lock (_writeLock) Write(reason, write);
            });
            _writing = _writing.IsCompleted ? writing : Task.WhenAll(_writing, writing);
            return true;
        }
    }

    /// <summary>Waits for the one that is being written.</summary>
    public void Finish()
    {
        Task writing;
        lock (_lock) writing = _writing;
        writing.Wait();
    }

    /// <summary>The files there are, the newest first.</summary>
    public IReadOnlyList<string> Files()
    {
        try
        {
            return [.. System.IO.Directory.GetFiles(directory, Pattern).OrderDescending(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // A defect here must not end the process: it is told like a full disk.
    private void Write(string reason, Action<string> write)
    {
        var path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyyMMdd-HHmmss}-{reason}.ssptrace"));
        try
        {
            System.IO.Directory.CreateDirectory(directory);
            write(path);
            Latest = path;
            _troubled = false;
            say($"trace of the last seconds before this: {path}");
            Tidy();
        }
        catch (Exception e)
        {
            if (!_troubled) say($"no trace could be kept of this: {PlainText.OneLine(e.Message)}");
            _troubled = true;
        }
    }

    private void Tidy()
    {
        long bytes = 0;
        var kept = 0;
        foreach (var file in Files())
        {
            bytes += new FileInfo(file).Length;
            if (++kept > 1 && (kept > Most || bytes > MostBytes)) File.Delete(file);
        }
    }
}
