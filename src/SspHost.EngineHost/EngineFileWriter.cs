// engine.json: how a control process finds a running engine. Written whole or not at all.
using System.Globalization;

namespace SspHost.EngineHost;

/// <summary>Writes and removes the file. [start-up and end]</summary>
internal static class EngineFileWriter
{
    /// <summary>Writes DIR/engine.json by rename, so that no reader ever sees half of it.</summary>
    public static void Write(string directory, int regionFd, string version)
    {
        var pid = Environment.ProcessId;
        var path = Path.Combine(directory, "engine.json");
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"pid":{{pid}},"start":{{StartTime()}},"region":"/proc/{{pid}}/fd/{{regionFd}}","version":"{{version}}"}""");
        var temporary = $"{path}.{pid}";
        File.WriteAllText(temporary, text + "\n");
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Removes the file, unless another engine has replaced it.</summary>
    public static void Remove(string directory)
    {
        var path = Path.Combine(directory, "engine.json");
        try
        {
            if (File.ReadAllText(path).Contains($"\"pid\":{Environment.ProcessId},", StringComparison.Ordinal)) File.Delete(path);
        }
        catch (IOException)
        {
            // Already gone, or its directory is: nothing is left to remove.
        }
    }

    // Ticks since boot at which this process started: together with the pid it names this process and no later one.
    private static string StartTime()
    {
        var stat = File.ReadAllText("/proc/self/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
    }
}
