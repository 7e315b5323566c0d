// The small parts of the link: stream pipes, windows of histograms, processes, the file that names an engine, the runtime directory.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Tests;

public sealed unsafe class LinkPartsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(32)]
    public void A_stream_pipe_gives_every_frame_once_and_in_order(int channels)
    {
        const int Capacity = 64, Total = 20_000;
        var memory = NativeMemory.AlignedAlloc((nuint)StreamPipe.BytesFor(channels, Capacity), 64);
        try
        {
            var writer = StreamPipe.Create(memory, channels, Capacity);
            var reader = new StreamPipe((StreamRing*)memory);
            var feeding = new Thread(() =>
            {
                var random = new Random(1);
                var block = new float[100 * channels];
                for (var frame = 0; frame < Total;)
                {
                    var want = Math.Min(random.Next(1, 100), Total - frame);
                    for (var i = 0; i < want * channels; i++) block[i] = (frame * channels) + i;
                    var wrote = writer.Write(block.AsSpan(0, want * channels));
                    frame += wrote;
                    if (wrote == 0) Thread.Yield();
                }

                writer.End();
            });
            feeding.Start();
            var got = new float[77 * channels];
            var next = 0L;
            while (!reader.Finished)
            {
                var n = reader.Read(got);
                for (var i = 0; i < n * channels; i++) Assert.Equal(next++, (long)got[i]);
                if (n == 0) Thread.Yield();
            }

            feeding.Join();
            Assert.Equal((long)Total * channels, next);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    [Fact]
    public void A_window_of_a_histogram_holds_what_was_recorded_in_it()
    {
        var random = new Random(5);
        var all = default(Histogram);
        all.Record(1_000_000); // the greatest ever, long ago
        for (var round = 0; round < 50; round++)
        {
            var before = all;
            var window = default(Histogram);
            for (var i = random.Next(0, 100); i > 0; i--)
            {
                var value = (ulong)random.Next(1, 900_000);
                all.Record(value);
                window.Record(value);
            }

            var difference = HistogramWindow.Difference(in all, in before);
            Assert.Equal(window.Count, difference.Count);
            Assert.Equal(window.Sum, difference.Sum);
            // All that is left of a window's own maximum is its bucket, 1/16 wide.
            Assert.InRange(difference.Max, window.Max, window.Max + (window.Max / 16));
            Assert.InRange(difference.Percentile(0.99), window.Percentile(0.99), difference.Max);
        }

        var greater = all;
        greater.Record(2_000_003);
        Assert.Equal(2_000_003ul, HistogramWindow.Difference(in greater, in all).Max);
        Assert.Equal(0ul, HistogramWindow.Difference(in all, in all).Max);
    }

    [Fact]
    public void A_process_is_known_by_its_pid_and_its_start()
    {
        var start = EngineProcess.StartTimeOf(Environment.ProcessId);
        Assert.True(start > 0);
        using var self = EngineProcess.Open(Environment.ProcessId, start);
        Assert.NotNull(self);
        Assert.False(self.HasExited);
        Assert.False(self.Wait(1));
        Assert.Null(EngineProcess.Open(Environment.ProcessId, start + 1)); // the pid came again
        Assert.Null(EngineProcess.Open(int.MaxValue - 7));
        Assert.True(new EngineFile(Environment.ProcessId, start, "/x", "1").IsAlive());
        Assert.False(new EngineFile(Environment.ProcessId, start - 1, "/x", "1").IsAlive());
    }

    [Theory]
    [InlineData("12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20", 777)]
    [InlineData("12 (x) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20", 0)]
    [InlineData("12 (x) S 1 2", 0)]
    [InlineData("", 0)]
    public void The_start_time_is_field_22_whatever_the_name(string stat, long expected) => Assert.Equal(expected, EngineProcess.ParseStartTime(stat));

    [Fact]
    public void What_is_no_engine_file_is_refused_with_its_place_and_every_truncation_too()
    {
        const string Good = """{"pid":12,"start":345,"region":"/proc/12/fd/3","version":"0.1.0"}""";
        Assert.Equal(new EngineFile(12, 345, "/proc/12/fd/3", "0.1.0"), EngineFile.Parse(Encoding.UTF8.GetBytes(Good), "engine.json"));
        for (var n = 0; n < Good.Length; n++) Assert.Throws<InvalidDataException>(() => EngineFile.Parse(Encoding.UTF8.GetBytes(Good[..n]), "engine.json"));
        foreach (var bad in new[] { "[]", "{}", """{"pid":"12"}""", """{"pid":-1,"start":1,"region":"x"}""", """{"pid":1,"start":1.5,"region":"x"}""", """{"pid":1,"start":1,"region":7}""" })
            Assert.StartsWith("engine.json", Assert.Throws<InvalidDataException>(() => EngineFile.Parse(Encoding.UTF8.GetBytes(bad), "engine.json")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_runtime_directory_follows_the_environment()
    {
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal);
        string Locate(uint user) => RuntimeDirectory.Locate(environment.GetValueOrDefault, user);
        Assert.Equal("/run/ssphost", Locate(0));
        Assert.Equal("/tmp/ssphost-1000", Locate(1000));
        environment["XDG_RUNTIME_DIR"] = "/run/user/1000";
        Assert.Equal("/run/user/1000/ssphost", Locate(1000));
        environment["SSP_RUNTIME"] = "/x/y";
        Assert.Equal("/x/y", Locate(0));
    }

    [Fact]
    public void A_runtime_directory_that_others_may_write_to_is_refused()
    {
        var path = Path.Combine(Path.GetTempPath(), "ssp-rt-" + Guid.NewGuid().ToString("N"));
        try
        {
            RuntimeDirectory.Ensure(path);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
            RuntimeDirectory.Ensure(path);
            File.SetUnixFileMode(path, (UnixFileMode)0x1FF);
            Assert.Contains("chmod 700", Assert.Throws<IOException>(() => RuntimeDirectory.Ensure(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(path);
        }
    }

    [Fact]
    public void Without_an_engine_there_is_nothing_to_attach_to()
    {
        var directory = Directory.CreateTempSubdirectory("ssp-none-").FullName;
        Assert.Contains("no engine runs in", Assert.Throws<EngineGoneException>(() => EngineLink.Attach(directory)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(directory, EngineFile.FileName), $$"""{"pid":{{Environment.ProcessId}},"start":1,"region":"/proc/1/fd/3"}""");
        Assert.Contains("has ended", Assert.Throws<EngineGoneException>(() => EngineLink.Attach(directory)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(directory, EngineFile.FileName), "{");
        Assert.Throws<InvalidDataException>(() => EngineLink.Attach(directory));
        Directory.Delete(directory, recursive: true);
    }
}
