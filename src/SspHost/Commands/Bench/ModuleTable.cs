// `ssp bench modules`: what the engine measured of its modules becomes what the panel and `ssp modules` say of those that never played.
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
    public static int Run(string[] arguments, bool json)
    {
        var report = Path.GetTempFileName();
        try
        {
            var code = EngineTool.Run([.. arguments, "--report", report, .. json ? new[] { "--json" } : []]);
            if (code == 0) Save(File.ReadAllBytes(report), quiet: json);
            return code;
        }
        finally
        {
            File.Delete(report);
        }
    }

    private static void Save(ReadOnlyMemory<byte> report, bool quiet)
    {
        // It keeps the costs in memory and would write its own over ours.
        if (EngineFile.TryRead(RuntimeDirectory.Locate()) is { } file && file.IsAlive())
        {
            Console.Error.WriteLine("ssp: bench modules: a host plays: it keeps what it measures itself, and these figures are not kept");
            return;
        }

        var settings = SettingsFile.Load(given: null);
        var path = Path.Combine(settings.StateDirectory, ModuleCosts.FileName);
        var costs = ModuleCosts.Load(path, Console.Error.WriteLine);
        var (taken, kept) = Take(report, costs);
        if (taken == 0) return;
        _ = Directory.CreateDirectory(settings.StateDirectory);
        if (costs.Save(path) is { } refused) throw new CommandException(refused);
        if (!quiet) Console.WriteLine($"{taken} costs kept in {path}{(kept > 0 ? $"; {kept} were measured in a patch and stay" : "")}");
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
