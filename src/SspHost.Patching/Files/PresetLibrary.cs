// The presets at hand: those that ship and the player's own, a folder for each module type.
using System.Text;

namespace SspHost.Patching;

/// <summary>A preset by name.</summary>
/// <param name="Shipped">Whether it came with the program: it can be copied under its name, and is not deleted.</param>
public readonly record struct PresetEntry(string Name, bool Shipped);

/// <summary>
/// Two folders of "TYPE/NAME.json", either of which may be missing. A preset's name is the name of its file, so that a list reads no files; one of
/// the player's own hides one of the same name that ships. Thread-safe: it holds nothing but the paths.
/// </summary>
public sealed class PresetLibrary(string? shipped, string own)
{
    /// <summary>Characters of a preset's name.</summary>
    public const int NameLength = 60;

    private const string Ending = ".json";
    private const int Most = 2000; // names in a list: a folder with more is some other folder

    /// <summary>Presets of a module type in the order of their names, those that ship first. What cannot be listed is not there.</summary>
    public IReadOnlyList<PresetEntry> List(string type)
    {
        if (!PatchLimits.IsTypeId(type)) return [];
        var mine = Names(own, type);
        var entries = new List<PresetEntry>();
        foreach (var name in shipped is null ? [] : Names(shipped, type))
        {
            if (!mine.Contains(name)) entries.Add(new PresetEntry(name, Shipped: true));
        }

        foreach (var name in mine) entries.Add(new PresetEntry(name, Shipped: false));
        return entries;
    }

    /// <summary>Reads a preset. Null with one error; never throws for what its file holds.</summary>
    public ModulePreset? Load(string type, string name, out PatchError? error)
    {
        error = Bad(type, name);
        if (error is not null) return null;
        var path = PathOf(own, type, name);
        if (shipped is not null && !File.Exists(path)) path = PathOf(shipped, type, name);
        if (!File.Exists(path))
        {
            error = new PatchError { What = $"{type} has no preset {PatchError.Quote(name)}" };
            return null;
        }

        var preset = ModulePreset.Load(path, out error);
        if (preset is null || preset.Type == type) return preset;
        error = new PatchError { File = path, Path = "type", What = $"a preset of {PatchError.Quote(preset.Type)}", Expected = $"one of {type}" };
        return null;
    }

    /// <summary>Keeps a preset among the player's own; one of that name is replaced, atomically. Null, or one error and nothing has changed.</summary>
    public PatchError? Save(ModulePreset preset, string name)
    {
        if (Bad(preset.Type, name) is { } error) return error;
        var path = PathOf(own, preset.Type, name);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.Write(path, preset.Write());
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new PatchError { File = path, What = $"cannot be saved: {PatchError.OneLine(e.Message, 200)}" };
        }
    }

    /// <summary>Deletes one of the player's own.</summary>
    public PatchError? Delete(string type, string name)
    {
        if (Bad(type, name) is { } error) return error;
        var path = PathOf(own, type, name);
        if (!File.Exists(path)) return new PatchError { What = $"there is no preset {PatchError.Quote(name)} of {type} of your own" };
        try
        {
            File.Delete(path);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new PatchError { File = path, What = $"cannot be deleted: {PatchError.OneLine(e.Message, 200)}" };
        }
    }

    /// <summary>Why a preset cannot have this name, in a few words; null: it can.</summary>
    public static string? WhyNot(string name)
    {
        if (name.Length is 0 or > NameLength) return $"a name has 1 to {NameLength} characters";
        if (!PatchLimits.IsName(name) || name.Trim().Length != name.Length) return "a name is one line, without spaces around it";
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsSurrogate(name[i]) && !(char.IsSurrogatePair(name, i) || (i > 0 && char.IsSurrogatePair(name, i - 1)))) return "half of a character";
        }

        return Encoding.UTF8.GetByteCount(FileName.Of(name)) + Ending.Length <= FileName.Most ? null : "the name is too long for a file";
    }

    private static PatchError? Bad(string type, string name)
    {
        if (!PatchLimits.IsTypeId(type)) return new PatchError { What = $"{PatchError.Quote(type)} is no module type", Expected = "1 to 64 of a-z 0-9 . _ / -" };
        return WhyNot(name) is { } why ? new PatchError { What = $"{PatchError.Quote(name)} is no name for a preset: {why}" } : null;
    }

    private static string PathOf(string root, string type, string name) => Path.Combine(root, FileName.Of(type), FileName.Of(name) + Ending);

    private static SortedSet<string> Names(string root, string type)
    {
        var names = new SortedSet<string>(NameOrder.Instance);
        try
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(root, FileName.Of(type)), "*" + Ending))
            {
                // What this program would not have called so it could not find again.
                var stem = Path.GetFileNameWithoutExtension(file);
                if (FileName.Name(stem) is { } name && FileName.Of(name) == stem && WhyNot(name) is null) names.Add(name);
                if (names.Count >= Most) break;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No such folder, or none that may be read: no presets.
        }

        return names;
    }

    // As a player looks for them: without regard to case, and two that differ in case alone are still two.
    private sealed class NameOrder : IComparer<string>
    {
        public static NameOrder Instance { get; } = new();

        public int Compare(string? x, string? y) => StringComparer.OrdinalIgnoreCase.Compare(x, y) is not 0 and var order ? order : StringComparer.Ordinal.Compare(x, y);
    }
}
