// A virtual machine that starts a disk of ours: its monitor, its console, and a shell in it over SSH.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SspHost.Target.Kit;

/// <summary>How time goes by in the machine.</summary>
internal enum GuestTime
{
    /// <summary>Counted in instructions, 2 ns each, idle time skipped: nothing else on this machine can make anything in it late. One core.</summary>
    Counted,

    /// <summary>Counted in instructions, in step with the host's clock where it can: for what is driven from outside. One core.</summary>
    InStep,

    /// <summary>The host's own; two cores. Nothing about time can be concluded.</summary>
    Free,
}

/// <summary>What a machine is made of.</summary>
internal sealed record GuestOptions
{
    public required string Disk { get; init; }

    public required string Kernel { get; init; }

    public required string Initrd { get; init; }

    /// <summary>The private key whose public half the disk has.</summary>
    public required string Key { get; init; }

    /// <summary>Where sockets, console and captures go: a short path, because socket names are.</summary>
    public required string Directory { get; init; }

    public GuestTime Time { get; init; } = GuestTime.Counted;

    public int MemoryMib { get; init; } = 1024;

    /// <summary>Kernel arguments beside those that every start has.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>More of QEMU's.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Whether what is written stays on the disk.</summary>
    public bool Keeps { get; init; }
}

/// <summary>Ended when disposed. A start that does not reach SSH is tried once more: one in a hundred hangs before anything of ours has run.</summary>
internal sealed class Guest : IDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(120);

    private readonly GuestOptions _options;
    private Process? _process;
    private Qmp? _monitor;
    private int _port;

    private Guest(GuestOptions options) => _options = options;

    public Qmp Monitor => _monitor ?? throw new InvalidOperationException("The machine was not started.");

    /// <summary>What the serial console has shown.</summary>
    public string Console => File.Exists(ConsoleFile) ? File.ReadAllText(ConsoleFile) : "";

    private string ConsoleFile => Path.Combine(_options.Directory, "console.log");

    /// <summary>Starts a machine and waits until its SSH answers.</summary>
    public static Guest Start(GuestOptions options)
    {
        for (var attempt = 0; ; attempt++)
        {
            var guest = new Guest(options);
            guest.Launch();
            if (guest.Answers(StartPatience)) return guest;
            var console = guest.Console;
            guest.Dispose();
            if (attempt > 0) throw new IOException($"the machine does not start; its console ends with:\n{console[Math.Max(0, console.Length - 4000)..]}");
        }
    }

    /// <summary>Runs a script in it, as root.</summary>
    public Outcome Run(string script, TimeSpan? patience = null) => RunAs("root", script, patience);

    /// <inheritdoc cref="Run"/>
    public Outcome RunAs(string user, string script, TimeSpan? patience = null) =>
        Shell.Run(patience ?? TimeSpan.FromSeconds(60), "ssh", [.. SshOptions, "-p", Text(_port), $"{user}@127.0.0.1", script]);

    /// <summary>What ssp-deploy is told so that it finds the machine.</summary>
    public (string Port, string Ssh) DeployTo => (Text(_port), "ssh " + string.Join(' ', SshOptions));

    /// <summary>Pulls the plug.</summary>
    public void Cut()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        _monitor?.Dispose();
        if (_process is { HasExited: false })
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process?.Dispose();
    }

    private string[] SshOptions =>
    [
        "-i", _options.Key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=5", "-o", "BatchMode=yes",
    ];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Launch()
    {
        Directory.CreateDirectory(_options.Directory);
        File.Delete(ConsoleFile);
        _port = FreePort();
        var qmp = Path.Combine(_options.Directory, "qmp");
        File.Delete(qmp);
        var (accelerator, cores) = _options.Time switch
        {
            GuestTime.Counted => (new[] { "-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off" }, 1),
            GuestTime.InStep => (["-accel", "tcg,thread=single", "-icount", "shift=2,sleep=on"], 1),
            _ => (["-accel", "tcg,thread=multi"], 2),
        };
        string[] arguments =
        [
            "-M", "q35", "-cpu", "max", .. accelerator, "-smp", Text(cores), "-m", Text(_options.MemoryMib), "-nodefaults", "-no-reboot", "-display", "none",
            "-kernel", _options.Kernel, "-initrd", _options.Initrd,
            "-append", $"console=ttyS0 quiet net.ifnames=0 mitigations=off vt.global_cursor_default=0 consoleblank=0 root=/dev/vda2 ro ssp.data=/dev/vda4 {_options.Arguments}",
            "-drive", $"file={_options.Disk},if=none,id=disk,format=raw,cache=unsafe,snapshot={(_options.Keeps ? "off" : "on")}", "-device", "virtio-blk-pci,drive=disk",
            "-netdev", $"user,id=net,hostfwd=tcp:127.0.0.1:{Text(_port)}-:22", "-device", "virtio-net-pci,netdev=net,romfile=",
            "-chardev", $"file,id=console,path={ConsoleFile}", "-serial", "chardev:console",
            "-qmp", $"unix:{qmp},server=on,wait=off", .. _options.Devices,
        ];
        _process = Process.Start(new ProcessStartInfo("qemu-system-x86_64", arguments) { RedirectStandardError = true })!;
        var until = Stopwatch.StartNew();
        while (_monitor is null)
        {
            if (_process.HasExited) throw new IOException($"QEMU ended: {_process.StandardError.ReadToEnd()}");
            try
            {
                _monitor = Qmp.Connect(qmp);
            }
            catch (SocketException) when (until.Elapsed < TimeSpan.FromSeconds(30))
            {
                Thread.Sleep(50);
            }
        }
    }

    private bool Answers(TimeSpan patience)
    {
        var until = Stopwatch.StartNew();
        while (until.Elapsed < patience && !_process!.HasExited)
        {
            if (Run("true", TimeSpan.FromSeconds(20)).ExitCode == 0) return true;
            Thread.Sleep(250);
        }

        return false;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
