// Presets: what they keep of a module and set again, what their files may be, and that no name leads out of its folder.
using System.Text;

namespace SspHost.Patching.Tests;

public sealed class PresetTests
{
    private static readonly string Shipped = Path.Combine(Repository.Root, "presets");

    public static TheoryData<string> Files { get; } = new(Directory.GetFiles(Shipped, "*.json", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Shipped, f)).Order(StringComparer.Ordinal));

    [Fact]
    public void A_preset_of_a_module_reads_back_and_makes_another_module_the_same()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var patch = new Patch { Id = "p" };
            var module = TestModules.RandomModule(random, patch) with { Id = "a" };
            var other = TestModules.RandomModule(random, patch);
            while (other.Type != module.Type) other = TestModules.RandomModule(random, patch);
            patch = patch with { Modules = [module, other with { Id = "b", State = default, Assets = default }] };
            var preset = ModulePreset.Read(ModulePreset.Of(module, TestModules.Index).Write(), "f", out var error)!;
            Assert.Null(error);
            Assert.Equal(ModulePreset.Of(module, TestModules.Index), preset);
            Assert.Null(preset.Misfit(TestModules.Index));
            Assert.Empty(preset.EditsFor(patch, "a", TestModules.Index, out _)!);
            patch = PatchEdits.ApplyAll(patch, preset.EditsFor(patch, "b", TestModules.Index, out _)!.ToArray(), TestModules.Index, out error)!;
            Assert.Null(error);
            Assert.Equal(preset, ModulePreset.Of(patch.Find("b")!, TestModules.Index));
        }
    }

    [Fact]
    public void What_a_preset_does_not_name_stays_as_it_is()
    {
        var patch = new Patch { Id = "p", Modules = [TestModules.Make("a", "osc") with { Parameters = NamedValues<float>.Empty.With("tune", 2).With("level", 1) }] };
        var preset = new ModulePreset { Type = "osc", Parameters = NamedValues<float>.Empty.With("level", 7) };
        Assert.Equal([new SetParameter("a", "level", 7)], preset.EditsFor(patch, "a", TestModules.Index, out _)!);
    }

    [Fact]
    public void A_preset_of_another_version_is_brought_to_the_present_one()
    {
        var patch = new Patch { Id = "p", Modules = [TestModules.Make("a", "osc"), TestModules.Make("s", "seq")] };
        var old = new ModulePreset { Type = "osc", Parameters = NamedValues<float>.Empty.With("tune", 99).With("shape", 1.7f).With("gone", 1), Settings = NamedValues<int>.Empty.With("old", 3) };
        Assert.Equal([new SetParameter("a", "tune", 5), new SetParameter("a", "shape", 2)], old.EditsFor(patch, "a", TestModules.Index, out _)!);
        Assert.NotNull(old.Misfit(TestModules.Index));

        // A state goes to the module with the version that wrote it; one that is newer cannot be read.
        var state = new ModulePreset { Type = "seq", Version = 1, State = new StateBlob([1, 2]) };
        Assert.Equal([new SetState("s", 1, new StateBlob([1, 2]))], state.EditsFor(patch, "s", TestModules.Index, out _)!);
        Assert.Null((state with { Version = 4 }).EditsFor(patch, "s", TestModules.Index, out var error));
        Assert.Equal("the preset has a state of version 4 of seq, this is version 3; expected a newer program", error!.ToString());
        Assert.Null(state.EditsFor(patch, "a", TestModules.Index, out error));
        Assert.Equal("a preset of 'seq' for a (osc); expected one of osc", error!.ToString());
        Assert.Null(state.EditsFor(patch, "x", TestModules.Index, out error));
        Assert.Equal("there is no module 'x'", error!.ToString());
    }

    [Theory]
    [InlineData("", "f:1:1: the file is empty; expected a JSON object")]
    [InlineData("[]", "f:1:1: an array; expected a preset: an object")]
    [InlineData("""{"format":1}""", "f:1:1: the field 'type' is missing; expected a module type such as \"vco\"")]
    [InlineData("""{"type":"osc"}""", "f:1:1: the field 'format' is missing; expected \"format\": 1")]
    [InlineData("""{"format":2,"type":"osc"}""", "f:1:11: format: format 2 is newer than this program; expected format 1, or a newer program")]
    [InlineData("""{"format":1,"type":"osc"} x""", "f:1:27: something follows the preset; expected the end of the file")]
    [InlineData("""{"format":1,"type":"osc" """, "f:1:26: the file ends too early; expected the rest of the preset")]
    [InlineData("""{"format":1,"type":"o c"}""", "f:1:20: type: 'o c' is no module type; expected 1 to 64 of a-z 0-9 . _ / -")]
    [InlineData("""{"format":1,"type":"osc","assets":{"s":"../x"}}""", "f:1:40: assets.s: '../x' is no path of a sample; expected a path relative to the patch, with '/' and without '..'")]
    [InlineData("""{"format":1,"type":"osc","params":{"p":1e99}}""", "f:1:40: params.p: 1e99; expected a number within float32")]
    public void A_broken_file_gives_one_line_with_its_place(string json, string line)
    {
        Assert.Null(ModulePreset.Read(Encoding.UTF8.GetBytes(json), "f", out var error));
        Assert.Equal(line, error!.ToString());
    }

    [Fact]
    public void Every_truncation_and_any_changed_bytes_give_a_preset_or_one_line()
    {
        var random = new Random(7);
        var module = TestModules.Make("a", "seq") with { State = new StateBlob([1, 2, 3, 4, 5]), Assets = NamedValues<string>.Empty.With("x", "y.wav"), Settings = NamedValues<int>.Empty.With("s", 3) };
        var bytes = (ModulePreset.Of(module, TestModules.Index) with { Notes = "two\nlines", Unknown = NamedValues<string>.Empty.With("later", "{\"a\":[1]}") }).Write();
        Assert.NotNull(ModulePreset.Read(bytes, "f", out _));
        for (var n = 0; n < bytes.Length - 2; n++) Assert.False(OneAnswer(bytes.AsSpan(0, n)));
        var taken = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var changed = bytes.ToArray();
            for (var k = random.Next(1, 4); k > 0; k--) changed[random.Next(changed.Length)] = random.Next(3) == 0 ? (byte)"{}[]\",:0-e.\\"[random.Next(12)] : (byte)random.Next(256);
            taken += OneAnswer(changed) ? 1 : 0;
        }

        Assert.InRange(taken, 100, 19_000);

        static bool OneAnswer(ReadOnlySpan<byte> json)
        {
            var preset = ModulePreset.Read(json, "f", out var error);
            Assert.True(preset is null != error is null);
            if (error is null) return true;
            Assert.DoesNotContain(error.ToString(), char.IsControl);
            Assert.InRange(error.ToString().Length, 5, 600);
            return false;
        }
    }

    [Fact]
    public void The_players_own_are_kept_listed_hidden_over_those_that_ship_and_deleted()
    {
        using var folder = new TestFolder();
        var (shipped, own) = (new PresetLibrary(null, folder["shipped"]), new PresetLibrary(folder["shipped"], folder["own"]));
        Assert.Empty(own.List("osc"));
        var (a, b) = (new ModulePreset { Type = "osc", Notes = "a" }, new ModulePreset { Type = "osc", Notes = "b" });
        foreach (var name in new[] { "zebra", "Bass", "apple" }) Assert.Null(shipped.Save(a, name));
        Assert.Null(own.Save(b, "bass \u266b / 2"));
        Assert.Null(own.Save(b, "Bass"));
        File.WriteAllText(Path.Combine(folder["own"], "osc", "broken.json"), "{");
        File.WriteAllText(Path.Combine(folder["own"], "osc", "no%zz.json"), "{");
        File.WriteAllText(Path.Combine(folder["own"], "osc", ".hidden.json"), "{");
        Assert.Equal(
            [new("apple", true), new("zebra", true), new("Bass", false), new("bass \u266b / 2", false), new("broken", false)], own.List("osc")); // no file was read
        Assert.Equal("b", own.Load("osc", "Bass", out _)!.Notes);
        Assert.Equal("a", own.Load("osc", "apple", out _)!.Notes);
        Assert.Equal("b", own.Load("osc", "bass \u266b / 2", out _)!.Notes);
        Assert.Null(own.Load("osc", "broken", out var error));
        Assert.Contains("broken.json:1:2: the file ends too early", error!.ToString(), StringComparison.Ordinal);
        Assert.Null(own.Load("osc", "nothing", out error));
        Assert.Equal("osc has no preset 'nothing'", error!.ToString());
        Assert.Null(own.Delete("osc", "Bass"));
        Assert.Equal("a", own.Load("osc", "Bass", out _)!.Notes);
        Assert.Equal("there is no preset 'Bass' of osc of your own", own.Delete("osc", "Bass")!.ToString());
        File.Copy(Path.Combine(folder["shipped"], "osc", "apple.json"), Path.Combine(Directory.CreateDirectory(Path.Combine(folder["own"], "poly")).FullName, "apple.json"));
        Assert.Null(own.Load("poly", "apple", out error));
        Assert.EndsWith("type: a preset of 'osc'; expected one of poly", error!.ToString(), StringComparison.Ordinal);
        Assert.Contains("cannot be saved", new PresetLibrary(null, Path.Combine(folder["shipped"], "osc", "apple.json")).Save(a, "x")!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void No_name_and_no_type_leads_out_of_its_folder_and_every_name_comes_back()
    {
        using var folder = new TestFolder();
        var library = new PresetLibrary(null, folder["own"]);
        var random = new Random(5);
        const string letters = "abcXYZ019 .../\\%:*?\"<>|~$'`;&-_\u00fc\u266b\u4e2d";
        string[] names = ["..", ".", "../x", "/etc/x", "a/../../b", "%2E%2E", "%", "con", "\ud83c\udfb9", new('\u4e2d', 60), .. Enumerable.Range(0, 300).Select(_ => new string([.. Enumerable.Range(0, random.Next(1, 61)).Select(_ => letters[random.Next(letters.Length)])]))];
        string[] types = ["osc", "..", "../..", "/", "lv2/http.x", ".", "-"];
        var kept = new HashSet<(string, string)>();
        foreach (var name in names)
        {
            var type = types[random.Next(types.Length)];
            var error = library.Save(new ModulePreset { Type = type }, name);
            Assert.Equal(PresetLibrary.WhyNot(name) is null, error is null);
            if (error is not null) continue;
            kept.Add((type, name));
            Assert.NotNull(library.Load(type, name, out _));
        }

        Assert.True(kept.Count > 100);
        foreach (var type in types) Assert.Equal(kept.Where(k => k.Item1 == type).Select(k => k.Item2).Order(StringComparer.Ordinal), library.List(type).Select(e => e.Name).Order(StringComparer.Ordinal));
        Assert.Equal([folder["own"]], Directory.GetFileSystemEntries(folder.Path));
        Assert.All(Directory.GetFiles(folder["own"], "*", SearchOption.AllDirectories), f => Assert.Equal(2, Path.GetRelativePath(folder["own"], f).Split('/').Length));
        foreach (var bad in new[] { "", " x", "x ", "a\nb", "\u0000", "\ud800", new string('x', 61) })
        {
            Assert.NotNull(library.Save(new ModulePreset { Type = "osc" }, bad));
            Assert.Null(library.Load("osc", bad, out var error));
            Assert.NotNull(error);
        }

        Assert.NotNull(library.Save(new ModulePreset { Type = "A b" }, "x"));
        Assert.Empty(library.List("A b"));
    }

    [Fact]
    public void There_are_some_for_the_modules_that_are_played_first()
    {
        var library = new PresetLibrary(Shipped, Path.Combine(Shipped, "none"));
        foreach (var type in new[] { "vco", "svf", "adsr", "delay", "reverb", "fm6" }) Assert.True(library.List(type).Count >= 3, type);
    }

    [ModulesTheory]
    [MemberData(nameof(Files))]
    public void One_that_ships_fits_its_module_sets_it_and_is_written_as_the_program_writes_it(string file)
    {
        var modules = new DescriptorIndex(ModulesTheoryAttribute.Shipped);
        var (type, name) = (Path.GetDirectoryName(file)!, Path.GetFileNameWithoutExtension(file));
        var preset = new PresetLibrary(Shipped, Path.Combine(Shipped, "none")).Load(type, name, out var error)!;
        Assert.Null(error);
        Assert.Empty(preset.Unknown.ToArray());
        Assert.Null(preset.Misfit(modules));
        Assert.Equal(modules.Find(type)!.Descriptor.Version, preset.Version);
        Assert.InRange(preset.Notes.Length, 20, 200);
        Assert.False(preset.Parameters.Contains("pitch") || preset.Parameters.Contains("fine") || preset.Settings.Count > 0);
        Assert.Equal(File.ReadAllText(Path.Combine(Shipped, file)), Encoding.UTF8.GetString(preset.Write()));
        var patch = new Patch { Id = "p", Modules = [new Module { Id = "m", Type = type, Version = preset.Version }] };
        var edits = preset.EditsFor(patch, "m", modules, out _)!;
        Assert.NotNull(PatchEdits.ApplyAll(patch, edits.ToArray(), modules, out error));
        Assert.Null(error);
    }
}
