// Where the gate's counts hold: kind of processor, instructions the engine is compiled for, and the versions that make its code.
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SspHost.Gate.Tests;

/// <summary>Counts are of one kind of machine: elsewhere they would be others, and nothing is wrong there.</summary>
internal static partial class Machine
{
    public static readonly string Root = FindRoot();
    public static readonly string Bin = Environment.GetEnvironmentVariable("SSP_BIN") is { Length: > 0 } bin ? bin : Path.Combine(Root, "artifacts/bin");

    /// <summary>Why nothing can be counted here; null: it can.</summary>
    public static string? WhyNot => RuntimeInformation.OSArchitecture == Architecture.X64
        ? null
        : $"the accepted counts are of x86-64, this is {RuntimeInformation.OSArchitecture}";

    /// <summary>
    /// Instruction sets the engine is compiled for. It has one code for each kernel, chosen by the compiler, and does not start where one of these is
    /// missing, under valgrind or not: what is counted is what plays.
    /// </summary>
    public static string InstructionSet()
    {
        var project = File.ReadAllText(Path.Combine(Root, "src/SspHost.EngineHost/SspHost.EngineHost.csproj"));
        var set = InstructionSetElement().Match(project);
        return set.Success ? $"x86-64,{set.Groups[1].Value}" : throw new InvalidDataException("SspHost.EngineHost.csproj names no <IlcInstructionSet> any more");
    }

    /// <summary>Version of the compiler that made the engine, as its restore wrote it down.</summary>
    public static string Compiler()
    {
        var framework = File.ReadAllText(Path.Combine(Root, "artifacts/native-framework-linux-x64")).Trim();
        var assets = Path.Combine(Root, $"artifacts/obj/{framework}-linux-x64/SspHost.EngineHost/project.assets.json");
        using var json = JsonDocument.Parse(File.ReadAllText(assets));
        var downloads = json.RootElement.GetProperty("project").GetProperty("frameworks").EnumerateObject().First().Value;
        var compiler = downloads.GetProperty("downloadDependencies").EnumerateArray()
            .Where(static d => d.GetProperty("name").GetString()!.EndsWith("ILCompiler", StringComparison.Ordinal))
            .Select(static d => d.GetProperty("version").GetString()!.Trim('[', ']').Split(',')[0]).FirstOrDefault();
        return $"ILC {compiler ?? throw new InvalidDataException($"{assets} names no ILCompiler")}";
    }

    [GeneratedRegex("<IlcInstructionSet[^>]*-x64[^>]*>([^<]+)<")]
    private static partial Regex InstructionSetElement();

    private static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable("SSP_ROOT") is { Length: > 0 } given) return given;
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "SspHost.sln"))) folder = Path.GetDirectoryName(folder) ?? throw new FileNotFoundException("SspHost.sln");
        return folder;
    }
}

/// <summary>A test that counts; elsewhere than on x86-64 it is reported as skipped, with the reason.</summary>
public sealed class CountingFactAttribute : FactAttribute
{
    public CountingFactAttribute() => Skip = Machine.WhyNot;
}
