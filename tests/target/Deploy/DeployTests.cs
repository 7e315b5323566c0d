// ssp-deploy to a machine with systemd: as root and as the user of the service, with a release that is no good, and back.
using System.Globalization;
using System.Security.Cryptography;
using SspHost.Target.Kit;

namespace SspHost.Target.Deploy;

public sealed class DeployTests(DeployTests.Roomy target) : IClassFixture<DeployTests.Roomy>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("root")]
    [InlineData("ssp")]
    public void What_is_pushed_plays_as_the_service_and_what_does_not_start_after_it_is_taken_back(string user)
    {
        var before = target.Run("engine");
        var pushed = Push(user, Release(user, _ => { }));
        Assert.True(pushed.ExitCode == 0, pushed.ToString());
        Assert.Contains(": 1 of ", pushed.Output, StringComparison.Ordinal); // the rest came with the system
        Assert.EndsWith(" plays\n", pushed.Output, StringComparison.Ordinal);
        Assert.NotEqual(before, target.Run("engine"));
        Assert.StartsWith("/data/deploy/releases/ssphost-", target.Run("readlink /proc/$(engine)/exe"), StringComparison.Ordinal);
        Assert.StartsWith("/data/deploy/releases/ssphost-", target.Run("readlink /proc/$(control)/exe"), StringComparison.Ordinal);
        Assert.Equal("active ssp ssp", target.Run("echo $(systemctl is-active ssp) $(stat -c '%U %G' $(readlink -f /data/deploy/current)/bin/ssp-engine)"));

        var current = target.Run("readlink /data/deploy/current");
        var bad = Push(user, Release("bad " + user, f => File.WriteAllText(Path.Combine(f, "bin/ssp-engine"), "#!/bin/sh\nexit 1\n")), patience: 8);
        Assert.True(bad.ExitCode == 1, bad.ToString());
        Assert.EndsWith($"{Path.GetFileName(current)} plays again\n", bad.Output, StringComparison.Ordinal);
        Assert.Equal(current, target.Run("readlink /data/deploy/current"));
        Assert.Equal("active", target.Run("systemctl is-active ssp"));
        Assert.Contains("\"state\": \"playing\"", target.Run("ssp status --json"), StringComparison.Ordinal);
    }

    private Outcome Push(string user, string bundle, int patience = 90)
    {
        var (port, ssh) = target.Guest.DeployTo;
        return Shell.Run(
            TimeSpan.FromMinutes(8), "env", "SSP_SSH=" + ssh, Path.Combine(TargetDisk.Root, "deploy/ssp-deploy"), "--host", user + "@127.0.0.1", "--port", port,
            "--bundle", bundle, "--seconds", "3", "--patience", patience.ToString(CultureInfo.InvariantCulture), "push");
    }

    /// <summary>The bundle that the machine was made with, told apart by a word in a patch, and changed.</summary>
    private string Release(string word, Action<string> change)
    {
        var folder = Path.Combine(_folder, word);
        var copied = Shell.Run(TimeSpan.FromMinutes(2), "cp", "-a", Path.Combine(TargetDisk.Root, "artifacts/bundle/linux-x64"), folder);
        Assert.True(copied.ExitCode == 0, copied.ToString());
        File.AppendAllText(Path.Combine(folder, "patches/README.md"), word + "\n");
        change(folder);
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Where(f => f != "MANIFEST").Order(StringComparer.Ordinal);
        File.WriteAllLines(
            Path.Combine(folder, "MANIFEST"), files.Select(f => $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, f))))}  {f}"));
        return folder;
    }

    /// <summary>A machine whose card has room for releases, as a card has.</summary>
    public sealed class Roomy : PlayingTarget
    {
        private readonly string _directory;

        public Roomy()
            : this(Directory.CreateTempSubdirectory("ssp-disk-").FullName)
        {
        }

        private Roomy(string directory)
            : base(new GuestOptions { Disk = TargetDisk.Made.Copy(directory, larger: 1024) }) => _directory = directory;

        public override void Dispose()
        {
            base.Dispose();
            Directory.Delete(_directory, recursive: true);
        }
    }
}
