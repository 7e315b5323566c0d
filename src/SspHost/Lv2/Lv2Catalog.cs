// The LV2 plugins of this system: scanned once and remembered as long as no bundle changes, and whether each came through its trial.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SspHost.Abi;
using SspHost.Patching;
using SspHost.Supervision;

namespace SspHost.Lv2;

/// <summary>Thread-safe. <paramref name="path"/>: directories that colons separate; <paramref name="cache"/>: a directory.</summary>
internal sealed class Lv2Catalog(string path, string cache)
{
    /// <summary>Said where there is no liblilv.</summary>
    public const string Missing = "LV2 plugins are not looked for: liblilv is not installed (apt install " + Lilv.Package + ")";

    private const int Format = 3, TrialFormat = 2;
    private const string Passed = "passed";

    private readonly Lock _lock = new();
    private Dictionary<string, string>? _trials; // by rate, quantum, uri, binary and its stamp: passed, or why not
    private Lv2Found? _found;

    /// <summary>Where plugins lie unless somebody says otherwise: $LV2_PATH, else where systems keep them.</summary>
    public static string UsualPath
    {
        get
        {
            if (Environment.GetEnvironmentVariable("LV2_PATH") is { Length: > 0 } given) return given;
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return string.Join(':', Path.Combine(home, ".lv2"), "/usr/local/lib/lv2", "/usr/lib/lv2");
        }
    }

    /// <summary>What is there; null: there is no liblilv, and nothing was found earlier.</summary>
    public Lv2Found? Find()
    {
        lock (_lock)
        {
            if (_found != null) return _found;
            var print = Fingerprint();
            if (Remembered(print) is { } known) return _found = known;
            if (!Lilv.IsPresent) return null;
            _found = Lv2Scan.Run(path);
            Remember(print, _found);
            return _found;
        }
    }

    /// <summary>What a preset of a plugin makes of the module <paramref name="name"/> of a patch.</summary>
    public Edit[] EditsOf(Lv2Module module, Lv2PresetName preset, string name) => Lv2Preset.Edits(path, module, preset, name);

    /// <summary>Whether a scan would be quick because nothing has changed since the last one.</summary>
    public bool IsKnown
    {
        get
        {
            lock (_lock) return _found != null || Remembered(Fingerprint()) != null;
        }
    }

    /// <summary>Tries a plugin in a child process at a rate and quantum, unless this binary of it was tried there before. Null, or what is wrong with it.</summary>
    public string? Try(Lv2Module module, int rate, int quantum)
    {
        lock (_lock)
        {
            _trials ??= ReadTrials();
            var info = new FileInfo(module.Descriptor.File);
            var key = string.Create(CultureInfo.InvariantCulture, $"{TrialFormat}\t{rate}\t{quantum}\t{module.Uri}\t{module.Descriptor.File}\t{(info.Exists ? info.LastWriteTimeUtc.Ticks : 0)}\t{(info.Exists ? info.Length : 0)}");
            if (!_trials.TryGetValue(key, out var outcome))
            {
                outcome = Lv2Trial.Run(module, rate, quantum) ?? Passed;
                _trials[key] = outcome;
                WriteTrials();
            }

            return outcome == Passed ? null : outcome;
        }
    }

    private string ScanFile => Path.Combine(cache, "lv2.scan");

    private string TrialsFile => Path.Combine(cache, "lv2.trials");

    // Of every file of every bundle: what a scan reads, and the binaries.
    private string Fingerprint()
    {
        var text = new StringBuilder().Append(Format).Append(AbiVersion.Descriptors).Append(AbiVersion.Layout).Append('\n').Append(path).Append('\n');
        foreach (var directory in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Directory.Exists(directory)) continue;
            foreach (var bundle in Directory.GetDirectories(directory).Order(StringComparer.Ordinal))
            {
                foreach (var file in new DirectoryInfo(bundle).GetFiles().OrderBy(f => f.Name, StringComparer.Ordinal))
                    text.Append(CultureInfo.InvariantCulture, $"{file.FullName}\t{file.LastWriteTimeUtc.Ticks}\t{(file.Exists ? file.Length : 0)}\n");
            }
        }

        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private Lv2Found? Remembered(string print)
    {
        try
        {
            using var reader = new BinaryReader(File.OpenRead(ScanFile), Encoding.UTF8);
            if (reader.ReadString() != print) return null;
            var descriptors = DescriptorBlob.Read(reader.ReadBytes(reader.ReadInt32()));
            var records = Lv2Records.Split(reader.ReadBytes(reader.ReadInt32()));
            var refused = new Lv2Refusal[reader.ReadInt32()];
            for (var i = 0; i < refused.Length; i++) refused[i] = new Lv2Refusal(reader.ReadString(), reader.ReadString());
            if (records.Count != descriptors.Count) return null;
            var modules = new List<Lv2Module>();
            for (var i = 0; i < descriptors.Count; i++)
            {
                var presets = new Lv2PresetName[reader.ReadInt32()];
                for (var p = 0; p < presets.Length; p++) presets[p] = new Lv2PresetName(reader.ReadString(), reader.ReadString());
                modules.Add(new Lv2Module(records[i].Uri, descriptors[i], records[i].Record) { Presets = presets });
            }

            return new Lv2Found(modules, refused);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException or FormatException or OverflowException)
        {
            return null; // none, or none that can be read: scanned anew
        }
    }

    private void Remember(string print, Lv2Found found) => Write(ScanFile, stream =>
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(print);
        var descriptors = DescriptorBlob.Write([.. found.Modules.Select(m => m.Descriptor)]);
        writer.Write(descriptors.Length);
        writer.Write(descriptors);
        var records = Lv2Records.Join(found.Modules);
        writer.Write(records.Length);
        writer.Write(records);
        writer.Write(found.Refused.Count);
        foreach (var r in found.Refused)
        {
            writer.Write(r.Uri);
            writer.Write(r.Why);
        }

        foreach (var module in found.Modules)
        {
            writer.Write(module.Presets.Count);
            foreach (var preset in module.Presets)
            {
                writer.Write(preset.Uri);
                writer.Write(preset.Label);
            }
        }
    });

    private Dictionary<string, string> ReadTrials()
    {
        var trials = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            foreach (var line in File.ReadLines(TrialsFile))
                if (line.LastIndexOf('\t') is > 0 and var tab) trials[line[..tab]] = line[(tab + 1)..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Tried anew.
        }

        return trials;
    }

    private void WriteTrials() => Write(TrialsFile, stream =>
    {
        using var writer = new StreamWriter(stream);
        foreach (var (key, outcome) in _trials!.OrderBy(t => t.Key, StringComparer.Ordinal)) writer.Write($"{key}\t{outcome.Replace('\t', ' ').ReplaceLineEndings(" ")}\n");
    });

    private void Write(string file, Action<Stream> write)
    {
        try
        {
            Directory.CreateDirectory(cache);
            var fresh = string.Create(CultureInfo.InvariantCulture, $"{file}.{Environment.ProcessId}");
            using (var stream = File.Create(fresh)) write(stream);
            File.Move(fresh, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next one scans again.
        }
    }
}
