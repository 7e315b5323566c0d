// A machine with two slots in a directory: files for slots, a directory for the boot partition, keys of its own, and root's script as it is.
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using SspHost.Updates;

namespace SspHost.Tests.Updates;

internal sealed class UpdateBench : IDisposable
{
    public const int SlotMib = 4;

    private readonly List<Process> _services = [];

    public UpdateBench(string slot = "a", bool trial = false, long serial = 100)
    {
        foreach (var d in new[] { "data/deploy/update", "etc/ssphost", "disk/1", "proc/sys/kernel/random", "proc/self" }) Directory.CreateDirectory(In(d));
        File.WriteAllText(In("proc/sys/kernel/random/boot_id"), File.ReadAllText("/proc/sys/kernel/random/boot_id"));
        File.WriteAllText(In("proc/self/mountinfo"), "");
        foreach (var n in new[] { "disk/2", "disk/3" }) File.WriteAllBytes(In(n), Noise(SlotMib << 20, n[^1]));
        Runs(slot, trial);
        Is("1.0.0", serial);
        Run("signify-openbsd", "-G", "-n", "-p", In("update.pub"), "-s", Key);
        File.Copy(In("update.pub"), In("etc/ssphost/update.pub"));
        // The user that asks: he may write his own directory, and nothing of root's.
        if (Environment.UserName == "root")
        {
            Run("chown", "-R", "nobody", In("data/deploy"));
            foreach (var d in new[] { Root, In("data") }) File.SetUnixFileMode(d, (UnixFileMode)0b111_101_101);
        }
    }

    public static string Repository { get; } = typeof(UpdateBench).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "SspRoot").Value!;

    public string Root { get; } = Directory.CreateTempSubdirectory("ssp-update-").FullName;

    public UpdateStation Station => new(Root);

    public string Key => In("update.sec");

    public string Incoming => In("data/deploy/update/incoming.update");

    public string Status => File.Exists(In("data/update/status")) ? File.ReadAllText(In("data/update/status")) : "";

    public string Marks => string.Join(' ', Directory.GetFiles(In("disk/1")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    public static string Architecture => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    public string In(string path) => Path.Combine(Root, path);

    public byte[] Slot(string slot) => File.ReadAllBytes(In(slot == "a" ? "disk/2" : "disk/3"));

    /// <summary>Starts it from a slot, as the boot loader would.</summary>
    public void Runs(string slot, bool trial = false) => File.WriteAllText(In("proc/cmdline"), $"root=PARTUUID=1 ro ssp.data=PARTUUID=4 ssp.slot={slot} {(trial ? "ssp.trial=1 " : "")}panic=10\n");

    /// <summary>Names the system that runs.</summary>
    public void Is(string version, long serial) => File.WriteAllText(In("etc/ssphost/system"), Identity(version, serial, Architecture, "bench"));

    /// <summary>Makes an update file with the project's own script; the image is a file system.</summary>
    public string MakeUpdate(string version, long serial, string? arch = null, string board = "bench", int mib = SlotMib, string? key = null)
    {
        var tree = In("tree");
        Directory.CreateDirectory(Path.Combine(tree, "etc/ssphost"));
        File.WriteAllText(Path.Combine(tree, "etc/ssphost/system"), Identity(version, serial, arch ?? Architecture, board));
        File.WriteAllBytes(Path.Combine(tree, "filler"), Noise(600_000, 7));
        var image = In($"image-{version}");
        File.Delete(image);
        Run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", tree, image, mib.ToString(CultureInfo.InvariantCulture) + "M");
        Run("env", "SSP_ZSTD=1", Path.Combine(Repository, "board/update-file.sh"), image, key ?? Key, In("made"));
        return In($"made/ssphost-{version}-{arch ?? Architecture}.update");
    }

    /// <summary>What is in an update's image.</summary>
    public byte[] Image(string version) => File.ReadAllBytes(In($"image-{version}"));

    /// <summary>Leaves a request and lets root see to it, like ssp-update.path; its exit code.</summary>
    public int Ask(string word, string? file = null)
    {
        if (file != null) File.Copy(file, Incoming, overwrite: true);
        File.WriteAllText(In("data/deploy/update/request"), word + "\n");
        return Serve();
    }

    /// <summary>Root's service, once.</summary>
    public int Serve(params string[] arguments)
    {
        using var p = Process.Start(Service(arguments))!;
        p.WaitForExit();
        return p.ExitCode;
    }

    public ProcessStartInfo Service(params string[] arguments)
    {
        var start = new ProcessStartInfo("sh", [Path.Combine(Repository, "deploy/systemd/update.sh"), .. arguments]) { RedirectStandardError = false };
        foreach (var (key, value) in new[]
        {
            ("SSP_UPDATE_DATA", In("data")), ("SSP_UPDATE_ETC", In("etc/ssphost")), ("SSP_UPDATE_CMDLINE", In("proc/cmdline")), ("SSP_UPDATE_DISK", In("disk")),
            ("SSP_UPDATE_USER", Environment.UserName == "root" ? "nobody" : Environment.UserName), ("SSP_UPDATE_RESTART", "touch " + In("restarted")),
        }) start.Environment[key] = value;
        return start;
    }

    /// <summary>Sees to requests as they come, until the bench is disposed of.</summary>
    public void ServeAlways()
    {
        var loop = Service();
        var script = $"while [ -d '{Root}' ]; do if [ -e '{In("data/deploy/update/request")}' ]; then sh '{Path.Combine(Repository, "deploy/systemd/update.sh")}' 2>/dev/null; fi; sleep 0.05; done";
        loop.ArgumentList.Clear();
        loop.ArgumentList.Add("-c");
        loop.ArgumentList.Add(script);
        _services.Add(Process.Start(loop)!);
    }

    public void Dispose()
    {
        foreach (var p in _services)
        {
            p.Kill(entireProcessTree: true);
            p.WaitForExit();
            p.Dispose();
        }

        Directory.Delete(Root, recursive: true);
    }

    public static void Run(string program, params string[] arguments)
    {
        using var p = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = p.StandardError.ReadToEndAsync();
        _ = p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        Assert.True(p.ExitCode == 0, $"{program}: {error.Result}");
    }

    private static string Identity(string version, long serial, string arch, string board) =>
        string.Create(CultureInfo.InvariantCulture, $"name=ssphost-{version}-test\nversion={version}\nserial={serial}\narch={arch}\nboard={board}\n");

    private static byte[] Noise(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
