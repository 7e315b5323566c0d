// Settings that are tried: they go back by themselves, whatever becomes of the panel, and are kept in the file a person wrote.
using SspHost.Abi;
using SspHost.Configuration;
using SspHost.Panel;
using SspHost.Playing;
using SspHost.Playing.Desks;
using SspHost.Remote.Web;

namespace SspHost.Tests.Desks;

public sealed class SettingsDeskTests : IDisposable
{
    private const string Written =
        """
        {
          // the studio's
          "rate": 48000, // Hz
          "osc": { "port": 9000 }
        }

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-settings-").FullName;
    private readonly HandClock _clock = new();
    private readonly List<string> _said = [], _played = [];
    private readonly List<WebOptions> _served = [];
    private readonly Dictionary<string, string> _silent = new(StringComparer.Ordinal); // devices that do not play
    private AudioSetup _playing;
    private string? _refused;

    public SettingsDeskTests() => _playing = Decided(new Settings());

    private string FilePath => Path.Combine(_folder, "conf", "ssp.json");

    private string State => Path.Combine(_folder, "state");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_tried_plays_and_goes_back_by_itself_after_fifteen_seconds()
    {
        using var desk = Desk();
        var wanted = desk.Kept with { Rate = 96_000, Quantum = 64 };
        Assert.Null(desk.Try(wanted));
        Assert.Equal((96_000, 64), (_playing.Rate, _playing.QuantumOverride));
        Assert.Equal((wanted, 15), (desk.Trial, desk.TrialSeconds));
        Assert.True(TrialMark.Stands(State)); // should the host die now, the next one knows
        _clock.Move(14.5);
        Assert.Equal((wanted, 1), (desk.Trial, desk.TrialSeconds));
        _clock.Move(0.5);
        Assert.Equal((null, 0, 48_000), (desk.Trial, desk.TrialSeconds, _playing.Rate));
        Assert.False(TrialMark.Stands(State));
        Assert.Contains(_said, s => s.Contains("not confirmed within 15 s", StringComparison.Ordinal));
        Assert.False(File.Exists(FilePath));
        Assert.Contains("gone back", desk.Keep(), StringComparison.Ordinal); // too late
        Assert.Equal(48_000, desk.Kept.Rate);
        _clock.Move(60);
        Assert.Equal(2, _played.Count); // once there, once back
    }

    [Fact]
    public void What_is_kept_is_written_where_it_belongs_and_nothing_else_is_touched()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.WriteAllText(FilePath, Written);
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        using var desk = Desk(SettingsFile.Parse(System.Text.Encoding.UTF8.GetBytes(Written), FilePath));
        var wanted = desk.Kept with { Device = "alsa:hw:1", Rate = 96_000, Cores = "1,0", Theme = "light" };
        Assert.Null(desk.Try(wanted));
        Assert.Null(desk.Keep());
        _clock.Move(60);
        Assert.Equal((wanted, null), (desk.Kept, desk.Trial));
        Assert.Equal(96_000, _playing.Rate);
        Assert.Single(_played);
        var text = File.ReadAllText(FilePath);
        Assert.Contains("// the studio's", text, StringComparison.Ordinal);
        Assert.Contains("\"rate\": 96000, // Hz", text, StringComparison.Ordinal);
        var read = SettingsFile.Load(FilePath);
        Assert.Equal(("alsa:hw:1", 96_000, "light", 9000), (read.Device.Value, read.Rate.Value, read.Theme.Value, read.OscPort.Value));
        Assert.Equal([1, 0], read.Cores.Value.ToArray());
        Assert.Equal(Origin.Default, read.Quantum.Origin);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(FilePath));

        // The next trial goes back to these.
        Assert.Null(desk.Try(wanted with { Device = "sim" }));
        Assert.Null(desk.Revert());
        Assert.Equal(wanted, desk.Kept);
        Assert.Equal("hw:1", _playing.AlsaName);
    }

    [Fact]
    public void A_device_that_does_not_play_leaves_what_plays_and_says_why_in_one_line()
    {
        using var desk = Desk();
        _silent["hw:2"] = "alsa:hw:2: no such device";
        Assert.Equal("alsa:hw:2: no such device", desk.Try(desk.Kept with { Device = "alsa:hw:2" }));
        Assert.Equal((null, CardKind.Simulated), (desk.Trial, _playing.Card));
        Assert.False(TrialMark.Stands(State));
        _clock.Move(60);
        Assert.Equal(["hw:2", "sim"], _played);
        Assert.Null(desk.Try(desk.Kept with { Quantum = 128 }));
        _silent["sim"] = "nothing plays";
        Assert.Equal("what is kept does not play: nothing plays", desk.Revert());
        Assert.Null(desk.Trial);
    }

    [Fact]
    public void Another_trial_takes_the_place_of_the_one_before_and_its_time_begins_anew()
    {
        using var desk = Desk();
        Assert.Null(desk.Try(desk.Kept with { Rate = 96_000 }));
        _clock.Move(10);
        Assert.Null(desk.Try(desk.Kept with { Rate = 44_100 }));
        _clock.Move(10);
        Assert.Equal((44_100, 5), (_playing.Rate, desk.TrialSeconds));
        _clock.Move(5);
        Assert.Equal((48_000, 0), (_playing.Rate, desk.TrialSeconds));
    }

    [Theory]
    [InlineData("oss", 48_000, 0, "", "dark", "expected a device as sim, alsa:NAME")]
    [InlineData("sim", 8000, 0, "", "dark", "rate: expected 44100 to 192000 Hz, not 8000")]
    [InlineData("sim", 48_000, 48, "", "dark", "quantum: expected a power of two")]
    [InlineData("sim", 48_000, 0, "7", "dark", "core 7: not one this process may use")]
    [InlineData("sim", 48_000, 0, "x", "dark", "cores: expected different core numbers")]
    [InlineData("sim", 48_000, 0, "", "mauve", "there are no colours called 'mauve'")]
    public void What_cannot_be_meant_is_refused_before_anything_is_stopped(string device, int rate, int quantum, string cores, string theme, string why)
    {
        using var desk = Desk();
        Assert.Contains(why, desk.Try(desk.Kept with { Device = device, Rate = rate, Quantum = quantum, Cores = cores, Theme = theme }), StringComparison.Ordinal);
        Assert.Empty(_played);
        Assert.Null(desk.Trial);
    }

    [Fact]
    public void On_the_network_there_is_a_token_and_going_back_closes_it()
    {
        using var desk = Desk();
        Assert.Equal(["http://127.0.0.1:8440"], desk.Addresses);
        Assert.Null(desk.Try(desk.Kept with { Network = true }));
        var web = Assert.Single(_served);
        Assert.Null(web.Refusal);
        Assert.Equal(("0.0.0.0", 8440, 20), (web.Address.ToString(), web.Port, web.Token.Length));
        Assert.All(desk.Addresses, a => Assert.EndsWith("/?token=" + web.Token, a, StringComparison.Ordinal));
        Assert.Empty(_played); // audio was not touched
        _clock.Move(15);
        Assert.Equal("127.0.0.1", _served[^1].Address.ToString());
        Assert.Equal(["http://127.0.0.1:8440"], desk.Addresses);
        Assert.Null(desk.Try(desk.Kept with { Network = true }));
        Assert.Null(desk.Keep());
        var kept = SettingsFile.Load(FilePath);
        Assert.Equal(("0.0.0.0:8440", _served[^1].Token), (kept.WebAddress.Value, kept.WebToken.Value));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath)); // there is a token in it
        _refused = "the port is taken";
        Assert.Equal("the port is taken", desk.Try(desk.Kept with { Network = false, Rate = 96_000 }));
        Assert.Equal(48_000, _playing.Rate);
        Assert.Null(desk.Trial);
    }

    [Fact]
    public void A_flag_that_goes_before_the_file_is_told_of()
    {
        using var desk = Desk(new Settings { Device = new("sim", Origin.Flag) });
        Assert.Null(desk.Try(desk.Kept with { Device = "alsa:hw:1", Rate = 96_000 }));
        Assert.Null(desk.Keep());
        Assert.Contains(_said, s => s.Contains("--device, which goes before it", StringComparison.Ordinal) && !s.Contains("--rate", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_cannot_be_read_or_written_keeps_nothing_and_the_trial_goes_on()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.WriteAllText(FilePath, "{ \"rate\": fast }");
        using var desk = Desk();
        Assert.Null(desk.Try(desk.Kept with { Rate = 96_000 }));
        Assert.Contains("line 1", desk.Keep(), StringComparison.Ordinal);
        Assert.Equal("{ \"rate\": fast }", File.ReadAllText(FilePath));
        Assert.NotNull(desk.Trial);
        _clock.Move(15);
        Assert.Equal(48_000, _playing.Rate);
    }

    [Fact]
    public void A_recording_that_is_played_is_not_taken_away()
    {
        _playing = _playing with { Card = CardKind.PacedStream };
        using var desk = Desk();
        Assert.Contains("recording", desk.Try(desk.Kept with { Rate = 96_000 }), StringComparison.Ordinal);
        Assert.Empty(_played);
        Assert.Null(desk.Try(desk.Kept with { Theme = "light" }));
    }

    [Fact]
    public void Nothing_is_tried_that_could_not_be_noted_down()
    {
        File.WriteAllText(Path.Combine(_folder, "state"), "a file where the folder should be");
        using var desk = Desk();
        Assert.Contains("noted down", desk.Try(desk.Kept with { Rate = 96_000 }), StringComparison.Ordinal);
        Assert.Empty(_played);
    }

    [Fact]
    public void Choices_hold_what_is_kept_and_the_last_cores_first()
    {
        using var desk = Desk(new Settings { Device = "alsa:studio", Cores = new([2, 0], Origin.File) });
        Assert.Equal(["", "3", "2,3", "1,2,3", "2,0"], desk.CoreChoices);
        Assert.True(SpinWait.SpinUntil(() => desk.Devices.Contains("alsa:hw:9"), TimeSpan.FromSeconds(20)));
        Assert.Equal(["auto", "alsa:hw:9", "sim", "alsa:studio"], desk.Devices);
        Assert.NotNull(desk.Update());
        Assert.NotNull(desk.RollBack());
        Assert.Null(desk.Newer);
    }

    [Fact]
    public void The_version_before_is_gone_back_to_and_the_machine_starts_again()
    {
        using var bench = new Updates.UpdateBench();
        Directory.CreateDirectory(bench.In("data/update"));
        File.WriteAllText(bench.In("data/update/played-b"), "name=x\nversion=0.9.0\nserial=90\n");
        bench.ServeAlways();
        using var desk = Desk(updates: bench.Station);
        Assert.True(SpinWait.SpinUntil(() => desk.Older == "0.9.0", TimeSpan.FromSeconds(20)));
        Assert.Null(desk.Newer);
        Assert.Contains("there is no stick", desk.Update(), StringComparison.Ordinal);
        Assert.Null(desk.RollBack());
        Assert.Equal("try", bench.Marks);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(bench.In("restarted")), TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void What_a_page_asks_each_frame_allocates_nothing()
    {
        using var desk = Desk();
        Assert.Null(desk.Try(desk.Kept with { Rate = 96_000 }));
        var seconds = desk.TrialSeconds;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) seconds += desk.TrialSeconds + (desk.Trial ?? desk.Kept).Rate + (desk.Newer ?? desk.Older ?? "").Length;
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private SettingsDesk Desk(Settings? settings = null, SspHost.Updates.UpdateStation? updates = null)
    {
        var desk = new SettingsDesk(new SettingsTools
        {
            Settings = settings ?? new Settings(), File = FilePath, State = State, Playing = () => _playing, Play = Play, Decide = Decided, Calibrated = s => s,
            Devices = () => ["hw:9"], Cores = [0, 1, 2, 3], About = () => ["a test"], Updates = updates ?? new SspHost.Updates.UpdateStation(_folder), Say = _said.Add, Clock = _clock,
        });
        desk.Serve = web =>
        {
            if (_refused != null) return _refused;
            _served.Add(web);
            return null;
        };
        return desk;
    }

    private static AudioSetup Decided(Settings s) => AudioSetup.Decide(s, realTime: true, card: false, availableCores: 4);

    private string? Play(AudioSetup setup)
    {
        var name = setup.Card == CardKind.Alsa ? setup.AlsaName : "sim";
        _played.Add(name);
        if (_silent.GetValueOrDefault(name) is { } why) return why;
        _playing = setup;
        return null;
    }
}
