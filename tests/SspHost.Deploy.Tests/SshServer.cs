// A real SSH server of a test's own: keys, configuration and port are its, and nobody else can come in.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SspHost.Deploy.Tests;

internal sealed class SshServer : IDisposable
{
    private readonly Process _process;

    private SshServer(Process process, int port, string command) => (_process, Port, Command) = (process, port, command);

    public int Port { get; }

    /// <summary>How a client of it is called.</summary>
    public string Command { get; }

    public static async Task<SshServer> Start(string folder)
    {
        var daemon = new[] { "/usr/sbin/sshd", "/usr/bin/sshd" }.FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("There is no sshd; Debian's package openssh-server has it (tools/setup.sh test installs it).");
        foreach (var key in new[] { "host", "client" }) await Shell.Must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, key));
        File.Copy(Path.Combine(folder, "client.pub"), Path.Combine(folder, "authorized"));
        if (Environment.UserName == "root") Directory.CreateDirectory("/run/sshd"); // sshd wants it for privilege separation; Debian makes it when the service starts
        var port = FreePort();
        var configuration = Path.Combine(folder, "sshd_config");
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture, $"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {folder}/host
            PidFile none
            AuthorizedKeysFile {folder}/authorized
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            PrintMotd no

            """));
        var process = Process.Start(new ProcessStartInfo(daemon, ["-D", "-f", configuration, "-E", Path.Combine(folder, "sshd.log")]))!;
        await File.WriteAllTextAsync(Path.Combine(folder, "known"), string.Create(CultureInfo.InvariantCulture, $"[127.0.0.1]:{port} ") + await File.ReadAllTextAsync(Path.Combine(folder, "host.pub")));
        var until = Stopwatch.StartNew();
        while (!await Listens(port))
        {
            if (process.HasExited || until.Elapsed > TimeSpan.FromSeconds(30)) throw new IOException("sshd does not start: " + await File.ReadAllTextAsync(Path.Combine(folder, "sshd.log")));
            await Task.Delay(20);
        }

        return new SshServer(process, port, $"ssh -F none -i {folder}/client -o IdentitiesOnly=yes -o UserKnownHostsFile={folder}/known -o BatchMode=yes -o LogLevel=ERROR");
    }

    /// <summary>Cuts every connection there is, as a pulled cable does; the server goes on.</summary>
    public async Task Cut()
    {
        var children = await Shell.Run("pgrep", "-P", _process.Id.ToString(CultureInfo.InvariantCulture));
        foreach (var id in children.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var session = Process.GetProcessById(int.Parse(id, CultureInfo.InvariantCulture));
            session.Kill(entireProcessTree: false);
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static async Task<bool> Listens(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
