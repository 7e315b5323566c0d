// Debian's device tree of the board, and ours merged into it, as the tools of the device tree compiler see them.
using System.Globalization;
using System.Reflection;
using SspHost.Target.Kit;

namespace SspHost.Target.DeviceTree;

/// <summary>A compiled tree, asked by fdtget: an oracle that knows nothing of our sources.</summary>
public sealed class Tree(string file)
{
    public string File => file;

    /// <summary>Names of the nodes below one.</summary>
    public string[] Below(string node) => Ask("-l", node).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public bool Has(string node, string property) => Ask("-p", node).Split('\n').Contains(property, StringComparer.Ordinal);

    /// <summary>A list of texts, empty ones among them.</summary>
    public string[] Texts(string node, string property) => Ask("-t", "s", node, property).TrimEnd('\n').Split(' ');

    public string Text(string node, string property) => Ask("-t", "s", node, property).TrimEnd('\n');

    public int[] Cells(string node, string property) =>
        [.. Ask("-t", "u", node, property).Split(' ', StringSplitOptions.TrimEntries).Select(c => (int)uint.Parse(c, CultureInfo.InvariantCulture))];

    public int Cell(string node, string property) => Assert.Single(Cells(node, property));

    /// <summary>What other nodes refer to this one by.</summary>
    public int Handle(string node) => Cell(node, "phandle");

    // fdtget takes options, then the file, then nodes and properties.
    private string Ask(params string[] arguments)
    {
        var options = arguments.TakeWhile(a => a[0] == '-').Count();
        if (arguments[0] == "-t") options = 2;
        var asked = Shell.Run(TimeSpan.FromSeconds(20), "fdtget", [.. arguments.Take(options), file, .. arguments.Skip(options)]);
        Assert.True(asked.ExitCode == 0, $"fdtget {string.Join(' ', arguments)}: {asked}");
        return asked.Output;
    }
}

/// <summary>Both trees; Debian's is downloaded once.</summary>
public sealed class Trees : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-dt-").FullName;

    public Trees()
    {
        var merged = Path.Combine(_folder, "board.dtb");
        Merge = Shell.Run(TimeSpan.FromSeconds(60), Path.Combine(Root, "board/dtb.sh"), DebianFile, merged);
        Assert.True(Merge.ExitCode == 0, Merge.ToString());
        (Debian, Board) = (new Tree(DebianFile), new Tree(merged));
    }

    public static string Root { get; } =
        typeof(Trees).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "SspRoot").Value!;

    public Tree Debian { get; }

    public Tree Board { get; }

    internal Outcome Merge { get; }

    public static string Source { get; } = File.ReadAllText(Path.Combine(Root, "board/panel-rockpro64.dts"));

    private static string DebianFile { get; } = Find();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Find()
    {
        var kernel = Path.Combine(Root, "artifacts/debian/kernel-arm64");
        if (Found(kernel) is { } there) return there;
        var fetched = Shell.Run(TimeSpan.FromMinutes(5), Path.Combine(Root, "tools/debian-package.sh"), "arm64", kernel, "linux-image-rt-arm64*");
        return Found(kernel) ?? throw new IOException($"Debian's kernel for arm64 has no rk3399-rockpro64.dtb, or is not to be had: {fetched}");
    }

    private static string? Found(string kernel) =>
        Directory.Exists(kernel) ? Directory.EnumerateFiles(kernel, "rk3399-rockpro64.dtb", SearchOption.AllDirectories).FirstOrDefault() : null;
}

/// <summary>The classes that look at them.</summary>
[CollectionDefinition(Name)]
public sealed class TreesCollection : ICollectionFixture<Trees>
{
    public const string Name = "Device trees";
}
