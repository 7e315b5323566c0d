// Sticks on the Files page: full, read-only, and pulled out in the middle of it.
using SspHost.Panel.Files;
using SspHost.Panel.Tests.Kit;

namespace SspHost.Panel.Tests;

public sealed class StickTests : IDisposable
{
    private readonly TestHost _host = BusyHost.Make(4);
    private readonly FrontPanel _panel;
    private readonly MountedStick? _made;

    public StickTests()
    {
        _made = MountedStick.TryMount(_host.Folders.MountTable, kib: 512);
        _panel = new FrontPanel(_host);
    }

    public void Dispose()
    {
        _panel.Dispose();
        _made?.Dispose();
        _host.Dispose();
    }

    [MountFact]
    public void A_copy_to_a_fullStick_leaves_nothing_there_and_one_that_fits_is_whole()
    {
        foreach (var old in Directory.GetFiles(_host.Folders.Recordings)) File.Delete(old);
        var (large, small) = (Recording("a long take.wav", 2 << 20), Recording("b.wav", 100_000));
        Play("press shift-right + K6\nwait 2500\nturn E1 right 2\npress K5\nexpect page choose\nturn E1 right\npress K1");
        Assert.Contains("a long take.wav: ", Said, StringComparison.Ordinal);
        Assert.True(_panel.Message!.Value.Bad);
        Assert.Empty(Directory.GetFileSystemEntries(Stick.Root));
        Play("turn E2 right\npress K5\nturn E1 right\npress K1\nexpect says \"copied\"");
        Assert.Equal(File.ReadAllBytes(small), File.ReadAllBytes(Path.Combine(Stick.Root, "b.wav")));
        Assert.True(File.Exists(large));
    }

    [MountFact]
    public void A_patch_that_does_not_fit_on_aStick_leaves_the_one_that_is_there()
    {
        Stick.Put("filler.wav", 505 << 10);
        var there = Path.Combine(Stick.Root, "mine.json");
        File.WriteAllText(there, "{}");
        Play("press shift-right + K6\nwait 2500\nturn E1 right 3\npress K2\nhold K4\ntype a new one\npress K1");
        Assert.True(_panel.Message!.Value.Bad, Said);
        Assert.Equal(["filler.wav", "mine.json"], Directory.GetFiles(Stick.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("{}", File.ReadAllText(there));
    }

    [MountFact]
    public void From_aStick_that_can_only_be_read_files_are_copied_and_on_it_nothing_is_changed()
    {
        Stick.Put("rain.wav", 5000);
        Stick.MakeReadOnly();
        Play("press shift-right + K6\nwait 2500\nturn E1 right 3\npress K4\nexpect says \"can only be read\"\npress K3\nexpect says \"can only be read\"\npress K2\nexpect says \"can only be read\"");
        Play("press K5\nexpect page choose\npress K1\nexpect says \"copied\"");
        Assert.True(File.Exists(Path.Combine(_host.Folders.Recordings, "rain.wav")));

        // One that became so after the panel looked says what the kernel says.
        File.WriteAllText(_host.Folders.MountTable, File.ReadAllText(_host.Folders.MountTable).Replace("ro", "rw", StringComparison.Ordinal));
        Play("wait 2500\npress K4");
        Assert.True(_panel.Message!.Value.Bad, Said);
        Assert.True(File.Exists(Path.Combine(Stick.Root, "rain.wav")));
    }

    [MountFact]
    public void AStick_that_is_pulled_out_while_it_is_shown_is_a_line_and_then_no_place_any_more()
    {
        Stick.Put("rain.wav", 5000);
        Directory.CreateDirectory(Path.Combine(Stick.Root, "more"));
        Play("press shift-right + K6\nwait 2500\nturn E1 right 3\nturn E2 right");
        Stick.PullOut();
        Play("press K5\nexpect page choose\npress K1");
        Assert.True(_panel.Message!.Value.Bad, Said);
        Assert.DoesNotContain(Directory.GetFiles(_host.Folders.Recordings), f => f.EndsWith("rain.wav", StringComparison.Ordinal) || f.EndsWith(".part", StringComparison.Ordinal));
        Play("press K4");
        Assert.True(_panel.Message!.Value.Bad, Said);
        Stick.Forget();
        Play("wait 2500\nturn E1 right 9\nturn E2 right\npress K5");
        Assert.Empty(Sticks.Read(_host.Folders.MountTable));
    }

    [Fact]
    public void Patches_that_ship_are_a_place_of_their_own_where_nothing_is_written()
    {
        var demos = Directory.CreateDirectory(Path.Combine(_host.Folders.Root, "shipped")).FullName;
        Assert.Null(_host.Session.Save(Path.Combine(demos, "Bells.json")));
        _host.Folders.Demos = demos;
        using var panel = new FrontPanel(_host);
        Script.Play(panel, _host, "press shift-right + K6\nturn E1 right\npress K2\nexpect says \"can only be read\"\npress K4\nexpect says \"can only be read\"\npress K1\nexpect page patch\nexpect says \"Bells is open\"");
        Assert.Single(Directory.GetFiles(demos));
    }

    private MountedStick Stick => _made!;

    private string Said => _panel.Message?.Text ?? "";

    private string Recording(string name, int bytes)
    {
        var path = Path.Combine(_host.Folders.Recordings, name);
        File.WriteAllBytes(path, new byte[bytes]);
        return path;
    }

    private void Play(string text) => Script.Play(_panel, _host, text);
}

/// <summary>A test that mounts a file system of its own, as root can.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> s_permitted = new(() =>
    {
        using var host = new ScriptedFiles();
        using var stick = MountedStick.TryMount(host.MountTable, kib: 64);
        return stick != null;
    });

    public MountFactAttribute()
    {
        if (!s_permitted.Value) Skip = "needs root: file systems cannot be mounted here";
    }
}
