// Where a running host's files are, and its recorder.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Commands;
using SspHost.Configuration;
using SspHost.Panel;
using SspHost.Patching;

namespace SspHost.Playing.Desks;

/// <summary>Folders are those of the configuration, else below the state directory: what a player makes lies together.</summary>
internal sealed class FileDesk : IFileDesk
{
    private readonly PatchHost _host;

    public FileDesk(PatchHost host, Settings settings)
    {
        _host = host;
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
        var edits = ModulePreset.Load(path, out var error)?.EditsFor(_host.Session.Current, module, _host.Modules, out error);
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
        var outputs = _host.Slot.Try(link => link.TryAudio(out var a) ? Math.Clamp(a.Outputs, 0, Limits.MaxJacks) : 0, otherwise: 0);
        if (outputs == 0) return "audio has no outputs: there is nothing to record";
        var why = _host.Recorder.Start(path, [.. Enumerable.Range(0, outputs).Select(j => (ushort)j)]);
        _host.NoteRecording();
        return why;
    }

    public string? EndRecording()
    {
        var report = _host.Recorder.Stop(out var why);
        _host.NoteRecording();
        return report?.Trouble is { } trouble ? $"{report.File}: {trouble}; what was recorded before is kept" : why;
    }
}
