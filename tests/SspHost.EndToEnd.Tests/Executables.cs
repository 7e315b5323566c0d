// Where the two native executables lie, and how a test runs them as a person would: with arguments, a directory and patience.
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace SspHost.EndToEnd.Tests;

/// <summary>What a command printed and how it left.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n--- output\n{Output}\n--- error\n{Error}";
}

internal static class Executables
{
    public static string Root { get; } = FindRoot();

    public static string Bin { get; } = Environment.GetEnvironmentVariable("SSP_BIN") is { Length: > 0 } bin ? bin : Path.Combine(Root, "artifacts", "bin");

    public static string Ssp { get; } = Existing("ssp");

    public static string Engine { get; } = Existing("ssp-engine");

    /// <summary>What a host is told that no browser is to look at: hosts of several tests would want one port.</summary>
    public static string[] NoPanel { get; } = ["--web", "off"];

    public static string Patch(string name) => Path.Combine(Root, "patches", name + ".json");

    /// <summary>Starts a command with its own runtime directory; the caller waits or kills.</summary>
    public static Process Start(string file, string runtime, params string[] arguments)
    {
        // A test run that was started in the background hands an ignored SIGINT down, and then Ctrl-C could not be tested. env replaces itself
        // by the command, so the process is the same.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", file, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = runtime,
        };
        start.Environment["SSP_RUNTIME"] = runtime;
        start.Environment["LV2_PATH"] = Path.Combine(runtime, "lv2"); // what is installed here is another matter
        start.Environment["HOME"] = runtime; // a journal or a configuration of whoever runs the tests is none of ours
        start.Environment["XDG_CONFIG_HOME"] = start.Environment["XDG_STATE_HOME"] = start.Environment["XDG_DATA_HOME"] = runtime;
        return Process.Start(start) ?? throw new InvalidOperationException($"{file} does not start");
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<Outcome> Run(string file, string runtime, params string[] arguments)
    {
        using var process = Start(file, runtime, arguments);
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return new Outcome(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end within five minutes");
        }
    }

    /// <summary>Collects what a running process prints, line by line.</summary>
    public static Lines Follow(Process process) => new(process);

    private static string Existing(string name)
    {
        var path = Path.Combine(Bin, name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: run 'make build' first, or 'make test', which does", path);
    }

    private static string FindRoot()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d != null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "SspHost.sln"))) return d.FullName;
        throw new DirectoryNotFoundException("the tests run outside of their repository");
    }
}

/// <summary>Both streams of a process as lines, waited for by content.</summary>
internal sealed class Lines
{
    private readonly StringBuilder _text = new();
    private readonly Lock _lock = new();

    public Lines(Process process)
    {
        process.OutputDataReceived += (_, e) => Add(e.Data);
        process.ErrorDataReceived += (_, e) => Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Text
    {
        get
        {
            lock (_lock) return _text.ToString();
        }
    }

    private void Add(string? line)
    {
        if (line == null) return;
        lock (_lock) _text.Append(line).Append('\n');
    }
}

/// <summary>Waiting for a condition with a deadline far beyond what it takes; the deadline is for a hang, not for a measure.</summary>
internal static class Eventually
{
    public static T Get<T>(Func<T?> probe, string what, int seconds = 120) where T : class
    {
        T? found = null;
        True(() => (found = probe()) != null, what, seconds);
        return found!;
    }

    public static void True(Func<bool> condition, string what, int seconds = 120)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed.TotalSeconds > seconds)
                Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"after {seconds} s still not: {what}"));
            Thread.Sleep(2);
        }
    }
}

/// <summary>A runtime directory of a test's own, with its engine ended and its files gone at the end.</summary>
internal sealed class Runtime : IDisposable
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ssp-e2e-").FullName;

    public string File(string name) => Path.Combine(Directory, name);

    public void Dispose()
    {
        if (Abi.Link.EngineFile.TryRead(Directory) is { } engine && engine.IsAlive())
        {
            using var process = Process.GetProcessById(engine.Pid);
            process.Kill();
            process.WaitForExit(60_000);
        }

        try
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
        catch (IOException)
        {
            // Something still writes there; the system clears its temporary files.
        }
    }
}
