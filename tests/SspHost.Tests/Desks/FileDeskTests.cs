// Where files of a host are, and what is asked of its recorder.
using System.Globalization;
using SspHost.Configuration;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Playing.Desks;

namespace SspHost.Tests.Desks;

public sealed class FileDeskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-filedesk-").FullName;
    private readonly SteppedEngine _engine = new();
    private readonly List<string> _asked = [];
    private readonly Patch _patch = Patch.New() with { Modules = [new Module { Id = "vco1", Type = "vco" }, new Module { Id = "out", Type = "audio-out" }] };
    private int _outputs = 3;
    private RecordingReport? _ended;

    public void Dispose()
    {
        _engine.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void What_a_player_makes_lies_below_the_state_directory_and_what_ships_is_beside_it()
    {
        var desk = Desk();
        Assert.Equal(
            ("patches", "presets", "recordings", "trash"),
            (Name(desk.Patches), Name(desk.Presets), Name(desk.Recordings), Name(desk.Trash)));
        Assert.NotNull(desk.Demos);
        var configured = Desk(new Settings { Patches = Path.Combine(_folder, "mine"), State = _folder });
        Assert.Equal("mine", Name(configured.Patches));
        Assert.Null(configured.Demos);

        string Name(string path) => Path.GetRelativePath(_folder, path);
    }

    [Fact]
    public void A_preset_becomes_the_edits_that_set_the_module_to_it()
    {
        var type = _engine.Modules.Find("vco")!.Descriptor;
        var pitch = type.Parameters.First(p => p.Curve != SspHost.Abi.ParameterCurve.Stepped);
        var path = Path.Combine(_folder, "deep.json");
        File.WriteAllBytes(path, new ModulePreset { Type = "vco", Parameters = default(NamedValues<float>).With(pitch.Id, pitch.Max) }.Write());
        var edits = Desk().Preset("vco1", path, out var why);
        Assert.Equal("", why);
        Assert.Equal(new SetParameter("vco1", pitch.Id, pitch.Max), Assert.Single(edits!));
        Assert.Null(Desk().Preset("out", path, out why));
        Assert.Contains("a preset of \"vco\" for out", why.Replace('\'', '"'), StringComparison.Ordinal);
        File.WriteAllText(path, "{ \"type\": ");
        Assert.Null(Desk().Preset("vco1", path, out why));
        Assert.Contains("deep.json", why, StringComparison.Ordinal);
        Assert.Null(Desk().Preset("vco1", Path.Combine(_folder, "none.json"), out why));
        Assert.NotEqual("", why);
    }

    [Fact]
    public void All_outputs_are_recorded_into_a_file_that_is_not_there()
    {
        var desk = Desk();
        var path = Path.Combine(desk.Recordings, "take.wav");
        Assert.Null(desk.Record(path));
        Assert.Equal(["take.wav 0,1,2"], _asked);
        Assert.True(Directory.Exists(desk.Recordings)); // made, where it was missing
        File.WriteAllText(path, "");
        Assert.Contains("exists already", desk.Record(path), StringComparison.Ordinal);
        _outputs = 0;
        Assert.Contains("nothing plays", desk.Record(Path.Combine(desk.Recordings, "other.wav")), StringComparison.Ordinal);
        Assert.Single(_asked);
        Assert.Equal("nothing is being recorded", desk.EndRecording());
        _ended = new RecordingReport { File = path, Gaps = [] };
        Assert.Null(desk.EndRecording());
        _ended = _ended with { Trouble = "no space left on device" };
        Assert.Contains("no space left on device; what was recorded before is kept", desk.EndRecording(), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "folder"), "in the way");
        _outputs = 2;
        Assert.NotNull(desk.Record(Path.Combine(_folder, "folder", "take.wav")));
    }

    private FileDesk Desk(Settings? settings = null) => new(settings ?? new Settings { State = _folder }, new FileTools
    {
        Patch = () => _patch,
        Modules = _engine.Modules,
        Outputs = () => _outputs,
        Record = (path, jacks) =>
        {
            _asked.Add(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(path)} {string.Join(',', jacks)}"));
            return null;
        },
        EndRecording = () => (_ended, _ended is null ? "nothing is being recorded" : null),
    });
}
