// cyclictest of rt-tests beside our own measurement: started with the same interval, priority and core, its histogram taken as samples.
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace SspHost.EngineHost.Bench;

internal static class CyclicTest
{
    private const int MostUs = 10_000; // of its histogram; what is later counts as the greatest it saw
    private static readonly string[] Places = ["/usr/bin/cyclictest", "/usr/sbin/cyclictest", "/usr/local/bin/cyclictest"];

    /// <summary>Adds so many wake-ups, in us; null, or why it could not be asked.</summary>
    public static string? Measure(int core, int intervalUs, int cycles, List<double> late)
    {
        if (Places.FirstOrDefault(File.Exists) is not { } program) return "not installed (Debian: apt-get install rt-tests)";
        var folder = Directory.CreateTempSubdirectory("ssp-cyclictest-").FullName;
        var file = Path.Combine(folder, "result.json");
        try
        {
            string[] args = ["-m", "-q", "-p80", "-t1", "-a", Text(core), "-i", Text(intervalUs), "-l", Text(cycles), "-h", Text(MostUs), $"--json={file}"];
            using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true }) ?? throw new IOException("it does not start");
            var said = process.StandardError.ReadToEndAsync();
            _ = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0) return $"left with {process.ExitCode}: {said.GetAwaiter().GetResult().Trim().Split('\n')[0]}";
            return Read(File.ReadAllBytes(file), late);
        }
        catch (Exception e) when (e is IOException or Win32Exception)
        {
            return e.Message;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Takes the samples out of its file; null, or what is wrong with that.</summary>
    public static string? Read(ReadOnlyMemory<byte> json, List<double> late)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            foreach (var thread in document.RootElement.GetProperty("thread").EnumerateObject())
            {
                var counted = 0;
                foreach (var bucket in thread.Value.GetProperty("histogram").EnumerateObject())
                {
                    var us = double.Parse(bucket.Name, NumberStyles.None, CultureInfo.InvariantCulture);
                    counted += bucket.Value.GetInt32();
                    late.AddRange(Enumerable.Repeat(us, bucket.Value.GetInt32()));
                }

                // Beyond its histogram it counts wake-ups without a time each: none of them is later than its greatest.
                var beyond = thread.Value.GetProperty("cycles").GetInt32() - counted;
                late.AddRange(Enumerable.Repeat(thread.Value.GetProperty("max").GetDouble(), Math.Max(0, beyond)));
            }

            return late.Count > 0 ? null : "no wake-up was counted";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return $"its JSON is not what is known of it: {e.Message}";
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
