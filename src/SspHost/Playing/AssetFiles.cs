// Finds the recordings a patch names and brings them into the region.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Wav;

namespace SspHost.Playing;

/// <summary>Paths in patches are relative: looked for beside the patches that were opened, the latest first.</summary>
internal sealed class AssetFiles
{
    private const int MostRoots = 8;
    private const int Chunk = 1 << 14;

    private readonly Lock _lock = new();
    private readonly List<string> _roots = [];
    private readonly string? _memory;

    /// <summary>Remembers its directories in a file, so that a patch out of the journal finds its recordings; null: does not.</summary>
    public AssetFiles(string? memory)
    {
        _memory = memory;
        if (memory != null && File.Exists(memory)) _roots.AddRange(File.ReadLines(memory).Where(Path.IsPathRooted).Take(MostRoots));
    }

    /// <summary>A patch of this directory was opened.</summary>
    public void AddRoot(string directory)
    {
        var full = Path.GetFullPath(directory);
        lock (_lock)
        {
            _roots.Remove(full);
            _roots.Insert(0, full);
            if (_roots.Count > MostRoots) _roots.RemoveAt(MostRoots);
            if (_memory == null) return;
            Directory.CreateDirectory(Path.GetDirectoryName(_memory)!);
            File.WriteAllLines(_memory, _roots);
        }
    }

    /// <summary>The file a patch means. Throws <see cref="FileNotFoundException"/> with where it was looked for.</summary>
    public string Resolve(string path)
    {
        // A patch comes from anybody: it names files beside it, nothing else.
        if (Path.IsPathRooted(path) || path.Split('/', '\\').Contains("..", StringComparer.Ordinal))
            throw new FileNotFoundException($"{path}: a patch names recordings relative to itself, without '..'");
        lock (_lock)
        {
            foreach (var root in _roots)
            {
                var file = Path.Combine(root, path);
                if (File.Exists(file)) return file;
            }

            throw new FileNotFoundException($"{path}: not found{(_roots.Count > 0 ? " in " + string.Join(", ", _roots) : "")}");
        }
    }

    /// <summary>Recordings beside the patches that were opened, as a patch names them: by name, so many at most.</summary>
    public IReadOnlyList<string> Recordings(int most)
    {
        string[] roots;
        lock (_lock) roots = [.. _roots];
        var names = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var root in roots)
        {
            try
            {
                foreach (var file in Directory.EnumerateFiles(root, "*.wav", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2, IgnoreInaccessible = true }))
                {
                    if (names.Count == most) return [.. names];
                    names.Add(Path.GetRelativePath(root, file));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A stick that was pulled out has none.
            }
        }

        return [.. names];
    }

    /// <summary>Decodes a WAV file into a block of the region, with what it says of loop, pitch and waves; what of that is ignored is told.</summary>
    public static AssetUpload Upload(EngineLink link, string file, Action<string> say)
    {
        using var reader = WavReader.Open(file);
        if (reader.Channels > Limits.MaxChannels) throw new WavException($"{file}: {reader.Channels} channels, at most {Limits.MaxChannels}");
        var upload = AssetUpload.Create(link, reader.Channels, reader.Frames, reader.Rate);
        try
        {
            foreach (var warning in reader.Facts.Warnings) say(warning);
            upload.Describe(reader.Facts.LoopStart, reader.Facts.LoopEnd, reader.Facts.Root, reader.Facts.CycleFrames);
            var buffer = new float[Chunk * reader.Channels];
            var at = 0L;
            int n;
            while ((n = reader.Read(buffer)) > 0)
            {
                upload.WriteInterleaved(at, buffer.AsSpan(0, n * reader.Channels));
                at += n;
            }

            return upload;
        }
        catch
        {
            upload.Dispose();
            throw;
        }
    }
}
