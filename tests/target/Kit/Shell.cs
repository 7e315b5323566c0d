// Programs of this machine, run to their end.
using System.Diagnostics;

namespace SspHost.Target.Kit;

/// <summary>What a program said.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}

internal static class Shell
{
    /// <summary>Runs a program; ends it where it takes longer than <paramref name="patience"/>.</summary>
    public static Outcome Run(TimeSpan patience, string program, params IEnumerable<string> arguments) => Run(patience, [], program, arguments);

    /// <summary>The same, with something to read.</summary>
    public static Outcome Run(TimeSpan patience, byte[] input, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(patience))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            return new Outcome(-1, output.Result, $"{error.Result}\n{program} took longer than {patience.TotalSeconds:0} s");
        }

        return new Outcome(process.ExitCode, output.Result, error.Result);
    }
}
