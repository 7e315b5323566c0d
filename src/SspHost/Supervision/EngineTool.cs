// The engine executable as a tool: it describes its modules or runs a benchmark, and ends.
using System.Diagnostics;

namespace SspHost.Supervision;

/// <summary>Runs `ssp-engine ARGUMENTS` to its end. Only for what is not to outlive this command.</summary>
internal static class EngineTool
{
    /// <summary>What it wrote to its standard output. Throws <see cref="IOException"/> with its own words if it fails.</summary>
    public static byte[] Capture(params string[] arguments)
    {
        using var process = Start(arguments, redirect: true);
        var error = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        return process.ExitCode == 0
            ? output.ToArray()
            : throw new IOException($"ssp-engine {string.Join(' ', arguments)} left with {process.ExitCode}: {error.GetAwaiter().GetResult().Trim()}");
    }

    /// <summary>Runs it on this terminal and returns its exit code.</summary>
    public static int Run(params string[] arguments)
    {
        using var process = Start(arguments, redirect: false);
        process.WaitForExit();
        return process.ExitCode;
    }

    private static Process Start(string[] arguments, bool redirect)
    {
        var start = new ProcessStartInfo(EngineLauncher.FindExecutable(), arguments) { RedirectStandardOutput = redirect, RedirectStandardError = redirect };
        try
        {
            return Process.Start(start) ?? throw new IOException("ssp-engine does not start");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new IOException($"{start.FileName}: cannot be started: {e.Message}", e);
        }
    }
}
