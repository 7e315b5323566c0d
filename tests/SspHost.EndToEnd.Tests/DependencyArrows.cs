// The arrows between projects: who may know whom. Read from the project files, so that a new reference has to change this table too.
using System.Xml.Linq;

namespace SspHost.EndToEnd.Tests;

public class DependencyArrows
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["SspHost.Abi"] = [],
        ["SspHost.Engine"] = ["SspHost.Abi"],
        ["SspHost.Dsp"] = ["SspHost.Abi"],
        ["SspHost.Modules"] = ["SspHost.Abi", "SspHost.Dsp"],
        ["SspHost.Conformance"] = ["SspHost.Engine"],
        ["SspHost.EngineHost"] = ["SspHost.Abi", "SspHost.Engine", "SspHost.Modules", "SspHost.Conformance"],
        ["SspHost.Patching"] = ["SspHost.Abi"],
        ["SspHost.Diagnostics"] = ["SspHost.Abi"],
        ["SspHost.Panel"] = ["SspHost.Abi", "SspHost.Dsp", "SspHost.Patching", "SspHost.Diagnostics"],
        ["SspHost.Board"] = ["SspHost.Abi", "SspHost.Panel"],
        ["SspHost.Remote"] = ["SspHost.Abi", "SspHost.Patching", "SspHost.Diagnostics", "SspHost.Panel"],
        ["SspHost"] = ["SspHost.Abi", "SspHost.Patching", "SspHost.Diagnostics", "SspHost.Remote", "SspHost.Panel", "SspHost.Board", "SspHost.IotDevices"],
        // Against declarations where it is not asked for; SspHost references it only where it is.
        ["SspHost.IotDevices"] = ["SspHost.Board", "SspHost.IotDevices.Stubs"],
    };

    public static TheoryData<string> Projects()
    {
        var data = new TheoryData<string>();
        foreach (var file in ProjectFiles()) data.Add(Path.GetFileNameWithoutExtension(file));
        return data;
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_design_allows(string project)
    {
        Assert.True(Allowed.ContainsKey(project), $"{project} has no place in the table of arrows: decide who may know it");
        var file = ProjectFiles().Single(f => Path.GetFileNameWithoutExtension(f) == project);
        var references = XDocument.Load(file).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.All(references, r => Assert.True(Allowed[project].Contains(r), $"{project} must not reference {r}"));
    }

    [Fact]
    public void The_engine_has_no_package_at_all_and_no_json()
    {
        foreach (var project in new[] { "SspHost.Abi", "SspHost.Engine", "SspHost.Dsp", "SspHost.Modules", "SspHost.EngineHost" })
        {
            var file = ProjectFiles().Single(f => Path.GetFileNameWithoutExtension(f) == project);
            Assert.Empty(XDocument.Load(file).Descendants("PackageReference"));
        }

        foreach (var folder in new[] { "src/SspHost.Engine", "src/SspHost.Dsp", "dsp-modules" })
        {
            var sources = Directory.EnumerateFiles(Path.Combine(Executables.Root, folder), "*.cs", SearchOption.AllDirectories);
            Assert.All(sources, s => Assert.DoesNotContain("System.Text.Json", File.ReadAllText(s), StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(Executables.Root, "SspHost.sln")).Replace('\\', '/');
        var tests = Directory.EnumerateFiles(Path.Combine(Executables.Root, "tests"), "*.csproj", SearchOption.AllDirectories);
        Assert.All(ProjectFiles().Concat(tests), f => Assert.Contains(Path.GetRelativePath(Executables.Root, f), solution, StringComparison.Ordinal));
    }

    private static IEnumerable<string> ProjectFiles() =>
        Directory.EnumerateFiles(Path.Combine(Executables.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Path.Combine(Executables.Root, "dsp-modules"), "SspHost.Modules.csproj"))
            .Order(StringComparer.Ordinal);
}
