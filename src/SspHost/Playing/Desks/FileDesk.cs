// Where a running host's files are, and its recorder.
using SspHost.Commands;
using SspHost.Configuration;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Patching;

namespace SspHost.Playing.Desks;

/// <summary>What a file desk is made of.</summary>
internal sealed record FileTools
{
    /// <summary>The patch that presets are for.</summary>
    public required Func<Patch> Patch { get; init; }

    public required DescriptorIndex Modules { get; init; }

    /// <summary>Output jacks that play; 0: none.</summary>
    public required Func<int> Outputs { get; init; }

    /// <summary>Begins to record jacks into a file; null, or why not.</summary>
    public required Func<string, IReadOnlyList<ushort>, string?> Record { get; init; }

    /// <summary>Ends that; what came of it, or why not.</summary>
    public required Func<(RecordingReport? Report, string? Why)> EndRecording { get; init; }
}

/// <summary>Folders are those of the configuration, else below the state directory: what a player makes lies together.</summary>
internal sealed class FileDesk : IFileDesk
{
    private readonly FileTools _tools;

    public FileDesk(Settings settings, FileTools tools)
    {
        _tools = tools;
        var state = Path.GetFullPath(settings.StateDirectory);
        Patches = settings.Patches.Value is { Length: > 0 } configured ? Path.GetFullPath(configured) : Path.Combine(state, "patches");
        Demos = settings.Patches.Value.Length == 0 ? PatchFiles.Directory("") : null;
        (Presets, Recordings, Trash) = (Path.Combine(state, "presets"), Path.Combine(state, "recordings"), Path.Combine(state, "trash"));
    }

    public string Patches { get; }

    public string? Demos { get; }

    public string Presets { get; }

    public string Recordings { get; }

    public string Trash { get; }

    public string MountTable { get; init; } = "/proc/self/mountinfo";

    public IReadOnlyList<Edit>? Preset(string module, string path, out string why)
    {
        var edits = ModulePreset.Load(path, out var error)?.EditsFor(_tools.Patch(), module, _tools.Modules, out error);
        why = error?.ToString() ?? "";
        return edits;
    }

    public string? Record(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path}: {PatchError.OneLine(e.Message, 200)}";
        }

        if (Path.Exists(path)) return $"{path}: it exists already";
        var outputs = _tools.Outputs();
        return outputs == 0 ? "nothing plays, so there is nothing to record" : _tools.Record(path, [.. Enumerable.Range(0, outputs).Select(j => (ushort)j)]);
    }

    public string? EndRecording()
    {
        var (report, why) = _tools.EndRecording();
        return report?.Trouble is { } trouble ? $"{report.File}: {trouble}; what was recorded before is kept" : why;
    }
}
