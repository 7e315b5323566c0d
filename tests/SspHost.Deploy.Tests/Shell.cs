// Programs of this machine, run to their end.
using System.Diagnostics;
using System.Reflection;

namespace SspHost.Deploy.Tests;

/// <summary>What a program said.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n--- output\n{Output}\n--- error\n{Error}";
}

internal static class Shell
{
    public static string Root { get; } = typeof(Shell).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "SspRoot").Value!;

    /// <summary>Runs a program with more in its environment; its input is <paramref name="input"/>.</summary>
    public static async Task<Outcome> Run(IReadOnlyDictionary<string, string> environment, string input, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without asking.
        }

        try
        {
            await process.WaitForExitAsync(patience.Token);
            return new Outcome(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within two minutes");
        }
    }

    public static Task<Outcome> Run(string program, params string[] arguments) => Run(new Dictionary<string, string>(), "", program, arguments);

    /// <summary>Runs a program that must succeed.</summary>
    public static async Task<string> Must(string program, params string[] arguments)
    {
        var o = await Run(program, arguments);
        Assert.True(o.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {o}");
        return o.Output;
    }
}
