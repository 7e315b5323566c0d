// `ssp bench modules --save`: what the engine measured of its modules becomes what `ssp modules` says of those that never played.
using System.Text.Json;
using SspHost.Abi.Link;
using SspHost.Configuration;
using SspHost.Playing;
using SspHost.Supervision;

namespace SspHost.Commands;

internal static class ModuleTable
{
    private const string Fed = "audio"; // the state in which a module that was just added is

    /// <summary>Runs the engine's benchmark and keeps its figures; the process's exit code.</summary>
    public static int Save(string[] arguments, bool json)
    {
        // It keeps the costs in memory and would write its own over ours.
        if (EngineFile.TryRead(RuntimeDirectory.Locate()) is { } file && file.IsAlive())
            throw new CommandException("bench modules --save: expected no host that plays: it measures what it plays and keeps that itself; stop it first");
        var output = EngineTool.Capture(["bench", "modules", .. arguments, "--json"]);
        var settings = SettingsFile.Load(given: null);
        var path = Path.Combine(settings.StateDirectory, ModuleCosts.FileName);
        var costs = ModuleCosts.Load(path, Console.Error.WriteLine);
        var (taken, kept) = Take(output, costs);
        _ = Directory.CreateDirectory(settings.StateDirectory);
        if (costs.Save(path) is { } refused) throw new CommandException(refused);
        if (json)
        {
            using var stream = Console.OpenStandardOutput();
            stream.Write(output);
        }
        else
        {
            Console.WriteLine($"{taken} costs kept in {path}{(kept > 0 ? $"; {kept} were measured in a patch and stay" : "")}");
        }

        return 0;
    }

    /// <summary>Reads the benchmark's report; how many figures were taken, and how many costs stay because a patch has measured them.</summary>
    internal static (int Taken, int Kept) Take(ReadOnlyMemory<byte> report, ModuleCosts costs)
    {
        using var document = JsonDocument.Parse(report);
        var rate = document.RootElement.GetProperty("rate").GetInt32();
        var (taken, kept) = (0, 0);
        foreach (var m in document.RootElement.GetProperty("modules").EnumerateArray())
        {
            if (m.GetProperty("state").GetString() != Fed) continue;
            if (costs.Predict(m.GetProperty("module").GetString()!, rate, m.GetProperty("quantum").GetInt32(), m.GetProperty("p50_ns").GetDouble())) taken++;
            else kept++;
        }

        return (taken, kept);
    }
}
