// A library of modules is tried out in a child before the engine sees it: what goes wrong there is a sentence here.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;

namespace SspHost.Supervision;

/// <summary>What came of it: descriptors, or the reason why not.</summary>
internal sealed record ProbeResult(IReadOnlyList<ModuleDescriptor> Descriptors, string? Refusal);

/// <summary>Runs <c>ssp-engine probe</c>.</summary>
internal static class LibraryProbe
{
    /// <summary>How long a library may take to load and to play for a moment.</summary>
    public static TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Tries <paramref name="path"/>, which is called <paramref name="file"/>.</summary>
    public static ProbeResult Run(string path, string file) => Run(["probe", path, file], Patience);

    /// <summary>Runs it with arguments of the caller's.</summary>
    public static ProbeResult Run(string[] arguments, TimeSpan patience)
    {
        var (json, why) = Say(arguments, patience);
        return json == null ? Refused(why!) : Read(json) ?? Refused("it says something that is no report");
    }

    /// <summary>The line of JSON that a tool of the engine ends with, or how it ended instead and what it was at.</summary>
    public static (string? Json, string? Why) Say(string[] arguments, TimeSpan patience)
    {
        var start = new ProcessStartInfo(EngineLauncher.FindExecutable(), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        try
        {
            using var process = Process.Start(start) ?? throw new IOException("ssp-engine does not start");
            process.StandardInput.Close();
            var lines = new List<string>();
            var reading = Task.Run(() =>
            {
                while (process.StandardOutput.ReadLine() is { } line)
                {
                    lock (lines) lines.Add(line);
                }
            });
            var errors = process.StandardError.ReadToEndAsync();
            var ended = process.WaitForExit(patience);
            if (!ended)
            {
                process.Kill();
                process.WaitForExit();
            }

            // A child of the library's own may hold the pipe open; what the probe said is there already.
            _ = Task.WaitAll([reading, errors], TimeSpan.FromSeconds(1));
            string[] said;
            lock (lines) said = [.. lines];
            var where = said.LastOrDefault(l => !l.StartsWith('{') && l.Length > 0) ?? "starting";
            if (!ended) return (null, string.Create(CultureInfo.InvariantCulture, $"it does not come back within {patience.TotalSeconds:0} s ({where})"));
            if (said.LastOrDefault(IsObject) is { } json) return (json, null);
            var words = errors.IsCompletedSuccessfully ? FirstLine(errors.Result) : "";
            var how = process.ExitCode > 128 ? new ChildEnd(-1, process.ExitCode - 128).ToString() : string.Create(CultureInfo.InvariantCulture, $"exit code {process.ExitCode}");
            return (null, $"it ends the process it is tried in: {how} ({where}){(words.Length > 0 ? ": " + words : "")}");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new IOException($"{start.FileName}: cannot be started: {e.Message}", e);
        }
    }

    // A library may print something that begins like it.
    private static bool IsObject(string line)
    {
        if (!line.StartsWith('{')) return false;
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static ProbeResult? Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            return root.GetProperty("ok").GetBoolean()
                ? new ProbeResult(DescriptorBlob.Read(root.GetProperty("descriptors").GetBytesFromBase64()), null)
                : Refused(root.GetProperty("refusal").GetString() ?? "no reason was given");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or InvalidDataException)
        {
            return null; // the library printed something that begins like it
        }
    }

    private static string FirstLine(string text) => Patching.PatchError.OneLine(text.Split('\n', 2)[0].Trim());

    private static ProbeResult Refused(string why) => new([], why);
}
