// The file of block loads: what was put in comes out, what was lost keeps its place, and whatever else is one clear error.
using SspHost.Abi;
using SspHost.Diagnostics.Soak;

namespace SspHost.Soak.Tests;

public sealed class LoadFileTests : IDisposable
{
    private static readonly LoadFileHead Head = new(48_000, 32, 17, 123_456_789, 1_700_000_000_000);

    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-loads-").FullName;

    private string Place => Path.Combine(_directory, "x.loads");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_003)]
    public void Values_and_gaps_come_back_in_their_places(int count)
    {
        var random = new Random(count);
        var expected = new List<ushort>();
        using (var file = new LoadFileWriter(Place, Head))
        {
            while (expected.Count < count)
            {
                var piece = new ushort[random.Next(1, 5000)];
                for (var i = 0; i < piece.Length; i++) piece[i] = (ushort)random.Next(0x7FFF);
                file.Add(piece);
                expected.AddRange(piece);
                var gap = random.Next(3000);
                file.Skip((ulong)gap);
                expected.AddRange(Enumerable.Repeat(BlockLoad.Missing, gap));
            }

            Assert.Equal((ulong)expected.Count, file.Count);
        }

        var (head, values) = LoadFileReader.Read(Place);
        Assert.Equal(Head, head);
        Assert.Equal(expected, values);
        var bytes = File.ReadAllBytes(Place);
        Assert.Equal(64 + (2 * expected.Count), bytes.Length);
        for (var i = 0; i < expected.Count; i++) Assert.Equal(expected[i], bytes[64 + (2 * i)] | (bytes[65 + (2 * i)] << 8)); // little-endian, on any machine
    }

    [Fact]
    public void One_that_nobody_finished_has_what_was_written()
    {
        using (var file = new LoadFileWriter(Place, Head)) file.Add([1, 2, 3]);
        var bytes = File.ReadAllBytes(Place);
        bytes.AsSpan(48, 8).Fill(0xFF); // as it stands while it is written
        File.WriteAllBytes(Place, [.. bytes, 9]); // and the next value is half there
        Assert.Equal([1, 2, 3], LoadFileReader.Read(Place).Values);
    }

    [Fact]
    public void One_that_was_cut_or_changed_is_one_error_that_names_it()
    {
        using (var file = new LoadFileWriter(Place, Head)) file.Add([.. Enumerable.Range(0, 300).Select(i => (ushort)i)]);
        var bytes = File.ReadAllBytes(Place);
        for (var length = 0; length < bytes.Length; length++) Refused(bytes[..length]);
        Refused([.. bytes, 0]);
        Refused([.. bytes, 0, 0]);
        var random = new Random(3);
        for (var i = 0; i < 2000; i++)
        {
            var damaged = bytes.ToArray();
            for (var n = random.Next(1, 5); n > 0; n--) damaged[random.Next(LoadFileHead.Bytes)] = (byte)random.Next(256);
            File.WriteAllBytes(Place, damaged);
            try
            {
                Assert.Equal(300, LoadFileReader.Read(Place).Values.Length); // another time or first block is nobody's to notice
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith(Place + ": ", e.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("\n", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void What_is_no_plain_file_is_not_written()
    {
        Assert.Throws<IOException>(() => new LoadFileWriter("/dev/null", Head));
        Assert.Throws<IOException>(() => new LoadFileWriter(_directory, Head));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private void Refused(byte[] bytes)
    {
        File.WriteAllBytes(Place, bytes);
        var error = Assert.Throws<InvalidDataException>(() => LoadFileReader.Read(Place));
        Assert.StartsWith(Place + ": ", error.Message, StringComparison.Ordinal);
    }
}
