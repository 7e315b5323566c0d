// The merged tree against the kernel's own rules for device trees (dt-schema, with the bindings of Debian's kernel source).
using SspHost.Target.Kit;

namespace SspHost.Target.DeviceTree;

[Collection(TreesCollection.Name)]
public sealed class RulesTests(Trees trees)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10); // the first time it downloads the kernel's source

    [Fact]
    public void The_kernels_rules_find_nothing_that_they_do_not_find_in_Debians_own_tree()
    {
        var found = Check(trees.Board.File);
        Assert.Equal((0, ""), (found.ExitCode, found.Output));
    }

    [Fact]
    public void They_would_find_a_property_that_keys_do_not_have()
    {
        var folder = Directory.CreateTempSubdirectory("ssp-dt-").FullName;
        var broken = Path.Combine(folder, "broken.dtb"); // the tool goes by the name
        try
        {
            File.Copy(trees.Board.File, broken);
            Assert.Equal(0, Shell.Run(TimeSpan.FromSeconds(10), "fdtput", "-t", "s", broken, "/panel-keys/button-soft1", "colour", "red").ExitCode);
            var found = Check(broken);
            Assert.Equal(1, found.ExitCode);
            Assert.Contains("colour", found.Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private Outcome Check(string tree) => Shell.Run(Patience, Path.Combine(Trees.Root, "board/check-dtb.sh"), trees.Debian.File, tree);
}
