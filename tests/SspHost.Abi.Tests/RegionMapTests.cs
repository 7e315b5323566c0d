// Attaching to a region that another process holds, and what is refused; the lock that dies with its holder.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SspHost.Abi.Tests;

public sealed unsafe partial class RegionMapTests
{
    private const long Bytes = 1 << 20;

    [Fact]
    public void A_region_is_attached_through_the_process_that_holds_it_and_outlives_it()
    {
        var fd = MakeRegion(Bytes);
        using var holder = Hold(fd);
        _ = Linux.Close(fd); // from here on it exists in the other process only
        using var map = RegionMap.Attach($"/proc/{holder.Id}/fd/{fd}");
        Assert.Equal(Bytes, map.Bytes);
        map.At(Bytes - 8)[0] = 7;
        using var second = RegionMap.Attach($"/proc/{holder.Id}/fd/{fd}");
        Assert.Equal(7, second.At(Bytes - 8)[0]);

        holder.Kill();
        holder.WaitForExit();
        map.At(Bytes - 8)[0] = 8;
        Assert.Equal(8, second.At(Bytes - 8)[0]);
        Assert.Throws<IOException>(() => RegionMap.Attach($"/proc/{holder.Id}/fd/{fd}"));
    }

    [Theory]
    [InlineData("magic", "not an SspHost region, or its engine has not finished starting")]
    [InlineData("layout", "region layout 1001, this program speaks")]
    [InlineData("header", "header of ")]
    [InlineData("bytes", "expected ")]
    [InlineData("short", "100 bytes, too short for a region")]
    [InlineData("empty", "0 bytes, too short for a region")]
    public void What_is_not_a_region_of_this_version_is_refused_with_what_differs(string damage, string message)
    {
        var fd = MakeRegion(Bytes, header =>
        {
            switch (damage)
            {
                case "magic": header->Magic = 0; break;
                case "layout": header->Layout = 1001; break;
                case "header": header->HeaderBytes -= 8; break;
                case "bytes": header->Bytes += 4096; break;
            }
        });
        if (damage == "short") Assert.Equal(0, Truncate(fd, 100));
        if (damage == "empty") Assert.Equal(0, Truncate(fd, 0));
        using var holder = Hold(fd);
        var path = $"/proc/{holder.Id}/fd/{fd}";
        var files = Directory.GetFiles("/proc/self/fd").Length;
        for (var i = 0; i < 3; i++)
        {
            var error = Assert.Throws<InvalidDataException>(() => RegionMap.Attach(path));
            Assert.StartsWith(path + ": ", error.Message, StringComparison.Ordinal);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }

        Assert.True(Directory.GetFiles("/proc/self/fd").Length < files + 3, "a descriptor leaks at each"); // other tests open and close some, too
        holder.Kill();
        holder.WaitForExit();
        _ = Linux.Close(fd);
    }

    [Fact]
    public void A_path_that_is_not_there_is_one_clear_line()
    {
        var error = Assert.Throws<IOException>(() => RegionMap.Attach("/proc/0/fd/3"));
        Assert.StartsWith("/proc/0/fd/3: cannot open the engine's region: ", error.Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => RegionMap.Attach("/proc")); // a folder
    }

    [Fact]
    public void Only_one_process_has_the_lock_and_the_kernel_takes_it_back_when_that_process_is_killed()
    {
        var fd = MakeRegion(Bytes);
        var path = $"/proc/{Environment.ProcessId}/fd/{fd}";
        using var map = RegionMap.Attach(path);
        for (var round = 0; round < 3; round++)
        {
            using var peer = StartPeer(path);
            Assert.Equal("locked", peer.StandardOutput.ReadLine());
            Assert.False(map.TryLock());
            peer.Kill(); // SIGKILL
            peer.WaitForExit();
            Assert.True(map.TryLock());
            Assert.True(map.TryLock()); // whoever has it keeps it

            using var late = StartPeer(path);
            Assert.Equal("busy", late.StandardOutput.ReadLine());
            late.WaitForExit();
            _ = Flock(map, release: true);
        }

        // Leaving in good order gives it back as well.
        using (var other = RegionMap.Attach(path))
        {
            Assert.True(other.TryLock());
            Assert.False(map.TryLock());
        }

        Assert.True(map.TryLock());
        _ = Linux.Close(fd);
    }

    [Fact]
    public void A_view_over_foreign_memory_unmaps_nothing()
    {
        var memory = stackalloc byte[sizeof(RegionHeader)];
        var view = RegionMap.Over(memory, sizeof(RegionHeader));
        view.Dispose();
        Assert.Equal((nint)memory, (nint)view.Base);
        memory[0] = 1;
        Assert.Equal(0, view.OffsetOf(memory));
        Assert.Equal((nint)(memory + 5), (nint)view.At(5));
    }

    // A memfd that children inherit, with a good header unless spoiled.
    private static int MakeRegion(long bytes, HeaderAction? spoil = null)
    {
        int fd;
        fixed (byte* name = "test-region\0"u8) fd = MemfdCreate(name, 0);
        Assert.True(fd >= 0);
        Assert.Equal(0, Truncate(fd, bytes));
        var start = (byte*)Linux.Mmap(null, (nuint)bytes, Linux.ProtRead | Linux.ProtWrite, Linux.MapShared, fd, 0);
        Assert.NotEqual(-1, (nint)start);
        var header = (RegionHeader*)start;
        header->Layout = AbiVersion.Layout;
        header->HeaderBytes = (uint)sizeof(RegionHeader);
        header->Bytes = bytes;
        header->Magic = AbiVersion.Magic;
        spoil?.Invoke(header);
        Assert.Equal(0, Linux.Munmap(start, (nuint)bytes));
        return fd;
    }

    // Any process that inherits the descriptor will do.
    private static Process Hold(int fd)
    {
        var process = Process.Start(new ProcessStartInfo("sleep", "60") { UseShellExecute = false })!;
        var path = $"/proc/{process.Id}/fd/{fd}";
        while (!File.Exists(path)
            || !File.ReadAllText($"/proc/{process.Id}/comm").StartsWith("sleep", StringComparison.Ordinal))
            Thread.Yield();
        return process;
    }

    private static Process StartPeer(string path)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var arg in (string[])["exec", typeof(RegionPeer).Assembly.Location, RegionPeer.Verb, path]) start.ArgumentList.Add(arg);
        return Process.Start(start)!;
    }

    private static int Flock(RegionMap map, bool release)
    {
        // The lock belongs to the map's own open file; its number is the newest descriptor that leads to this memfd.
        Assert.True(release && map.Bytes > 0);
        foreach (var file in Directory.GetFiles("/proc/self/fd"))
        {
            var fd = int.Parse(Path.GetFileName(file), CultureInfo.InvariantCulture);
            if (new FileInfo(file).LinkTarget?.Contains("test-region", StringComparison.Ordinal) == true) _ = Linux.Flock(fd, 8); // LOCK_UN
        }

        return 0;
    }

    private delegate void HeaderAction(RegionHeader* header);

    [LibraryImport("libc", EntryPoint = "memfd_create")]
    private static partial int MemfdCreate(byte* name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate")]
    private static partial int Truncate(int fd, long bytes);
}
