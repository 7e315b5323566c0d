// Updates on an arm64 machine with U-Boot: which slot starts, a trial that fails, one that is confirmed, and the plug pulled at any moment.
using System.Diagnostics;
using System.Globalization;
using SspHost.Target.Kit;

namespace SspHost.Target.Updates;

/// <summary>The disk, and two states of a machine with it, made once: slot a runs; and slot b runs on trial.</summary>
public sealed class UpdateMachines : IDisposable
{
    private const string Saved = "saved";

    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-u-").FullName;
    private readonly Lazy<string> _ready, _trial;
    private string _last = "";

    public UpdateMachines()
    {
        Made = Path.Combine(Repository, "artifacts/target/updates");
        var made = Shell.Run(TimeSpan.FromMinutes(25), Path.Combine(Repository, "tests/target/Updates/make.sh"), Made);
        if (made.ExitCode != 0) throw new IOException($"make.sh: {made}");
        Both = new UpdateDisk(Path.Combine(_directory, "both.img"));
        UpdateDisk.Ok("cp", "--sparse=always", Path.Combine(Made, "disk.img"), Both.Path);
        UpdateDisk.Ok("truncate", "-s", "+256M", Both.Path); // a card is larger than its image
        Both.Fill('b', Path.Combine(Made, "next.ext4"));
        _ready = new Lazy<string>(() => Save("ready", "", machine => machine.Run(
            "cp /data/ssphost-2.1.0-arm64.update /data/deploy/update/incoming.update && chown ssp /data/deploy/update/incoming.update && mkdir -p /data/update && cp /etc/ssphost/system /data/update/played-b && sync", 60)));
        _trial = new Lazy<string>(() => Save("trial", "try", machine => machine.Run("sync", 60)));
    }

    /// <summary>Version 1 in slot a, version 2 in slot b, no marks.</summary>
    internal UpdateDisk Both { get; }

    internal string Made { get; }

    internal static string Repository { get; } = Environment.GetEnvironmentVariable("SSP_ROOT") ?? throw new InvalidOperationException("SSP_ROOT is not set: tools/target-test.sh sets it");

    internal UBootMachine Ready() => Resume(_ready.Value);

    internal UBootMachine Trial() => Resume(_trial.Value);

    /// <summary>The disk of the machine that was resumed last, as it is on the medium.</summary>
    internal UpdateDisk Left()
    {
        var raw = Path.Combine(_directory, "left.img");
        File.Delete(raw);
        UpdateDisk.Ok("qemu-img", "convert", "-O", "raw", _last, raw);
        return new UpdateDisk(raw);
    }

    /// <summary>What U-Boot starts from a disk; what it writes stays there.</summary>
    internal string Start(UpdateDisk disk)
    {
        using var machine = UBootMachine.Start(disk.Path, _directory);
        return machine.Chosen();
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    // The disk goes back to the state with the machine.
    private UBootMachine Resume(string disk)
    {
        _last = disk;
        return UBootMachine.Start(disk, _directory, Saved);
    }

    private string Save(string name, string marks, Action<UBootMachine> prepare)
    {
        var disk = Path.Combine(_directory, name + ".qcow2");
        Both.Mark(marks);
        UpdateDisk.Ok("qemu-img", "convert", "-O", "qcow2", Both.Path, disk);
        Both.Mark("");
        using var machine = UBootMachine.Start(disk, _directory);
        machine.ToShell();
        machine.Run("until systemctl -q is-active ssp-update.path; do sleep 1; done; systemctl stop ssp-trial.timer; exec </dev/null", 240);
        Assert.Equal("", machine.Run("systemctl --failed --no-legend --plain"));
        machine.Run("systemctl start ssp-grow-data; [ $(df --output=size -B 1M /data | tail -n 1) -gt 256 ]");
        prepare(machine);
        machine.Monitor.Human("savevm " + Saved);
        machine.Monitor.Ask("quit");
        return disk;
    }
}

public sealed class UpdateTests(UpdateMachines machines) : IClassFixture<UpdateMachines>
{
    private const string Ask = "echo {0} >/data/deploy/update/request.new; mv /data/deploy/update/request.new /data/deploy/update/request";
    private const string Wait = "; until grep -qs 'state={1}\\|state=failed' /data/update/status; do sleep 0.1; done; cat /data/update/status; grep -q 'state={1}' /data/update/status";

    [Theory]
    [InlineData("", "ab", "a", "")]
    [InlineData("slot-b", "ab", "b", "slot-b")]
    [InlineData("try", "ab", "b trial", "tried try")]
    [InlineData("tried try", "ab", "a", "tried try")]
    [InlineData("slot-b try", "ab", "a trial", "slot-b tried try")]
    [InlineData("slot-b tried try", "ab", "b", "slot-b tried try")]
    [InlineData("slot-b tried", "ab", "b", "slot-b tried")]
    [InlineData("", "b", "b", "")] // the confirmed slot does not load: the other falls in for it, and that is no trial
    [InlineData("try", "a", "a", "tried try")]
    [InlineData("slot-b", "a", "a", "slot-b")]
    public void UBoot_starts_what_the_marks_say_and_falls_over_to_the_slot_that_loads(string marks, string good, string starts, string leaves)
    {
        var disk = machines.Both;
        if (!good.Contains('a', StringComparison.Ordinal)) disk.Break('a');
        if (!good.Contains('b', StringComparison.Ordinal)) disk.Break('b');
        try
        {
            disk.Mark(marks);
            Assert.Equal(starts, disk.Chosen(UpdateMachines.Repository)); // the model that is cut everywhere says what U-Boot does
            Assert.Equal(starts, machines.Start(disk));
            Assert.Equal(leaves, disk.Marks);
        }
        finally
        {
            disk.Mark("");
            disk.Fill('a', Path.Combine(machines.Made, "slot.ext4"));
            disk.Fill('b', Path.Combine(machines.Made, "next.ext4"));
        }
    }

    [Fact]
    public void An_update_is_installed_tried_found_wanting_and_left_by_itself()
    {
        using (var machine = machines.Ready())
        {
            Assert.Contains("version=2.1.0", machine.Run(Say("install", "installed"), 240), StringComparison.Ordinal);
            var from = machine.Said.Length;
            machine.Send("sync; echo restart >/data/deploy/update/request\n");
            Assert.Equal("b trial", machine.Choice(from));
            // What was installed has no system to start: its kernel panics, and ten seconds later the machine starts as before.
            from = machine.Said.Length;
            machine.Expect("U-Boot 20", TimeSpan.FromSeconds(180), from);
            Assert.Equal("a", machine.Choice(from));
        }

        var disk = machines.Left();
        Assert.Equal("tried try", disk.Marks);
        Assert.True(disk.Holds('b', Path.Combine(machines.Made, "small.ext4")));
    }

    [Fact]
    public void A_stick_that_is_plugged_in_is_there_for_the_player_and_gone_when_it_is_pulled_out()
    {
        using var machine = machines.Ready();
        machine.Monitor.Ask("blockdev-add", new Dictionary<string, object>
        {
            ["driver"] = "raw", ["node-name"] = "stick", ["read-only"] = false, ["file"] = new { driver = "file", filename = Path.Combine(machines.Made, "stick.img") },
        });
        machine.Monitor.Ask("device_add", new { driver = "usb-storage", id = "stick", drive = "stick", bus = "usb.0" });
        machine.Run("until ls /run/media/*/ssphost-2.1.0-arm64.update; do sleep 0.5; done", 120);
        machine.Run("setpriv --reuid=ssp --regid=ssp --clear-groups head -c 14 /run/media/*/ssphost-2.1.0-arm64.update | grep ssphost-update");
        machine.Run("setpriv --reuid=ssp --regid=ssp --clear-groups touch /run/media/sda/take.wav && grep /run/media /proc/self/mountinfo | grep -q nosuid,nodev,noexec");
        machine.Monitor.Ask("device_del", new { id = "stick" });
        machine.Run("while grep -q /run/media /proc/self/mountinfo; do sleep 0.5; done", 120);
    }

    [Fact]
    public void A_trial_runs_the_new_version_and_what_is_confirmed_stays()
    {
        using (var machine = machines.Trial())
        {
            Assert.Contains("ssp.slot=b ssp.trial=1", machine.Run("cat /proc/cmdline"), StringComparison.Ordinal);
            Assert.Contains("version=2.0.0", machine.Run("cat /etc/ssphost/system"), StringComparison.Ordinal);
            machine.Run(Say("confirm", "confirmed"), 120);
        }

        var disk = machines.Left();
        Assert.Equal("slot-b", disk.Marks);
        Assert.Equal("b", machines.Start(disk));
    }

    [Fact]
    public void A_trial_that_nobody_confirms_is_over_with_the_next_start()
    {
        using var machine = machines.Trial();
        var from = machine.Said.Length;
        machine.Monitor.Ask("system_reset");
        Assert.Equal("a", machine.Choice(from));
    }

    [Fact]
    public void The_plug_pulled_while_a_slot_is_written_and_marked_leaves_one_that_starts()
    {
        var whole = Time(machines.Ready, "install", "installed");
        var (older, newer) = (Path.Combine(machines.Made, "next.ext4"), Path.Combine(machines.Made, "small.ext4"));
        var random = new Random(11);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 10; i++)
        {
            // Most of the time it writes; the last fifth, where it verifies and marks, gets half of the cuts.
            var at = i % 2 == 0 ? random.NextDouble() : 0.8 + (random.NextDouble() * 0.25);
            CutAt(machines.Ready, "install", whole * at);
            var disk = machines.Left();
            Intact(disk);
            var complete = disk.Holds('b', newer);
            if (disk.IsFileSystem('b')) Assert.True(complete || disk.Holds('b', older), $"slot b is half of two systems and looks whole (cut {i})");
            var starts = disk.Chosen(UpdateMachines.Repository);
            Assert.True(starts == "a" || (starts == "b trial" && complete), $"cut {i}: {starts} would start, marks {disk.Marks}");
            seen.Add($"{starts}, b is {(complete ? "new" : disk.IsFileSystem('b') ? "old" : "none")}");
            if (i % 4 == 0) Assert.Equal(starts, machines.Start(disk));
        }

        Assert.True(seen.Count > 1, string.Join("; ", seen)); // cuts that all fell into one moment would show nothing
    }

    [Fact]
    public void The_plug_pulled_while_a_slot_is_confirmed_leaves_one_that_starts()
    {
        var whole = Time(machines.Trial, "confirm", "confirmed");
        var random = new Random(12);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 10; i++)
        {
            CutAt(machines.Trial, "confirm", whole * (0.3 + random.NextDouble()));
            var disk = machines.Left();
            Intact(disk);
            Assert.True(disk.Holds('b', Path.Combine(machines.Made, "next.ext4")));
            var starts = disk.Chosen(UpdateMachines.Repository);
            Assert.True(starts is "a" or "b", $"cut {i}: {starts} would start, marks {disk.Marks}");
            seen.Add($"{starts} ({disk.Marks})");
            if (i % 5 == 0) Assert.Equal(starts, machines.Start(disk));
        }

        Assert.True(seen.Count > 1, string.Join("; ", seen));
    }

    // The slot that runs is as it was made, whatever was cut.
    private void Intact(UpdateDisk disk) => Assert.True(disk.Holds('a', Path.Combine(machines.Made, "slot.ext4")));

    private static TimeSpan Time(Func<UBootMachine> resume, string request, string state)
    {
        using var machine = resume();
        var clock = Stopwatch.StartNew();
        machine.Run(Say(request, state), 240);
        return clock.Elapsed;
    }

    private static void CutAt(Func<UBootMachine> resume, string request, TimeSpan at)
    {
        using var machine = resume();
        machine.Send(string.Format(CultureInfo.InvariantCulture, Ask, request) + "\n");
        Thread.Sleep(at);
        machine.Cut();
    }

    private static string Say(string request, string state) => string.Format(CultureInfo.InvariantCulture, Ask + Wait, request, state);
}
