// A library of modules in C#, made as a person makes one: `ssp module new`, a module more, `ssp module build`. Once for all tests that want it.
using System.Diagnostics;

namespace SspHost.EndToEnd.Tests;

/// <summary>"door": the module of the template, and with <see cref="Traps"/> in the environment tests/libraries/Trap.cs.</summary>
public sealed class CSharpLibrary : IAsyncLifetime
{
    public const string Name = "door", Title = "Door";

    /// <summary>Environment variable with which the library has its second module; what is tested for its good behaviour has it not.</summary>
    public const string Traps = "SSP_TEST_TRAPS";

    private readonly Runtime _files = new();

    /// <summary>The directory `ssp module new` wrote.</summary>
    public string Sources => _files.File(Name);

    /// <summary>What it had written, before anything was added.</summary>
    public IReadOnlyDictionary<string, string> Written { get; private set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The library.</summary>
    public string File => Path.Combine(Sources, "out", Name + ".so");

    /// <summary>What `ssp module build` said.</summary>
    internal Outcome Built { get; private set; } = new(-1, "", "");

    public async Task InitializeAsync()
    {
        var created = await Executables.Run(Executables.Ssp, _files.Directory, "module", "new", Name, "--language", "csharp");
        Assert.True(created.ExitCode == 0, created.ToString());
        Written = Texts(Sources);
        var library = Path.Combine(Sources, "Library.cs");
        const string End = "_ => null,";
        Assert.Contains(End, Written["Library.cs"], StringComparison.Ordinal);
        await System.IO.File.WriteAllTextAsync(library, Written["Library.cs"].Replace(
            End, $"1 when Environment.GetEnvironmentVariable(\"{Traps}\") != null => ModuleLibrary.Table<Trapping.Trap>(),\n        {End}", StringComparison.Ordinal));
        System.IO.File.Copy(Path.Combine(Executables.Root, "tests", "libraries", "Trap.cs"), Path.Combine(Sources, "Trap.cs"));
        Built = await RunAtHome(_files.Directory, Executables.Ssp, "module", "build", Name);
        Assert.True(Built.ExitCode == 0, Built.ToString());
    }

    public Task DisposeAsync()
    {
        _files.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Runs what uses the .NET SDK, which wants the home of whoever runs the tests: packages and where they come from are told there.</summary>
    internal static async Task<Outcome> RunAtHome(string directory, string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory };
        foreach (var name in new[] { "DOTNET_CLI_TELEMETRY_OPTOUT", "DOTNET_NOLOGO", "DOTNET_SKIP_FIRST_TIME_EXPERIENCE" }) start.Environment[name] = "1";
        foreach (var name in start.Environment.Keys.Where(static n => n.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray()) start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await process.WaitForExitAsync(patience.Token);
        return new Outcome(process.ExitCode, await output, await error);
    }

    /// <summary>The sources in a directory by their paths in it.</summary>
    internal static Dictionary<string, string> Texts(string directory) =>
        Directory.GetFiles(directory, "*", SearchOption.AllDirectories).Where(static f => Path.GetExtension(f) is ".cs" or ".csproj" or ".props").ToDictionary(
            f => Path.GetRelativePath(directory, f), System.IO.File.ReadAllText, StringComparer.Ordinal);
}
