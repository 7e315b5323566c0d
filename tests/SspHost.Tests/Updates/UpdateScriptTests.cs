// Root's part of an update, with files for slots: what is installed, what is refused, and that the slot that runs is never touched.
using System.Diagnostics;

namespace SspHost.Tests.Updates;

public sealed class UpdateScriptTests : IDisposable
{
    private UpdateBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void An_update_goes_into_the_slot_that_does_not_run_and_is_marked_for_one_trial(string slot)
    {
        _bench.Dispose();
        _bench = new UpdateBench(slot);
        var other = slot == "a" ? "b" : "a";
        var before = _bench.Slot(slot);
        Assert.Equal(0, _bench.Ask("install", _bench.MakeUpdate("2.0.0", 200)));
        Assert.Equal(_bench.Image("2.0.0"), _bench.Slot(other));
        Assert.Equal(before, _bench.Slot(slot));
        Assert.Equal(slot == "b" ? "slot-b try" : "try", _bench.Marks);
        Assert.Contains("state=installed\n", _bench.Status, StringComparison.Ordinal);
        Assert.False(File.Exists(_bench.Incoming), "the file has done its work");
        Assert.False(File.Exists(_bench.In("restarted")), "nobody asked for a restart");
        Assert.Equal(0, _bench.Ask("restart"));
        Assert.True(File.Exists(_bench.In("restarted")));
    }

    [Fact]
    public void A_byte_changed_anywhere_is_refused_and_nothing_has_been_written()
    {
        var file = _bench.MakeUpdate("2.0.0", 200);
        var good = File.ReadAllBytes(file);
        var a = _bench.Slot("a");
        var b = _bench.Slot("b");
        // Each part: its first byte, its last, and some in between.
        foreach (var at in new[] { 0, 16, 17, 60, 115, 116, 117, 118, 200, 500, 1023, 1024, 1030, good.Length / 2, good.Length - 5, good.Length - 1 })
        {
            var bad = (byte[])good.Clone();
            bad[at] ^= 0x04;
            File.WriteAllBytes(file, bad);
            Assert.True(_bench.Ask("install", file) != 0, $"byte {at} was changed");
            Assert.Matches("state=failed\n(.*\n)*reason=[^\n]+\n$", _bench.Status);
            Assert.Equal("", _bench.Marks);
        }

        Assert.Equal(a, _bench.Slot("a"));
        Assert.Equal(b, _bench.Slot("b"));
        File.WriteAllBytes(file, good);
        Assert.Equal(0, _bench.Ask("install", file));
    }

    [Theory]
    [InlineData(0, "too short")]
    [InlineData(1000, "too short")]
    [InlineData(1024, "cut off")]
    [InlineData(300_000, "cut off")]
    public void A_file_that_was_cut_off_is_refused(int length, string reason)
    {
        var file = _bench.MakeUpdate("2.0.0", 200);
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..length]);
        Refused(file, reason);
    }

    [Fact]
    public void What_follows_the_image_is_refused()
    {
        var file = _bench.MakeUpdate("2.0.0", 200);
        File.AppendAllText(file, "x");
        Refused(file, "longer than it says");
    }

    [Fact]
    public void An_older_version_is_refused_and_the_same_is_not()
    {
        Refused(_bench.MakeUpdate("0.9.0", 99), "older than what runs");
        Assert.Equal(0, _bench.Ask("install", _bench.MakeUpdate("1.0.0", 100)));
    }

    [Fact]
    public void Another_machines_system_is_refused()
    {
        Refused(_bench.MakeUpdate("2.0.0", 200, arch: "riscv64"), "is for riscv64, this is");
        Refused(_bench.MakeUpdate("2.0.0", 200, board: "toaster"), "is for board 'toaster', this is 'bench'");
    }

    [Fact]
    public void An_image_larger_than_a_slot_is_refused() =>
        Refused(_bench.MakeUpdate("2.0.0", 200, mib: UpdateBench.SlotMib + 1), "not enough space: ssphost-2.0.0-test has an image of 5 MiB, a slot here has 4 MiB");

    [Fact]
    public void Another_makers_signature_is_refused()
    {
        UpdateBench.Run("signify-openbsd", "-G", "-n", "-p", _bench.In("other.pub"), "-s", _bench.In("other.sec"));
        Refused(_bench.MakeUpdate("2.0.0", 200, key: _bench.In("other.sec")), "signature");
    }

    [Fact]
    public void A_system_without_a_key_installs_nothing()
    {
        File.Delete(_bench.In("etc/ssphost/update.pub"));
        Refused(_bench.MakeUpdate("2.0.0", 200), "no key");
    }

    [Fact]
    public void A_link_in_place_of_the_file_leads_nowhere_the_user_could_not_go_himself()
    {
        if (Environment.UserName != "root") return; // then root's script has no more rights than this test
        var file = _bench.MakeUpdate("2.0.0", 200);
        File.Move(file, _bench.In("roots.update"));
        File.SetUnixFileMode(_bench.In("roots.update"), UnixFileMode.UserRead);
        File.CreateSymbolicLink(_bench.Incoming, _bench.In("roots.update"));
        Assert.NotEqual(0, _bench.Ask("install"));
        Assert.Contains("there is no update file", _bench.Status, StringComparison.Ordinal);
        Assert.True(File.Exists(_bench.In("roots.update")));
    }

    [Fact]
    public void Endless_odd_or_missing_things_in_place_of_the_file_end_in_one_line()
    {
        Assert.NotEqual(0, _bench.Ask("install"));
        Assert.Contains("there is no update file", _bench.Status, StringComparison.Ordinal);
        File.CreateSymbolicLink(_bench.Incoming, "/dev/zero");
        Assert.NotEqual(0, _bench.Ask("install"));
        Assert.Contains("this is no update file", _bench.Status, StringComparison.Ordinal);
        File.Delete(_bench.Incoming);
        Directory.CreateDirectory(_bench.Incoming);
        Assert.NotEqual(0, _bench.Ask("install"));
        Assert.Matches("reason=.*no update file", _bench.Status);
    }

    [Theory]
    [InlineData("explode")]
    [InlineData("install; touch /tmp/x")]
    [InlineData("")]
    public void A_word_that_is_no_request_does_nothing_and_is_taken_away(string word)
    {
        Assert.NotEqual(0, _bench.Ask(word));
        Assert.False(Path.Exists(_bench.In("data/deploy/update/request")), "it would be seen to again and again");
        Assert.Equal("", _bench.Marks);
    }

    [Fact]
    public void A_directory_in_place_of_the_request_is_taken_away()
    {
        Directory.CreateDirectory(_bench.In("data/deploy/update/request/x"));
        if (Environment.UserName == "root") UpdateBench.Run("chown", "-R", "nobody", _bench.In("data/deploy/update/request"));
        Assert.NotEqual(0, _bench.Serve());
        Assert.False(Path.Exists(_bench.In("data/deploy/update/request")));
    }

    [Fact]
    public void A_trial_is_confirmed_and_the_deployed_release_steps_back_for_it()
    {
        _bench.Ask("install", _bench.MakeUpdate("2.0.0", 200));
        File.CreateSymbolicLink(_bench.In("data/deploy/current"), "releases/x");
        Trial();
        Assert.Equal(0, _bench.Ask("confirm"));
        Assert.Equal("slot-b", _bench.Marks);
        Assert.Contains("state=confirmed\n", _bench.Status, StringComparison.Ordinal);
        Assert.Null(new FileInfo(_bench.In("data/deploy/current")).LinkTarget);
        Assert.Equal("releases/x", new FileInfo(_bench.In("data/deploy/previous")).LinkTarget);
        Assert.Equal("1.0.0", _bench.Station.Older!.Version);
        Assert.Equal(0, _bench.Ask("confirm")); // once more changes nothing
        Assert.Equal("slot-b", _bench.Marks);
    }

    [Fact]
    public void While_a_version_is_on_trial_nothing_is_written_over_the_one_to_go_back_to()
    {
        _bench.Ask("install", _bench.MakeUpdate("2.0.0", 200));
        var next = _bench.MakeUpdate("3.0.0", 300);
        Trial();
        var before = _bench.Slot("a");
        Assert.NotEqual(0, _bench.Ask("install", next));
        Assert.Contains("on trial itself", _bench.Status, StringComparison.Ordinal);
        Assert.Equal(before, _bench.Slot("a"));
        Assert.Equal("tried try", _bench.Marks);
    }

    [Fact]
    public void Rollback_tries_the_version_before_and_in_a_trial_it_ends_that()
    {
        Assert.NotEqual(0, _bench.Ask("rollback"));
        Assert.Contains("there is no version before this one", _bench.Status, StringComparison.Ordinal);
        _bench.Ask("install", _bench.MakeUpdate("2.0.0", 200));
        Trial();
        Assert.Equal(0, _bench.Ask("rollback")); // not confirmed yet
        Assert.Equal("", _bench.Marks);
        _bench.Runs("a");
        _bench.Is("1.0.0", 100);
        Assert.NotEqual(0, _bench.Ask("rollback")); // b has never played: there is nothing to go back to
        _bench.Ask("install", _bench.MakeUpdate("2.0.0", 200));
        Trial();
        _bench.Ask("confirm");
        _bench.Runs("b");
        Assert.Equal(0, _bench.Ask("rollback")); // a version with a lower serial, and asked for
        Assert.Equal("slot-b try", _bench.Marks);
    }

    [Fact]
    public void A_trial_that_does_not_play_in_time_is_ended_by_a_restart_and_a_confirmed_slot_is_not()
    {
        Assert.Equal(0, _bench.Serve("expire"));
        Assert.False(File.Exists(_bench.In("restarted")));
        _bench.Ask("install", _bench.MakeUpdate("2.0.0", 200));
        Trial();
        Assert.Equal(0, _bench.Serve("expire"));
        Assert.True(File.Exists(_bench.In("restarted")));
    }

    [Fact]
    public void A_system_that_runs_because_the_confirmed_one_does_not_load_becomes_the_confirmed_one_before_anything_is_written()
    {
        _bench.Runs("b"); // and there is no /slot-b
        Assert.Equal(0, _bench.Ask("install", _bench.MakeUpdate("2.0.0", 200)));
        Assert.Equal(_bench.Image("2.0.0"), _bench.Slot("a"));
        Assert.Equal("slot-b try", _bench.Marks);
    }

    [Fact]
    public void A_system_that_was_not_started_from_a_slot_says_so()
    {
        File.WriteAllText(_bench.In("proc/cmdline"), "root=/dev/sda1\n");
        Refused(_bench.MakeUpdate("2.0.0", 200), "not started from a slot");
    }

    [Fact]
    public void Ended_at_any_moment_it_leaves_a_slot_that_is_complete_or_none_and_marks_that_start_a_complete_one()
    {
        var file = _bench.MakeUpdate("2.0.0", 200);
        var a = _bench.Slot("a");
        var random = new Random(5);
        var cut = 0;
        for (var i = 0; i < 25; i++)
        {
            File.Copy(file, _bench.Incoming, overwrite: true);
            File.WriteAllText(_bench.In("data/deploy/update/request"), "install\n");
            using (var p = Process.Start(_bench.Service())!)
            {
                if (!p.WaitForExit(random.Next(20, 600)))
                {
                    p.Kill(entireProcessTree: true);
                    p.WaitForExit();
                    cut++;
                }
            }

            var b = _bench.Slot("b");
            var complete = b.AsSpan().SequenceEqual(_bench.Image("2.0.0"));
            if (_bench.Marks.Contains("try", StringComparison.Ordinal)) Assert.True(complete, $"it is to be tried, and is not complete (cut {i})");
            Assert.DoesNotContain("slot-b", _bench.Marks, StringComparison.Ordinal);
            Assert.Equal(a, _bench.Slot("a"));
        }

        Assert.True(cut > 3, $"only {cut} of 25 were cut");
        Assert.Equal(0, _bench.Ask("install", file)); // and it can always be done again
        Assert.Equal(_bench.Image("2.0.0"), _bench.Slot("b"));
    }

    // The boot loader's part.
    private void Trial()
    {
        File.WriteAllText(_bench.In("disk/1/tried"), "1");
        _bench.Runs("b", trial: true);
        _bench.Is("2.0.0", 200);
    }

    private void Refused(string file, string reason)
    {
        var (a, b) = (_bench.Slot("a"), _bench.Slot("b"));
        Assert.NotEqual(0, _bench.Ask("install", file));
        Assert.Contains(reason, _bench.Status, StringComparison.Ordinal);
        Assert.Equal((true, true), (a.AsSpan().SequenceEqual(_bench.Slot("a")), b.AsSpan().SequenceEqual(_bench.Slot("b"))));
        Assert.Equal("", _bench.Marks);
    }
}
