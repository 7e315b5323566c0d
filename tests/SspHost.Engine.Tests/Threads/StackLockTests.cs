// Reading smaps: the kernel's format, cut anywhere.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Tests.Threads;

public sealed class StackLockTests
{
    private static string Mapping(ulong from, ulong to, string flags, string path = "") => string.Create(
        CultureInfo.InvariantCulture,
        $"{from:x}-{to:x} rw-s 00000000 00:01 1234 {path}\nSize: 8 kB\nRss: 8 kB\nLocked: 4 kB\nVmFlags: rd wr sh {flags}sd \n");

    private static bool Scan(string smaps, ulong from, ulong to, Random cuts)
    {
        var scan = new SmapsScan(from, to);
        var bytes = Encoding.ASCII.GetBytes(smaps);
        for (var at = 0; at < bytes.Length;)
        {
            var n = Math.Min(bytes.Length - at, cuts.Next(1, 200));
            scan.Feed(bytes.AsSpan(at, n));
            at += n;
        }

        return scan.AllLocked;
    }

    [Fact]
    public void A_range_is_locked_only_when_every_mapping_under_it_is()
    {
        var cuts = new Random(1);
        var text = Mapping(0x1000, 0x3000, "lo ") + Mapping(0x3000, 0x5000, "lo ") + Mapping(0x5000, 0x6000, "") + Mapping(0x7000, 0x9000, "lo ");
        for (var i = 0; i < 50; i++)
        {
            Assert.True(Scan(text, 0x1000, 0x5000, cuts));
            Assert.True(Scan(text, 0x2000, 0x4000, cuts));
            Assert.False(Scan(text, 0x4000, 0x6000, cuts)); // not locked
            Assert.False(Scan(text, 0x8000, 0xA000, cuts)); // not mapped
            Assert.False(Scan(text, 0x1000, 0x1000, cuts)); // nothing
        }
    }

    [Fact]
    public void A_flag_that_only_contains_the_letters_and_a_path_that_looks_like_a_mapping_are_not_taken_for_it()
    {
        var cuts = new Random(2);
        Assert.False(Scan(Mapping(0x1000, 0x2000, "lox xlo "), 0x1000, 0x2000, cuts));
        Assert.True(Scan(Mapping(0x1000, 0x2000, "lo ", "/tmp/" + new string('a', 300) + " 3000-4000 VmFlags: lo"), 0x1000, 0x2000, cuts));
    }

    [Fact]
    public void Random_layouts_agree_with_a_page_table()
    {
        var random = new Random(3);
        for (var round = 0; round < 300; round++)
        {
            var locked = new bool[64];
            var text = new StringBuilder();
            for (var page = 0; page < 64;)
            {
                var length = Math.Min(64 - page, random.Next(1, 9));
                var kind = random.Next(4);
                if (kind > 0) text.Append(Mapping((ulong)page * 4096, (ulong)(page + length) * 4096, kind == 1 ? "" : "lo "));
                for (var i = 0; i < length; i++) locked[page + i] = kind > 1;
                page += length;
            }

            var from = random.Next(63);
            var to = random.Next(from + 1, 64);
            Assert.Equal(locked.AsSpan(from, to - from).IndexOf(false) < 0, Scan(text.ToString(), (ulong)from * 4096, (ulong)to * 4096, random));
        }
    }

    [Fact]
    public void A_page_is_as_large_as_the_kernel_says()
    {
        const ulong PageSize = 6; // AT_PAGESZ in the auxiliary vector: pairs of words
        var vector = MemoryMarshal.Cast<byte, ulong>(File.ReadAllBytes("/proc/self/auxv"));
        var at = 0;
        while (vector[at] != PageSize) at += 2;
        Assert.Equal(vector[at + 1], (ulong)StackLock.PageBytes);
    }
}
