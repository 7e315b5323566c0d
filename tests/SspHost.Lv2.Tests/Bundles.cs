// The bundle of our own plugins, compiled once, and Debian's: scanned, and played by a rig.
using System.Diagnostics;
using System.Reflection;
using SspHost.Abi;
using SspHost.Conformance;
using SspHost.Engine.Loading;
using SspHost.Lv2;

namespace SspHost.Lv2.Tests;

internal static class Bundles
{
    private static readonly Lazy<(string Path, Lv2Found Found)> OurOwn = new(Compile);
    private static readonly Lazy<Lv2Found> Debians = new(() => Lv2Scan.Run("/usr/lib/lv2"));
    private static readonly HashSet<string> Added = new(StringComparer.Ordinal);

    /// <summary>The directory our bundle lies in, and what a scan of it finds.</summary>
    public static (string Path, Lv2Found Found) Own => OurOwn.Value;

    /// <summary>What is installed.</summary>
    public static Lv2Found Installed => Debians.Value;

    /// <summary>One of our plugins, by the end of its URI.</summary>
    public static Lv2Module Ours(string name) => Own.Found.Modules.Single(m => m.Uri == "urn:ssphost-test:" + name);

    /// <summary>A plugin that is installed.</summary>
    public static Lv2Module Debian(string uri) => Installed.Modules.Single(m => m.Uri == uri);

    /// <summary>A rig that plays a plugin through the engine's own thunks.</summary>
    public static Rig Rig(Lv2Module module, RigOptions? options = null)
    {
        Add(module);
        return new Rig(module.Descriptor.Id, options ?? new RigOptions());
    }

    /// <summary>Makes a plugin a subject of the conformance suite.</summary>
    public static void Add(Lv2Module module)
    {
        lock (Added)
        {
            if (Added.Add(module.Uri))
            {
                var library = OpenLibrary.OpenLv2(DescriptorBlob.Write([module.Descriptor]), module.Record, out var refusal);
                Assert.True(library != null, refusal);
                Subjects.Add(library.Descriptors, library.Entries);
            }
        }
    }

    private static (string Path, Lv2Found Found) Compile()
    {
        var root = typeof(Bundles).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "SspRoot").Value!;
        var source = Path.Combine(root, "tests", "SspHost.Lv2.Tests", "bundle");
        var path = Directory.CreateTempSubdirectory("ssp-lv2-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(path, recursive: true);
        var bundle = Directory.CreateDirectory(Path.Combine(path, "test.lv2")).FullName;
        File.Copy(Path.Combine(source, "manifest.ttl"), Path.Combine(bundle, "manifest.ttl"));
        File.WriteAllText(Path.Combine(bundle, "garbage.so"), "this is no library");
        using var cc = Process.Start("cc", ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", Path.Combine(source, "test.c"), "-o", Path.Combine(bundle, "test.so")]);
        cc.WaitForExit();
        Assert.Equal(0, cc.ExitCode);
        return (path, Lv2Scan.Run(path));
    }
}
