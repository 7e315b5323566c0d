// Which files and directories libraries are loaded from, and when a file is one: owners, modes, writers, ends.
using System.Buffers.Binary;
using SspHost.Playing;

namespace SspHost.Tests;

public sealed class LibraryFileTests : IDisposable
{
    private const uint Directory = 0x4000, File = 0x8000;

    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("ssp-library-").FullName;

    public void Dispose() => System.IO.Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(Directory, 0x1EDu, 0, 0, 0, true, null)] // 0755 of root
    [InlineData(Directory, 0x1EDu, 1000, 1000, 1000, true, null)]
    [InlineData(Directory, 0x1EDu, 0, 0, 1000, true, null)] // of root for a user
    [InlineData(Directory, 0x1EDu, 1000, 1000, 0, true, "belongs to user 1000, expected root")]
    [InlineData(Directory, 0x1C0u, 1000, 1000, 0, false, "belongs to user 1000, expected root")]
    [InlineData(Directory, 0x1EDu, 1001, 1000, 1000, true, "belongs to user 1001, expected root or user 1000")]
    [InlineData(Directory, 0x1FFu, 0, 0, 0, false, "can be written by everybody (chmod o-w)")]
    [InlineData(Directory, 0x3FFu, 0, 0, 0, false, null)] // 1777 on the way, as /tmp is
    [InlineData(Directory, 0x3FFu, 0, 0, 0, true, "can be written by everybody (chmod o-w)")]
    [InlineData(File, 0x1B6u, 0, 0, 0, true, "can be written by everybody (chmod o-w)")]
    [InlineData(File, 0x3B6u, 0, 0, 0, false, "can be written by everybody (chmod o-w)")] // a file that is sticky is as open as another
    [InlineData(File, 0x1B4u, 0, 100, 0, true, "can be written by group 100 (chmod g-w)")]
    [InlineData(File, 0x1B4u, 0, 0, 0, true, null)] // root's own group
    [InlineData(File, 0x1B4u, 1000, 1000, 1000, true, null)] // a user's group is that user's business
    public void Only_root_and_whoever_runs_the_host_may_have_written_what_is_loaded(uint type, uint mode, uint user, uint group, uint me, bool last, string? why) =>
        Assert.Equal(why, LibraryFile.Weakness(type | mode, user, group, me, last));

    [Fact]
    public void A_file_that_somebody_has_open_to_write_is_being_written_and_no_other()
    {
        var path = Path.Combine(_directory, "x.so");
        using (var writer = System.IO.File.Create(path)) // .NET locks it besides, which is nobody else's business
        {
            writer.WriteByte(1);
            writer.Flush();
            using var reader = LibraryFile.Open(path);
            Assert.True(LibraryFile.IsBeingWritten(reader));
            Assert.True(LibraryFile.IsBeingWritten(reader));
        }

        using var other = LibraryFile.Open(path);
        using var again = LibraryFile.Open(path);
        Assert.False(LibraryFile.IsBeingWritten(again));

        // What was asked leaves nothing behind that a writer would wait for.
        using (System.IO.File.OpenWrite(path)) Assert.True(LibraryFile.IsBeingWritten(other));
        Assert.False(LibraryFile.IsBeingWritten(other));
    }

    [Fact]
    public void An_ELF_file_is_whole_from_the_byte_on_at_which_its_tables_end()
    {
        var image = System.IO.File.ReadAllBytes("/proc/self/exe");
        Assert.True(LibraryFile.IsWhole(image.AsSpan(0, 64), image.Length));
        var end = (long)(BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan(0x28)) + ((ulong)BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan(0x3A)) * BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan(0x3C))));
        Assert.InRange(end, 64, image.Length);
        Assert.True(LibraryFile.IsWhole(image.AsSpan(0, 64), end));
        Assert.False(LibraryFile.IsWhole(image.AsSpan(0, 64), end - 1));
        for (var n = 4; n < 64; n++) Assert.False(LibraryFile.IsWhole(image.AsSpan(0, n), n));
        Assert.False(LibraryFile.IsWhole([], 0));
        Assert.True(LibraryFile.IsWhole("text"u8, 4)); // no ELF file: what it is instead the loader says
        var wild = image[..64];
        wild.AsSpan(0x28, 8).Fill(0xFF);
        Assert.False(LibraryFile.IsWhole(wild, image.Length));
    }
}
