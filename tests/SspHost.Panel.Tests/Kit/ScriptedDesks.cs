// Jacks, files, machine and settings as a test wants them: what a page asks of them is kept, and what it shows is scripted.
using SspHost.Diagnostics;
using SspHost.Patching;

namespace SspHost.Panel.Tests.Kit;

/// <summary>A card whose converters are off by what a test says: what an output holds, a meter reads.</summary>
internal sealed class ScriptedJacks : IJackDesk
{
    private readonly Dictionary<(bool Output, int Number), JackSetup> _setups = [];

    public int Version { get; private set; }

    public int Inputs { get; set; } = 16;

    public int Outputs { get; set; } = 8;

    /// <summary>Samples that outputs hold.</summary>
    public Dictionary<int, double> Held { get; } = [];

    /// <summary>Samples that inputs read.</summary>
    public double[] Read { get; } = new double[16];

    public JackSetup Setup(bool output, int number) => _setups.GetValueOrDefault((output, number), new JackSetup("", 10, 0, false));

    public string? Set(bool output, int number, JackSetup setup)
    {
        _setups[(output, number)] = setup;
        Version++;
        return null;
    }

    public string? Hold(int output, double? sample)
    {
        if (sample is { } s) Held[output] = s;
        else Held.Remove(output);
        return null;
    }

    public double Raw(int input) => Read[input];
}

/// <summary>Folders in a temporary directory that goes with it.</summary>
internal sealed class ScriptedFiles : IFileDesk, IDisposable
{
    public ScriptedFiles()
    {
        (Patches, Presets, Recordings, Trash) = (Path.Combine(Root, "patches"), Path.Combine(Root, "presets"), Path.Combine(Root, "recordings"), Path.Combine(Root, "trash"));
        MountTable = Path.Combine(Root, "mountinfo");
        foreach (var folder in new[] { Patches, Presets, Recordings }) Directory.CreateDirectory(folder);
        File.WriteAllText(MountTable, "");
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("ssp-panel-").FullName;

    public string Patches { get; }

    public string? Demos { get; set; }

    public string Presets { get; }

    public string Recordings { get; }

    public string Trash { get; }

    public string MountTable { get; }

    public List<string> Asked { get; } = [];

    public IReadOnlyList<Edit>? Preset(string module, string path, out string why)
    {
        why = $"{Path.GetFileName(path)}: not a preset";
        Asked.Add($"preset {module} {Path.GetFileName(path)}");
        return null;
    }

    public string? Record(string path)
    {
        Asked.Add("record " + Path.GetFileName(path));
        return null;
    }

    public string? EndRecording()
    {
        Asked.Add("end recording");
        return null;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

internal sealed class ScriptedMachine : ISystemDesk
{
    public int Version { get; set; }

    public float[] Loads { get; set; } = [];

    public ulong[] Counts { get; set; } = new ulong[24];

    public CoreLoad[] Busy { get; set; } = [new(0, 0.31f, false), new(1, 0.08f, false), new(2, 0.44f, true), new(3, 0.39f, true)];

    public ReadOnlySpan<float> History => Loads;

    public ReadOnlySpan<ulong> Histogram => Counts;

    public ReadOnlySpan<CoreLoad> Cores => Busy;

    public float Temperature { get; set; } = 58;

    public IReadOnlyList<Finding> Findings { get; set; } = [];

    public bool Tracing { get; private set; }

    public List<string> Asked { get; } = [];

    public string? Reset()
    {
        Asked.Add("reset");
        Version++;
        return null;
    }

    public string? Examine()
    {
        Asked.Add("examine");
        return null;
    }

    public (string? Path, string? Why) WriteReport()
    {
        Asked.Add("report");
        return ("/reports/1.tar.gz", null);
    }

    public (string? Path, string? Why) Trace(bool on)
    {
        Asked.Add(on ? "trace" : "end trace");
        Tracing = on;
        return (on ? null : "/traces/1.json", null);
    }
}

internal sealed class ScriptedSettings(Func<ulong> now) : ISettingsDesk
{
    private HostSettings? _trial;
    private ulong _until;

    public HostSettings Kept { get; set; } = new("auto", 48_000, 0, 0, 0, "", false, "dark");

    /// <summary>What is tried, until fifteen seconds of the script have passed.</summary>
    public HostSettings? Trial
    {
        get => TrialSeconds > 0 ? _trial : null;
        set => (_trial, _until) = (value, now() + (ISettingsDesk.TrialLength * Second));
    }

    private const ulong Second = 1_000_000_000;

    public int TrialSeconds => _trial is null || now() >= _until ? 0 : (int)((_until - now() + Second - 1) / Second);

    public IReadOnlyList<string> Devices { get; set; } = ["auto", "alsa:hw:SSP", "sim"];

    public IReadOnlyList<string> CoreChoices { get; set; } = ["", "3", "2,3"];

    /// <summary>Why the next trial fails; null: it does not.</summary>
    public string? Wrong { get; set; }

    public List<string> Asked { get; } = [];

    public string? Try(HostSettings settings)
    {
        Asked.Add("try");
        if (Wrong is { } why) return why;
        Trial = settings;
        return null;
    }

    public string? Keep()
    {
        Asked.Add("keep");
        (Kept, Trial) = (Trial!, null);
        return null;
    }

    public string? Revert()
    {
        Asked.Add("revert");
        Trial = null;
        return null;
    }

    public IReadOnlyList<string> Addresses { get; set; } = ["http://127.0.0.1:8440"];

    public IReadOnlyList<string> About { get; set; } = ["SspHost 0.6", "Linux 6.12, 4 cores"];

    public string? Newer { get; set; } = "0.7";

    public string? Older { get; set; }

    public string? Update()
    {
        Asked.Add("update");
        return null;
    }

    public string? RollBack()
    {
        Asked.Add("roll back");
        return null;
    }
}
