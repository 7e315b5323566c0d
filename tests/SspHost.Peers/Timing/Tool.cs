// Somebody else's program, run to its end or ended when its time is over.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Peers.Timing;

/// <summary>What a program wrote.</summary>
internal sealed record Said(string Out, string Error);

internal static partial class Tool
{
    /// <summary>Runs a program; throws <see cref="PeerException"/> where it is not there, does not end in time, or ends with another code than 0.</summary>
    public static Said Run(TimeSpan patience, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var (outText, errorText, code) = Start(patience, command, environment);
        if (code == 0) return new Said(outText, errorText);
        throw new PeerException($"{Path.GetFileName(command[0])} ended with {code}: {LastLine(errorText) ?? LastLine(outText) ?? "it said nothing"}");
    }

    /// <summary>The same of a program whose exit code is a verdict on its figures, not on the run.</summary>
    public static Said RunAnyway(TimeSpan patience, IReadOnlyList<string> command)
    {
        var (outText, errorText, code) = Start(patience, command, null);
        return code is 0 or 1 ? new Said(outText, errorText) : throw new PeerException($"{Path.GetFileName(command[0])} ended with {code}: {LastLine(errorText) ?? "it said nothing"}");
    }

    /// <summary>What a program says on standard output when it ends well within 5 s; null where it does not: a question to a server that may not be there.</summary>
    public static string? Ask(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        try
        {
            return Run(TimeSpan.FromSeconds(5), command, environment).Out;
        }
        catch (PeerException)
        {
            return null;
        }
    }

    /// <summary>Where a program is found as the shell would; null: it is not installed.</summary>
    public static string? Find(string name)
    {
        if (name.Contains('/', StringComparison.Ordinal)) return File.Exists(name) ? name : null;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, name)).FirstOrDefault(File.Exists);
    }

    /// <summary>The start of a text on one line.</summary>
    public static string Short(string text) => new([.. text.Trim().Take(160).Select(c => char.IsControl(c) ? ' ' : c)]);

    private static (string Out, string Error, int Code) Start(TimeSpan patience, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment)
    {
        if (Find(command[0]) == null) throw new PeerException($"{command[0]} is not there");
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (written, complained) = (new StringBuilder(), new StringBuilder());
        process.OutputDataReceived += (_, e) => written.AppendLine(e.Data);
        process.ErrorDataReceived += (_, e) => complained.AppendLine(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(patience))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            throw new PeerException($"{Path.GetFileName(command[0])} did not end within {patience.TotalSeconds:0} s");
        }

        process.WaitForExit(); // the last of its output
        return (written.ToString(), complained.ToString(), process.ExitCode);
    }

    /// <summary>Sends a signal to a process that we started; 0 where it was sent.</summary>
    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Signal(int pid, int signal);

    private static string? LastLine(string text) => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() is { } line ? Short(line) : null;
}
