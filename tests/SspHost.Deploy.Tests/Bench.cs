// A target on this machine: an SSH server, a prefix of its own, the host as it was built, and a way to start it in place of systemd.
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace SspHost.Deploy.Tests;

/// <summary>One for all tests; what plays there between two of them is a good release.</summary>
public sealed class Bench : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-deploy-").FullName;
    private readonly Dictionary<string, string> _environment = [];
    private SshServer? _server;
    private int _releases;

    /// <summary>What a build makes of this checkout.</summary>
    public string Bundle { get; private set; } = "";

    public string Prefix => Path.Combine(_folder, "deploy");

    public string Releases => Path.Combine(Prefix, "releases");

    public string Current => Link("current");

    public string Previous => Link("previous");

    /// <summary>A file of a test's own.</summary>
    public string File(string name) => Path.Combine(_folder, name);

    internal SshServer Server => _server!;

    async Task IAsyncLifetime.InitializeAsync()
    {
        _server = await SshServer.Start(_folder);
        var rid = "linux-" + (System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "x64");
        await Shell.Must("sh", Path.Combine(Shell.Root, "tools/bundle.sh"), rid);
        Bundle = Path.Combine(Shell.Root, "artifacts/bundle", rid);
        Directory.CreateDirectory(File("runtime"));
        Directory.CreateDirectory(File("home"));
        _environment["SSP_HOST"] = Environment.UserName + "@127.0.0.1";
        _environment["SSP_SSH"] = _server.Command;
        _environment["SSP_PREFIX"] = Prefix;
        _environment["SSP_SLOT"] = File("slot");
        _environment["SSP_RUNTIME"] = File("runtime");
        // What deploy/systemd/start.sh and the unit do.
        _environment["SSP_START"] = $"r={Prefix}/current; [ -x $r/bin/ssp ] || r={File("slot")}; " +
            // Buffers of 170 ms: who else works on this machine is none of a test's business.
            $"cd {_folder}; HOME={File("home")} SSP_RUNTIME={File("runtime")} setsid -f $r/bin/ssp run $r/patches/slow-drone.json --device sim --period 2048 --periods 4 --web off --midi off </dev/null >>{File("log")} 2>&1";
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        foreach (var tool in new[] { Path.Combine(Prefix, "current/bin/ssp"), Path.Combine(Bundle, "bin/ssp") })
        {
            if (System.IO.File.Exists(tool)) await Shell.Run(_environment, "", tool, "stop");
        }

        _server?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs ssp-deploy as an engineer does.</summary>
    internal Task<Outcome> Deploy(params string[] arguments) => DeployWith([], "", arguments);

    internal Task<Outcome> DeployWith(Dictionary<string, string> environment, string input, params string[] arguments)
    {
        var all = new Dictionary<string, string>(_environment);
        foreach (var (name, value) in environment) all[name] = value;
        return Shell.Run(all, input, Path.Combine(Shell.Root, "deploy/ssp-deploy"), ["--port", Server.Port.ToString(CultureInfo.InvariantCulture), .. arguments]);
    }

    /// <summary>Pushes; a second is listened to.</summary>
    internal Task<Outcome> Push(string bundle, string patience = "60") => Deploy("--seconds", "1", "--patience", patience, "--bundle", bundle, "push");

    /// <summary>A client through which what is pushed passes a filter, a line of shell from standard input to standard output.</summary>
    internal Dictionary<string, string> Through(string filter)
    {
        var file = File(FormattableString.Invariant($"ssh-{_releases++}"));
        System.IO.File.WriteAllText(file, $$"""
            #!/bin/sh
            for last; do :; done
            case $last in *"
            '\''push'\'' "*) { {{filter}}; } | {{Server.Command}} "$@" ;; *) exec {{Server.Command}} "$@" ;; esac
            """.ReplaceLineEndings("\n"));
        return new Dictionary<string, string> { ["SSP_SSH"] = "sh " + file };
    }

    /// <summary>Another release: the bundle, changed by <paramref name="change"/>, which gets its folder; its manifest is right.</summary>
    internal async Task<string> Release(Action<string> change)
    {
        var folder = File(FormattableString.Invariant($"bundle-{_releases++}"));
        await Shell.Must("cp", "-a", Bundle, folder);
        change(folder);
        Seal(folder);
        return folder;
    }

    /// <summary>A release that differs from every other in one patch, which a player hears no difference of.</summary>
    internal Task<string> Good() => Release(f => System.IO.File.AppendAllText(Path.Combine(f, "patches/tape-room.json"), new string('\n', _releases)));

    /// <summary>Whatever was there: now a good release plays.</summary>
    internal async Task Plays()
    {
        if (Current.Length > 0 && await State() == "playing") return;
        var o = await Push(await Good());
        Assert.True(o.ExitCode == 0, o.ToString());
    }

    internal async Task<string> State() => (await Status()).GetProperty("state").GetString()!;

    internal async Task<int> Engine() => (await Status()).GetProperty("enginePid").GetInt32();

    private async Task<JsonElement> Status()
    {
        var o = await Shell.Run(_environment, "", Path.Combine(Bundle, "bin/ssp"), "status", "--json");
        return JsonDocument.Parse(o.Output).RootElement.Clone();
    }

    /// <summary>Writes the manifest of what lies there.</summary>
    internal static void Seal(string folder)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Where(f => f != "MANIFEST").Order(StringComparer.Ordinal);
        System.IO.File.WriteAllLines(
            Path.Combine(folder, "MANIFEST"), files.Select(f => $"{Convert.ToHexStringLower(SHA256.HashData(System.IO.File.ReadAllBytes(Path.Combine(folder, f))))}  {f}"));
    }

    private string Link(string name) => Path.GetFileName(new FileInfo(Path.Combine(Prefix, name)).LinkTarget ?? "");
}
