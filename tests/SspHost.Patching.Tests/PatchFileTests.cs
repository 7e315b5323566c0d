// Patch files: what is written reads back, and what is wrong is said in one line.
using System.Text;

namespace SspHost.Patching.Tests;

public sealed class PatchFileTests
{
    private const string Small = """
        {"format":1,"id":"small","modules":[{"id":"a","type":"osc","params":{"tune":0.5}},{"id":"b","type":"narrow"}],"cables":[{"from":"a.saw","to":"b.any"}]}
        """;

    [Fact]
    public void A_patch_reads_back_as_it_was_written_and_is_written_as_it_was_read()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var patch = TestModules.Full(new Random(seed), seed % 30, seed % 50);
            var bytes = PatchJson.Write(patch);
            var load = PatchJson.Read(bytes, "x", TestModules.Index);
            Assert.Null(load.Error);
            Assert.Empty(load.Warnings.ToArray());
            Assert.Equal(patch, load.Patch);
            Assert.Equal(bytes, PatchJson.Write(load.Patch!));
        }
    }

    [Fact]
    public void Every_float_survives_a_round_trip()
    {
        var random = new Random(5);
        for (var i = 0; i < 20_000; i++)
        {
            var value = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
            if (!float.IsFinite(value)) continue;
            var module = new Module { Id = "a", Type = "t", Parameters = NamedValues<float>.Empty.With("p", value) };
            var read = PatchJson.Read(PatchJson.Write(new Patch { Id = "p", Modules = [module] })).Patch!;
            Assert.True(read.Modules[0].Parameters.TryGet("p", out var again));
            Assert.Equal(BitConverter.SingleToInt32Bits(value), BitConverter.SingleToInt32Bits(again));
        }
    }

    [Fact]
    public void Fields_of_others_are_kept_written_back_and_warned_of()
    {
        const string json = """
            {"format":1,"id":"p","colour":{"r":[1, 2.50]},"modules":[{"id":"a","type":"osc","vendor":"\ud83d\ude00 \u00fc"}],"cables":[{"from":"a.saw","to":"a.fm","delayed":true,"bend":null}],"scenes":[null,{"params":{},"fade":2}],"controllers":[{"number":1,"module":"a","param":"tune","from":0,"to":1,"soft":[]}]}
            """;
        var load = PatchJson.Read(Encoding.UTF8.GetBytes(json), "", TestModules.Index);
        Assert.Equal(["colour: unknown field, kept", "modules[0].vendor: unknown field, kept", "cables[0].bend: unknown field, kept", "scenes[1].fade: unknown field, kept", "controllers[0].soft: unknown field, kept"], load.Warnings.ToArray());
        var text = Encoding.UTF8.GetString(PatchJson.Write(load.Patch!));
        Assert.Contains("\"colour\": {\"r\":[1,2.50]}", text, StringComparison.Ordinal);
        Assert.Contains("\"vendor\": \"\\ud83d\\ude00 \\u00fc\"", text, StringComparison.Ordinal);
        Assert.Contains("\"bend\": null", text, StringComparison.Ordinal);
        Assert.Contains("\"fade\": 2", text, StringComparison.Ordinal);
        Assert.Contains("\"soft\": []", text, StringComparison.Ordinal);
        Assert.Equal(load.Patch, PatchJson.Read(PatchJson.Write(load.Patch!)).Patch);
    }

    [Fact]
    public void What_a_newer_module_wrote_is_kept_and_reported()
    {
        var load = Read("""{"format":1,"id":"p","modules":[{"id":"a","type":"osc","version":7,"params":{"warp":3,"tune":1}}]}""");
        Assert.Equal(
            ["modules[0]: a was made with version 7 of osc, this is version 2", "modules[0].params.warp: not known, kept"], load.Warnings.ToArray());
        Assert.True(load.Patch!.Modules[0].Parameters.Contains("warp"));
    }

    [Theory]
    [InlineData("", "f:1:1: the file is empty; expected a JSON object")]
    [InlineData(" \n ", "f:1:1: the file is blank; expected a JSON object")]
    [InlineData("{", "f:1:2: the file ends too early; expected the rest of the patch")]
    [InlineData("[]", "f:1:1: an array; expected a patch: an object")]
    [InlineData("{}", "f:1:1: the field 'format' is missing; expected \"format\": 1")]
    [InlineData("{\"format\":2,\"id\":\"x\"}", "f:1:11: format: format 2 is newer than this program; expected format 1, or a newer program")]
    [InlineData("{\"format\":0,\"id\":\"x\"}", "f:1:11: format: there is no format 0; expected format 1")]
    [InlineData("{\"format\":1}", "f:1:1: the field 'id' is missing; expected an id that no other patch has, such as 16 hexadecimal digits")]
    [InlineData("{\"format\":1,\"id\":\"x\"} x", "f:1:23: something follows the patch; expected the end of the file")]
    [InlineData("{\"format\":1,\"id\":\"x\",\"id\":\"y\"}", "f:1:27: id: the field 'id' stands twice; expected each field once")]
    [InlineData("{\"format\":1,\"id\":\"x\",\n \"quantum\":33}", "f:2:12: quantum: a quantum of 33 frames; expected 16, 32, 64, 128 or 256")]
    [InlineData("{\"format\":1,\"id\":\"x\",\"quantum\":1.5}", "f:1:32: quantum: 1.5; expected a whole number")]
    [InlineData("{\"format\":1,\"id\":\"x\",\"modules\":[{\"id\":\"A b\",\"type\":\"osc\"}]}", "f:1:39: modules[0].id: 'A b' is no module id; expected 1 to 31 of a-z 0-9 - _")]
    [InlineData("{\"format\":1,\"id\":\"x\",\"modules\":[{\"id\":\"a\"}]}", "f:1:33: modules[0]: the field 'type' is missing; expected a module type such as \"vco\"")]
    public void A_broken_file_gives_one_line_with_its_place(string json, string line) => Assert.Equal(line, Read(json).Error!.ToString());

    [Theory]
    [InlineData("\"type\":\"osc\"", "\"type\":\"osk\"", "\"osk\"", "modules[0].type: a: there is no module type 'osk'; expected one of in, out, osc, poly, narrow, seq, player, echo, split")]
    [InlineData("a.saw", "c.saw", "\"c.saw\"", "cables[0].from: there is no module 'c'; expected the id of a module and one of its outputs")]
    [InlineData("a.saw", "a.sow", "\"a.sow\"", "cables[0].from: 'a' (osc) has no output 'sow'; expected one of sine, saw")]
    [InlineData("a.saw", "asaw", "\"asaw\"", "cables[0].from: 'asaw' is no port; expected \"module.port\"")]
    [InlineData("b.any", "b.all", "\"b.all\"", "cables[0].to: 'b' (narrow) has no input 'all'; expected one of two, any, set")]
    [InlineData("\"id\":\"b\"", "\"id\": \"a\"", " \"a\"", "modules[1].id: 'a' stands twice; expected an id that no other module has", 1)]
    [InlineData("0.5", "5.5", "5.5", "modules[0].params.tune: a: Tune of 5.5 is out of range; expected -5..5 V/oct")]
    [InlineData("0.5", "1e99", "1e99", "modules[0].params.tune: 1e99; expected a number within float32")]
    [InlineData("\"tune\":0.5", "\"tuna\":0.5", "0.5", "modules[0].params.tuna: a (osc) has no parameter 'tuna'; expected one of tune, level, shape")]
    [InlineData("\"tune\":0.5", "\"shape\":0.5", "0.5", "modules[0].params.shape: a: Shape of 0.5; expected a whole number")]
    [InlineData("\"params\":{\"tune\":0.5}", "\"state\":\"*\"", "\"*\"", "modules[0].state: *; expected bytes in base64")]
    [InlineData("\"params\":{\"tune\":0.5}", "\"assets\":{\"s\":\"../x\"}", "\"../x\"", "modules[0].assets.s: '../x' is no path of a sample; expected a path relative to the patch, with '/' and without '..'")]
    [InlineData("}]}", "},{\"from\":\"a.saw\",\"to\":\"b.any\"}]}", "{\"from\":\"a.saw\",\"to\":\"b.any\"}]", "cables[1]: a second cable from a.saw to b.any; expected one cable between two ports; use its gain")]
    public void What_does_not_fit_gives_one_line_that_points_at_it(string what, string by, string at, string line, int skip = 0)
    {
        Assert.Null(Read(Small).Error);
        var json = Small.Replace(what, by, StringComparison.Ordinal);
        var column = json.IndexOf(at, StringComparison.Ordinal) + 1 + skip;
        Assert.Equal($"f:1:{column}: {line}", Read(json).Error!.ToString());
    }

    [Fact]
    public void Files_that_are_no_patches_at_all_each_give_one_line()
    {
        using var folder = new TestFolder();
        string Line(string name, byte[] bytes)
        {
            File.WriteAllBytes(folder[name], bytes);
            var line = PatchJson.TryLoad(folder[name], TestModules.Index).Error!.ToString();
            Assert.StartsWith(folder[name], line, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', line);
            return line[folder[name].Length..];
        }

        var noise = new byte[5000];
        new Random(1).NextBytes(noise);
        noise[0] = 0;
        Assert.Equal(":1:1: a zero byte: this is no text file; expected a JSON object", Line("binary", noise));
        Assert.Equal(":2:2: a byte that is no UTF-8; expected UTF-8 text", Line("latin1", [(byte)'{', (byte)'\n', (byte)'"', 0xFC, (byte)'"']));
        Assert.Equal(": too large for a patch: 104857600 bytes; expected at most 16777216 bytes", Line("huge", new byte[100 << 20]));
        Assert.Equal(":1:1: an array; expected a patch: an object", Line("deep", Encoding.ASCII.GetBytes(new string('[', 5000))));
        Assert.Contains("depth of 64", Line("deep in", Encoding.ASCII.GetBytes("{\"x\":" + new string('[', 5000))), StringComparison.Ordinal);
        Assert.Contains("there is no such file", PatchJson.TryLoad(folder["none"]).Error!.ToString(), StringComparison.Ordinal);
        Assert.Contains("this is a folder", PatchJson.TryLoad(folder.Path).Error!.ToString(), StringComparison.Ordinal);
        Assert.Contains("it does not end", PatchJson.TryLoad("/dev/zero").Error!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_and_any_changed_bytes_give_a_patch_or_one_line()
    {
        var random = new Random(7);
        var bytes = PatchJson.Write(TestModules.Full(random, 12, 20));
        for (var n = 0; n < bytes.Length - 2; n++) OneAnswer(bytes.AsSpan(0, n), mustFail: true);
        for (var i = 0; i < 30_000; i++)
        {
            var changed = bytes.ToArray();
            for (var k = random.Next(1, 5); k > 0; k--)
            {
                var at = random.Next(changed.Length);
                changed[at] = random.Next(3) == 0 ? (byte)"{}[]\",:0-e.\\"[random.Next(12)] : (byte)random.Next(256);
            }

            OneAnswer(changed, mustFail: false);
        }

        for (var i = 0; i < 2000; i++)
        {
            // Whole pieces out, doubled or swapped: still JSON now and then.
            var (a, b) = (random.Next(bytes.Length), random.Next(bytes.Length));
            if (a > b) (a, b) = (b, a);
            OneAnswer([.. bytes.AsSpan(0, a), .. bytes.AsSpan(b)], mustFail: false);
            OneAnswer([.. bytes.AsSpan(0, b), .. bytes.AsSpan(a)], mustFail: false);
        }
    }

    [Fact]
    public void A_ring_of_all_modules_twice_over_without_a_delay_gets_one_for_each_way_round()
    {
        // Every cable lies in the one loop, so each must be asked whether it closes it: what takes longest.
        var patch = new StringBuilder("{\"format\":1,\"id\":\"ring\",\"modules\":[");
        for (var i = 0; i < 2048; i++) patch.Append(i == 0 ? "" : ",").Append($"{{\"id\":\"m{i}\",\"type\":\"osc\"}}");
        patch.Append("],\"cables\":[");
        for (var i = 0; i < 4096; i++) patch.Append(i == 0 ? "" : ",").Append($"{{\"from\":\"m{i % 2048}.{(i < 2048 ? "saw" : "sine")}\",\"to\":\"m{(i + 1) % 2048}.fm\"}}");
        var load = Read(patch.Append("]}").ToString());
        Assert.Equal(2, load.Patch!.Cables.Count(c => c.Delayed));
    }

    [Fact]
    public void A_save_replaces_the_whole_file_or_nothing_and_leaves_no_scraps()
    {
        using var folder = new TestFolder();
        var (one, two) = (TestModules.Random(new Random(1), 5, 5), TestModules.Random(new Random(2), 50, 90));
        PatchJson.Save(one, folder["a.json"]);
        File.CreateSymbolicLink(folder["link.json"], "a.json");
        PatchJson.Save(two, folder["link.json"]);
        Assert.Equal(two, PatchJson.Load(folder["a.json"], TestModules.Index));
        Assert.NotNull(File.ResolveLinkTarget(folder["link.json"], returnFinalTarget: false));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
        var error = Assert.Throws<PatchException>(() => PatchJson.Save(one, folder["missing/a.json"]));
        Assert.DoesNotContain('\n', error.Message);
        Assert.Throws<PatchException>(() => PatchJson.Save(one, folder.Path)); // a folder in the way
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    private static PatchLoad Read(string json) => PatchJson.Read(Encoding.UTF8.GetBytes(json), "f", TestModules.Index);

    private static void OneAnswer(ReadOnlySpan<byte> bytes, bool mustFail)
    {
        var load = PatchJson.Read(bytes, "f", TestModules.Index);
        Assert.True(load.Patch is null != load.Error is null);
        if (mustFail) Assert.Null(load.Patch);
        if (load.Error is null) return;
        var line = load.Error.ToString();
        Assert.DoesNotContain(line, char.IsControl);
        Assert.True(load.Error.Line > 0 && load.Error.Column > 0, line);
        Assert.InRange(line.Length, 5, 600);
    }
}
