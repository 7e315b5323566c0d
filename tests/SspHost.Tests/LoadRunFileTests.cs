// The file of loads: what was put in comes out, and whatever else is in it is one clear error.
using SspHost.Diagnostics.Html;

namespace SspHost.Tests;

public sealed class LoadRunFileTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((1 << 20) + 7)]
    [InlineData(3 << 20)]
    public void Every_load_and_all_that_is_known_of_them_comes_back(int quanta)
    {
        var random = new Random(quanta);
        var loads = new ushort[quanta];
        for (var i = 0; i < quanta; i++) loads[i] = (ushort)random.Next(65_536);
        var run = Run(loads);
        using var file = new MemoryStream();
        LoadRunFile.Write(run, file);
        file.Position = 0;
        var back = LoadRunFile.Read(file, "memory");
        Assert.True(back.Loads.Span.SequenceEqual(loads));
        Assert.Equal(run.Marks, back.Marks);
        Assert.Equal(run.Spikes[0].Zones, back.Spikes[0].Zones);
        Assert.Equal(run.Spikes[0].Facts, back.Spikes[0].Facts);
        Assert.Equal((run.Name, run.Machine, run.BudgetNs, run.FirstQuantum, run.StartTime), (back.Name, back.Machine, back.BudgetNs, back.FirstQuantum, back.StartTime));
        Assert.Equal(run.Modules[0].Buckets, back.Modules[0].Buckets);
    }

    [Fact]
    public void A_file_that_is_cut_or_damaged_or_another_is_one_error_that_names_it()
    {
        using var whole = new MemoryStream();
        LoadRunFile.Write(Run([1, 2, 3, 40_000]), whole);
        var bytes = whole.ToArray();
        for (var length = 0; length < bytes.Length - 6; length += 7) Refused(bytes[..length]); // deflate ends with a few bytes that carry nothing
        Refused("RIFF____WAVEfmt ________"u8.ToArray());
        var random = new Random(3);
        for (var i = 0; i < 2000; i++)
        {
            var damaged = bytes.ToArray();
            for (var n = random.Next(1, 4); n > 0; n--) damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                _ = LoadRunFile.Read(new MemoryStream(damaged), "x.ssploads"); // a changed figure is nobody's to notice
            }
            catch (InvalidDataException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }

    [Fact]
    public void A_place_that_cannot_be_written_leaves_nothing_behind()
    {
        var directory = Directory.CreateTempSubdirectory().FullName;
        var path = Path.Combine(directory, "run.ssploads");
        Directory.CreateDirectory(path); // a folder is in the way
        Assert.ThrowsAny<Exception>(() => LoadRunFile.Write(Run([1]), path));
        Assert.Empty(Directory.GetFiles(directory));
        Directory.Delete(directory, recursive: true);
    }

    private static void Refused(byte[] bytes) =>
        Assert.Contains("x.ssploads", Assert.Throws<InvalidDataException>(() => LoadRunFile.Read(new MemoryStream(bytes), "x.ssploads")).Message, StringComparison.Ordinal);

    private static LoadRun Run(ushort[] loads) => new()
    {
        Name = "tape & room", EngineVersion = "1", Machine = "m", Rate = 48_000, Quantum = 32, BudgetNs = 666_666.7, StartTime = "2026-01-31T20:15:00Z", FirstQuantum = 77,
        Loads = loads,
        Marks = [new LoadMark { Quantum = 78, Kind = LoadMarkKind.Dropout, Cause = "slowRender", Module = "vco1", Text = "text", Incident = 5, LostFrames = 64 }],
        Spikes = [new LoadSpike { Quantum = 78, Zones = [new SpikeZone("audio", "vco1", "module", -5, 900, 1, 3)], Facts = [new SpikeFact(SpikeFactKind.Fault, "audio", null, 2, "text")] }],
        Modules = [new ModuleTimes { Name = "vco1", Slot = 3, MeanNs = 5, MaxNs = 9, Buckets = [new TimeBucket(1, 2, 3)] }],
    };
}
