// The patches that ship: they open without a word on the modules that ship, and are written as this program writes.
using System.Reflection;
using SspHost.Abi;

namespace SspHost.Patching.Tests;

public sealed class DemoPatchTests
{
    public static TheoryData<string> Files { get; } = new(Names);

    private static IEnumerable<string> Names => Directory.GetFiles(Path.Combine(Repository.Root, "patches"), "*.json").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    [Fact]
    public void There_are_four_with_a_name_of_their_own_and_notes_that_say_what_to_turn()
    {
        var patches = Names.Select(f => PatchJson.Load(In(f))).ToList();
        Assert.True(patches.Count >= 4);
        Assert.Equal(patches.Count, patches.Select(p => p.Name).Distinct().Count());
        Assert.Equal(patches.Count, patches.Select(p => p.Id).Distinct().Count());
        Assert.All(patches, p => Assert.Contains("Turn: ", p.Notes, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Its_file_is_written_as_the_program_writes_it(string file)
    {
        var load = PatchJson.TryLoad(In(file));
        Assert.Null(load.Error);
        Assert.Empty(load.Warnings);
        Assert.Equal(File.ReadAllText(In(file)), System.Text.Encoding.UTF8.GetString(PatchJson.Write(load.Patch!)));
    }

    [ModulesTheory]
    [MemberData(nameof(Files))]
    public void It_fits_the_modules_compiles_without_a_warning_reaches_the_output_and_finds_its_samples(string file)
    {
        var modules = new DescriptorIndex(ModulesTheoryAttribute.Shipped);
        var load = PatchJson.TryLoad(In(file), modules);
        Assert.Null(load.Error);
        Assert.Empty(load.Warnings);
        var plan = PlanCompiler.Compile(load.Patch!, modules, new SlotMap(), new CompileOptions { Inputs = 2, Outputs = 2 }, out var error);
        Assert.Null(error);
        Assert.Empty(plan!.Warnings);
        foreach (var asset in plan.Assets) Assert.True(File.Exists(In(asset.Path!)), asset.Path);
        Assert.All(load.Patch!.Modules, m => Assert.Equal(modules.Find(m.Type)!.Descriptor.Version, m.Version));

        // Every module is heard: it leads to an output jack.
        var reach = EditTests.Reach(load.Patch!, withDelayed: true);
        for (var i = 0; i < load.Patch!.Modules.Length; i++)
        {
            Assert.True(
                load.Patch.Modules[i].Type == "audio-out" || Enumerable.Range(0, load.Patch.Modules.Length).Any(o => load.Patch.Modules[o].Type == "audio-out" && reach[i, o]),
                load.Patch.Modules[i].Id);
        }
    }

    private static string In(string file) => Path.Combine(Repository.Root, "patches", file);
}

/// <summary>A theory about the modules that ship; skipped where the modules' project is empty.</summary>
internal sealed class ModulesTheoryAttribute : TheoryAttribute
{
    public ModulesTheoryAttribute()
    {
        if (Shipped.Count == 0) Skip = "dsp-modules has no module";
    }

    /// <summary>Descriptors of every module type in the modules' assembly.</summary>
    public static IReadOnlyList<ModuleDescriptor> Shipped { get; } =
    [
        .. Assembly.Load("SspHost.Modules").GetTypes()
            .Where(t => t.IsValueType && t.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IModule<>)))
            .Select(t => (ModuleDescriptor)t.GetMethod("Describe")!.Invoke(null, null)!),
    ];
}
