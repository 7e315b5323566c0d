// Files: nothing is written over, nothing deleted for good at once, and a stick is a stick.
using SspHost.Panel.Files;

namespace SspHost.Panel.Tests;

public sealed class FilesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ssp-files-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_copy_is_whole_and_never_takes_the_place_of_what_is_there()
    {
        var (from, to) = (Make("a.json", new string('x', 100_000)), At("sub/b.json"));
        Assert.Null(FileWork.Copy(from, to));
        Assert.Equal(File.ReadAllBytes(from), File.ReadAllBytes(to));
        Make("c.json", "other");
        Assert.Contains("exists", FileWork.Copy(from, At("c.json")), StringComparison.Ordinal);
        Assert.Equal("other", File.ReadAllText(At("c.json")));
        Assert.NotNull(FileWork.Copy(At("none.json"), At("d.json")));
        Assert.False(File.Exists(At("d.json")));
        Assert.DoesNotContain(Directory.GetFiles(_root, "*", SearchOption.AllDirectories), f => f.EndsWith(".part", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_gets_another_name_never_takes_that_of_another()
    {
        var a = Make("a.json", "a");
        Make("b.json", "b");
        Assert.Contains("exists", FileWork.Move(a, At("b.json")), StringComparison.Ordinal);
        Assert.Equal("a", File.ReadAllText(a));
        Assert.Null(FileWork.Move(a, At("c.json")));
        Assert.Equal("a", File.ReadAllText(At("c.json")));
        Directory.CreateDirectory(At("folder"));
        Assert.Null(FileWork.Move(At("folder"), At("named")));
        Assert.True(Directory.Exists(At("named")));
    }

    [Fact]
    public void What_was_deleted_comes_back_last_first_and_under_a_free_name_where_its_own_is_taken()
    {
        var trash = new Trash(At("trash"));
        Assert.Null(trash.Last);
        Assert.NotNull(trash.Undo().Why);
        var (a, b) = (Make("a.json", "a"), Make("b.json", "b"));
        Assert.Null(trash.Delete(a, null));
        Assert.Null(trash.Delete(b, null));
        Assert.False(File.Exists(a) || File.Exists(b));
        Assert.Equal("b.json", trash.Last);
        Make("b.json", "new");
        Assert.Equal(At("b 2.json"), trash.Undo().Path);
        Assert.Equal(("new", "b"), (File.ReadAllText(b), File.ReadAllText(At("b 2.json"))));
        Assert.Equal(a, trash.Undo().Path);
        Assert.Equal("a", File.ReadAllText(a));
        Assert.Null(trash.Last);
    }

    [Fact]
    public void The_trash_keeps_the_newest_things_and_a_stick_has_its_own()
    {
        var trash = new Trash(At("trash"));
        for (var i = 0; i < Trash.Most + 5; i++) Assert.Null(trash.Delete(Make($"f{i}.json", $"{i}"), null));
        var kept = Directory.GetFiles(At("trash"));
        Assert.Equal(Trash.Most, kept.Length);
        Assert.DoesNotContain(kept, f => f.EndsWith(" f4.json", StringComparison.Ordinal));
        Assert.Contains(kept, f => f.EndsWith(" f5.json", StringComparison.Ordinal));
        Assert.Null(trash.Delete(Make("stick/x.wav", "x"), At("stick")));
        Assert.Single(Directory.GetFiles(Path.Combine(At("stick"), Trash.OnStick)));
        Assert.Equal(At("stick/x.wav"), trash.Undo().Path);
        Assert.NotNull(trash.Delete(At("not there"), null));
    }

    [Fact]
    public void A_list_has_folders_first_files_by_name_and_nothing_hidden()
    {
        Make("b.json", "");
        Make("A.json", "");
        Make("song.wav", "");
        Make(".hidden.json", "");
        Directory.CreateDirectory(At("z"));
        File.CreateSymbolicLink(At("broken.json"), At("nowhere"));
        Assert.Equal(["z", "A", "b"], FolderList.Read(_root, [".json"], out var why).Select(e => e.Name));
        Assert.Null(why);
        Assert.Empty(FolderList.Read(At("none"), [], out why));
        Assert.Null(why);
    }

    [Theory]
    [InlineData("Bells in the fog", true)]
    [InlineData("Ünïcode ♪", true)]
    [InlineData("", false)]
    [InlineData(" ", false)]
    [InlineData(".hidden", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a:b", false)]
    [InlineData("dot.", false)]
    [InlineData("tab\there", false)]
    public void A_name_is_one_that_every_file_system_takes(string name, bool good) => Assert.Equal(good, FileNames.Check(name) is null);

    [Fact]
    public void A_name_of_the_longest_length_can_be_written()
    {
        var longest = new string('ä', FileNames.MostBytes / 2);
        Assert.Null(FileNames.Check(longest));
        Assert.NotNull(FileNames.Check(longest + "ä"));
        Make(longest + ".json", "x");
        var free = FileNames.Free(_root, longest + ".json");
        File.WriteAllText(free, "y");
        Assert.EndsWith(" 2.json", free, StringComparison.Ordinal);
    }

    [Fact]
    public void Sticks_are_found_in_the_mount_table()
    {
        const string Table =
            """
            22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
            23 22 0:21 / /proc rw - proc proc rw
            30 22 8:17 / /media/ssp/MY\040STICK rw,nosuid shared:9 - vfat /dev/sdb1 rw
            31 22 8:33 / /mnt/reader ro - exfat /dev/sdc1 ro
            32 22 179:1 / /boot/firmware rw - vfat /dev/mmcblk0p1 rw
            33 22 8:49 /sub /media/bind rw - ext4 /dev/sdd1 rw
            34 22 0:44 / /media/net rw - nfs server:/x rw
            nonsense
            """;
        Assert.Equal([new Stick("/media/ssp/MY STICK", false), new Stick("/mnt/reader", true)], Sticks.Parse(Table, device => device is "8:33" or "179:1"));
        Assert.Equal("MY STICK", new Stick("/media/ssp/MY STICK", false).Name);
        Assert.Empty(Sticks.Read(At("no table")));
    }

    [Fact]
    public void Whatever_stands_in_a_mount_table_is_read_without_an_exception()
    {
        var random = new Random(9);
        const string Letters = "/- \\0147:\nabmedi";
        for (var i = 0; i < 20_000; i++)
        {
            var text = "30 22 8:17 / /media/x rw - vfat /dev/sdb1 rw\n".ToCharArray();
            for (var k = random.Next(12); k > 0; k--) text[random.Next(text.Length)] = Letters[random.Next(Letters.Length)];
            Assert.All(Sticks.Parse(new string(text), _ => true), s => Assert.StartsWith("/", s.Root, StringComparison.Ordinal));
        }
    }

    private string At(string name) => Path.Combine(_root, name);

    private string Make(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
        return At(name);
    }
}
