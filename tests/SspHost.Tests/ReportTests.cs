// The archive of `ssp report`: what tar and a JSON parser say of it, what is left out of it, and what a full disk leaves (nothing).
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using SspHost.Commands;
using SspHost.Diagnostics;

namespace SspHost.Tests;

[Collection(ControlCollection.Name)]
public sealed class ReportTests(SchemaValidator validator) : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-report-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Tar_lists_the_archive_and_each_of_its_JSON_files_is_JSON()
    {
        using var host = new ControlHost(validator);
        host.Log.Add("a line");
        var glitches = new GlitchFiles(Path.Combine(_directory, "state", "ssphost"));
        glitches.Write(new GlitchReport { Time = "2026-01-31T20:15:04.000000Z", Monotonic = "1", Incidents = [new Incident { Id = 1, Kind = "dropout", Cause = "device", Time = "2026-01-31T20:15:03.000000Z", Monotonic = "1", Figures = new Dictionary<string, long>(), Text = "" }], LostFrames = 5 }, DateTime.UtcNow);
        var path = Path.Combine(_directory, "r.tar.gz");
        var (code, output) = Ssp(host.Directory, "report", "-o", path);
        Assert.True(code == 0, output);
        var names = Run("tar", "tzf", path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (var file in new[]
        {
            "README.txt", "manifest.json", "versions.json", "status.json", "costs.json", "incidents.json", "metrics.json", "patch.json", "log.json", "log.txt", "config.json", "doctor.txt",
            "doctor.json", "system.json", "glitches.txt",
        })
            Assert.Contains("ssp-report/" + file, names);
        Assert.Contains(names, n => n.StartsWith("ssp-report/glitches/glitch-", StringComparison.Ordinal));
        _ = Run("tar", "xzf", path, "-C", _directory);
        var unpacked = Path.Combine(_directory, "ssp-report");
        foreach (var json in Directory.EnumerateFiles(unpacked, "*.json", SearchOption.AllDirectories))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(json));
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        }

        using var metrics = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(unpacked, "metrics.json")));
        Assert.True(metrics.RootElement.GetProperty("history").GetProperty("seconds").GetArrayLength() > 0);
        var readme = File.ReadAllText(Path.Combine(unpacked, "README.txt"));
        Assert.Contains("engine ", readme[readme.IndexOf("Missing:", StringComparison.Ordinal)..], StringComparison.Ordinal); // a host, but no engine of its own here
        Assert.Contains("5 frames were lost", File.ReadAllText(Path.Combine(unpacked, "glitches.txt")), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_directory, "*.tmp*"));

        var (_, told) = Ssp(host.Directory, "report", "--glitches");
        Assert.Contains("5 frames were lost because the device said so", told, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_host_the_rest_is_packed_and_what_is_missing_is_said()
    {
        var path = Path.Combine(_directory, "r.tar.gz");
        var (code, output) = Ssp(Path.Combine(_directory, "nobody"), "report", "-o", path);
        Assert.True(code == 0, output);
        Assert.Contains("missing: host: no host runs", output, StringComparison.Ordinal);
        var names = Run("tar", "tzf", path);
        Assert.Contains("ssp-report/doctor.json", names, StringComparison.Ordinal);
        Assert.Contains("ssp-report/system.json", names, StringComparison.Ordinal);
        Assert.DoesNotContain("status.json", names, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_is_one_error_and_no_half_file()
    {
        var path = Path.Combine(_directory, "r.tar.gz");
        File.WriteAllText(path, "the report of yesterday");
        var archive = new ReportArchive { Create = p => new FullDisk(p) };
        archive.Add("a.txt", "something", Convert.ToBase64String(Random.Shared.GetItems(Enumerable.Range(0, 256).Select(b => (byte)b).ToArray(), 100_000)));
        var error = Assert.Throws<IOException>(() => archive.Write(path, "1"));
        Assert.Equal($"{path}: the report cannot be written: No space left on device", error.Message);
        Assert.Equal([path], Directory.GetFiles(_directory));
        Assert.Equal("the report of yesterday", File.ReadAllText(path));
        var nowhere = Path.Combine(_directory, "no", "such", "r.tar.gz");
        var (code, output) = Ssp(_directory, "report", "-o", nowhere);
        Assert.Equal(1, code);
        Assert.StartsWith($"ssp: {nowhere}: the report cannot be written", output.Split('\n').Last(l => l.StartsWith("ssp:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/home/ann/patches/x.json", "~/patches/x.json")]
    [InlineData("/home/anna/x", "/home/USER/x")]
    [InlineData("\"file\":\"/home/bob/a b.wav\"", "\"file\":\"/home/USER/a b.wav\"")]
    [InlineData("{\"token\":\"abc\\\"def\",\"b\":1}", "{\"token\":\"[redacted]\",\"b\":1}")]
    [InlineData("{\"apiKey\":12345,\"b\":1}", "{\"apiKey\":\"[redacted]\",\"b\":1}")]
    [InlineData("root=/dev/sda1 systemd.password=hunter2 quiet", "root=/dev/sda1 systemd.password=[redacted] quiet")]
    [InlineData("Authorization: Bearer", "Authorization: [redacted]")]
    [InlineData("https://ann:pw@example.org/x", "https://[redacted]@example.org/x")]
    [InlineData("a patch of a home in /homestead", "a patch of a home in /homestead")]
    public void Homes_and_secrets_are_taken_out(string text, string expected) => Assert.Equal(expected, new Redactor("/home/ann").Redact(text));

    [Fact]
    public void Redacted_JSON_stays_JSON()
    {
        var random = new Random(3);
        string[] values = ["\"/home/ann/x\"", "\"p\\\\\\\"q\"", "17", "true", "null", "\"\"", "{\"secret\":\"/home/ann\"}", "[\"token=5\",\"a:b@c\"]", "\"http://u:p@h\""];
        string[] names = ["token", "path", "my-password", "x", "apiKey", "home/ann"];
        for (var i = 0; i < 3000; i++)
        {
            var json = "{" + string.Join(',', Enumerable.Range(0, random.Next(1, 6)).Select(k => $"\"{names[random.Next(names.Length)]}{k}\":{(random.Next(2) == 0 ? " " : "")}{values[random.Next(values.Length)]}")) + "}";
            using var document = JsonDocument.Parse(new Redactor("/home/ann").Redact(json));
            Assert.DoesNotContain("/home/ann", document.RootElement.GetRawText(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Mappings_are_added_up_by_kind()
    {
        const string smaps = """
            7f0000000000-7f0010000000 rw-s 00000000 00:01 5 /memfd:ssp-region (deleted)
            Size:             262144 kB
            Rss:              262144 kB
            Locked:           262144 kB
            7f0020000000-7f0020001000 r-xp 00000000 00:01 6 /usr/bin/ssp-engine
            Size:                  4 kB
            Rss:                   4 kB
            7f0030000000-7f0130000000 ---p 00000000 00:00 0
            Size:            4194304 kB
            7f0040000000-7f0040002000 rw-p 00000000 00:00 0
            Size:                  8 kB
            Rss:                   8 kB
            Swap:                  4 kB
            VmFlags: rd wr mr
            """;
        var report = MappingsReport.Of(42, Mapping.Parse(smaps.Split('\n')));
        Assert.Equal(["anonymous", "image text", "region", "reserved"], report.Kinds.Select(k => k.Kind));
        Assert.Equal((262_156L * 1024, 262_144L * 1024, 4096L), (report.Sum.Resident, report.Sum.Locked, report.Sum.Swapped));
        var own = MappingsReport.Of(Environment.ProcessId, Mapping.Parse(File.ReadLines("/proc/self/smaps")));
        var rollup = File.ReadLines("/proc/self/smaps_rollup").First(l => l.StartsWith("Rss:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        Assert.InRange(own.Sum.Resident, long.Parse(rollup, System.Globalization.CultureInfo.InvariantCulture) * 1024 * 0.8, long.Parse(rollup, System.Globalization.CultureInfo.InvariantCulture) * 1024 * 1.2);
    }

    private (int Code, string Output) Ssp(string runtime, params string[] arguments) => SspChild.Run(runtime, Path.Combine(_directory, "state"), arguments);

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}

/// <summary>The program under test as a process of its own.</summary>
internal static class SspChild
{
    public static string Program { get; } = typeof(CommandTree).Assembly.Location;

    public static (int Code, string Output) Run(string runtime, string state, params string[] arguments)
    {
        using var process = Process.Start(Start("dotnet", runtime, state, [Program, .. arguments]))!;
        var output = new StringBuilder();
        process.OutputDataReceived += (_, e) => Append(output, e.Data);
        process.ErrorDataReceived += (_, e) => Append(output, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return (process.ExitCode, output.ToString());
    }

    public static ProcessStartInfo Start(string program, string runtime, string state, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SSP_RUNTIME"] = runtime;
        start.Environment["XDG_STATE_HOME"] = state;
        start.Environment["XDG_CONFIG_HOME"] = state;
        Directory.CreateDirectory(state);
        return start;
    }

    private static void Append(StringBuilder to, string? line)
    {
        if (line == null) return;
        lock (to) to.Append(line).Append('\n');
    }
}
