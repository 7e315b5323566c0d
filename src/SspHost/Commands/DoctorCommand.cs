// ssp doctor: what on this system will cause dropouts, why, and the line that mends it.
using System.CommandLine;
using System.Text.Json;
using SspHost.Abi.Link;
using SspHost.Configuration;
using SspHost.Diagnostics;
using SspHost.Playing;

namespace SspHost.Commands;

internal static class DoctorCommand
{
    public static Command Build()
    {
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var all = new Option<bool>("--all") { Description = "What is fine, too." };
        var flags = new Flags();
        var command = new Command("doctor", "Find what on this system will cause dropouts. Exit code 0: nothing; 1: there may be dropouts; 2: there will be.") { json, all };
        flags.AddTo(command);
        command.SetAction(r =>
        {
            var report = Examine(flags.Read(r));
            if (r.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(report, MetricsJson.Pretty.DoctorReport));
            else Console.Write(SystemDoctor.Format(report, r.GetValue(all)));
            return report.Verdict;
        });
        return command;
    }

    /// <summary>Examines this system, and the engine if one runs.</summary>
    public static DoctorReport Examine(Settings settings) => SystemDoctor.Examine(Facts(settings));

    private static DoctorFacts Facts(Settings settings)
    {
        var engine = Engine();
        var disk = Disk(settings.StateDirectory);
        return new DoctorFacts
        {
            Engine = engine,
            FifoGranted = engine == null ? FifoProbe.Granted() : null,
            Cores = settings.Cores.Value,
            RegionBytes = (long)settings.RegionMib.Value << 20,
            Rate = settings.Rate.Value,
            Quantum = settings.Quantum.Value != 0 ? settings.Quantum.Value : 32,
            Device = settings.Device.Value,
            DiskFree = disk.Free,
            DiskTotal = disk.Total,
            StateDirectory = settings.StateDirectory,
            Lilv = Lv2.Lilv.IsPresent,
            Codec = engine != null && settings.Board.Value.Codec is { Chip.Length: > 0 } codec ? Board.BoardCodec.Examine(codec) ?? "" : null,
        };
    }

    private static EngineFacts? Engine()
    {
        try
        {
            using var link = EngineLink.Look(RuntimeDirectory.Locate());
            return EngineReports.Facts(link);
        }
        catch (Exception e) when (e is EngineGoneException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return null; // none runs, or it is another user's: the system is examined all the same
        }
    }

    // The directory may not be there yet: the disk is that of the nearest one above.
    private static (long Free, long Total) Disk(string directory)
    {
        try
        {
            var there = Path.GetFullPath(directory);
            while (!Directory.Exists(there) && Path.GetDirectoryName(there) is { } above) there = above;
            var drive = new DriveInfo(there);
            return (drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (-1, -1);
        }
    }
}
