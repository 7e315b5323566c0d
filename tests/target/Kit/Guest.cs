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
    /// <summary>What it starts from.</summary>
    public TargetDisk Disk { get; init; } = TargetDisk.Made;

    public GuestTime Time { get; init; } = GuestTime.Counted;

    public int MemoryMib { get; init; } = 1024;

    /// <summary>Kernel arguments beside those that every start has.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>The card whose sound is captured: an audio backend called `sound` and what plays into it.</summary>
    public IReadOnlyList<string> Sound { get; init; } = ["-audiodev", "none,id=sound,out.frequency=48000", "-device", "intel-hda", "-device", "hda-output,audiodev=sound"];

    /// <summary>The panel's display. Drawing on it takes half of what the emulated processor can do, so only machines that are looked at have one.</summary>
    public static readonly IReadOnlyList<string> Display = ["-device", "virtio-gpu-pci,xres=1600,yres=480"];

    /// <summary>The rest of what is plugged in.</summary>
    public IReadOnlyList<string> Devices { get; init; } = ["-device", "i6300esb", "-watchdog-action", "reset"];

    /// <summary>More plugged in than every machine has.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <summary>Whether pins and registers can be reached from outside (the socket `qtest` in <see cref="Guest.Directory"/>).</summary>
    public bool Pins { get; init; }

    /// <summary>The program and the machine it is, with its processor; for arm64 `qemu-system-aarch64 -M virt -cpu cortex-a72`.</summary>
    public IReadOnlyList<string> Machine { get; init; } = ["qemu-system-x86_64", "-M", "q35", "-cpu", "max"];

    /// <summary>Name of the serial port in the machine.</summary>
    public string Serial { get; init; } = "ttyS0";

    /// <summary>Whether what is written stays on the disk.</summary>
    public bool Keeps { get; init; }

    /// <summary>Home directory of QEMU's process, where the sound library looks for its configuration.</summary>
    public string? Home { get; init; }
}

/// <summary>Ended when disposed. A start that does not reach SSH is tried once more: one in a hundred hangs before anything of ours has run.</summary>
internal sealed class Guest : IDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(240); // 25 s where nothing else runs

    private readonly GuestOptions _options;
    private Process? _process;
    private Qmp? _monitor;
    private int _port, _recordings;

    private Guest(GuestOptions options) => _options = options;

    /// <summary>Sockets, console and recordings: a short path, because names of sockets are.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ssp-").FullName;

    public Qmp Monitor => _monitor ?? throw new InvalidOperationException("The machine was not started.");

    /// <summary>What the serial console has shown.</summary>
    public string Console => File.Exists(ConsoleFile) ? File.ReadAllText(ConsoleFile) : "";

    private string ConsoleFile => Path.Combine(Directory, "console.log");

    /// <summary>Starts a machine and waits until its SSH answers.</summary>
    public static Guest Start(GuestOptions options)
    {
        for (var attempt = 0; ; attempt++)
        {
            var guest = new Guest(options);
            try
            {
                guest.Launch();
                if (guest.Answers(StartPatience)) return guest;
            }
            catch
            {
                guest.Dispose();
                throw;
            }

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

    /// <summary>Starts a program in it, as root, that is talked to; whoever asks for it ends it.</summary>
    public Process Open(string command) =>
        Process.Start(new ProcessStartInfo("ssh", [.. SshOptions, "-p", Text(_port), "root@127.0.0.1", command]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    /// <summary>Writes a file in it.</summary>
    public void Put(string path, byte[] content)
    {
        var outcome = Shell.Run(TimeSpan.FromSeconds(120), content, "ssh", [.. SshOptions, "-p", Text(_port), "root@127.0.0.1", $"cat >{path}"]);
        if (outcome.ExitCode != 0) throw new IOException($"{path}: {outcome}");
    }

    /// <summary>Reads a file of it.</summary>
    public byte[] Get(string path)
    {
        var outcome = Run($"base64 -w 0 {path}", TimeSpan.FromSeconds(120));
        return outcome.ExitCode == 0 ? Convert.FromBase64String(outcome.Output) : throw new IOException($"{path}: {outcome}");
    }

    /// <summary>Records what the card plays from now on; the time it shows goes on only while something plays.</summary>
    public Recording Record()
    {
        var file = Path.Combine(Directory, $"{_recordings++}.wav");
        var answer = Monitor.Human($"wavcapture {file} sound 48000 16 2");
        return answer.Length == 0 ? new Recording(Monitor, file) : throw new IOException("wavcapture: " + answer);
    }

    /// <summary>What ssp-deploy is told so that it finds the machine.</summary>
    public (string Port, string Ssh) DeployTo => (Text(_port), "ssh " + string.Join(' ', SshOptions));

    /// <summary>Waits until it has switched itself off; pulls the plug where it does not.</summary>
    public void AwaitEnd(TimeSpan patience)
    {
        if (!_process!.WaitForExit(patience)) Cut();
    }

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
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private string[] SshOptions =>
    [
        "-i", _options.Disk.Key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=30", "-o", "BatchMode=yes",
    ];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Launch()
    {
        _port = FreePort();
        var qmp = Path.Combine(Directory, "qmp");
        var (accelerator, cores) = _options.Time switch
        {
            GuestTime.Counted => (new[] { "-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off" }, 1),
            GuestTime.InStep => (["-accel", "tcg,thread=single", "-icount", "shift=2,sleep=on"], 1),
            _ => (["-accel", "tcg,thread=multi"], 2),
        };
        var disk = _options.Disk;
        // norandmaps: QEMU translates a page of code again for every address at which a process has it.
        string[] arguments =
        [
            .. _options.Machine.Skip(1), .. accelerator, "-smp", Text(cores), "-m", Text(_options.MemoryMib), "-nodefaults", "-no-reboot", "-display", "none",
            "-kernel", disk.Kernel, "-initrd", disk.Initrd, "-append",
            $"console={_options.Serial} quiet norandmaps net.ifnames=0 mitigations=off vt.global_cursor_default=0 consoleblank=0 systemd.setenv=SSHD_OPTS=-oLoginGraceTime=0 "
                + $"root=PARTUUID={disk.Partition(2)} ro ssp.data=PARTUUID={disk.Partition(4)} ssp.slot=a {_options.Arguments}",
            "-drive", $"file={disk.Image},if=none,id=disk,format=raw,cache=unsafe,snapshot={(_options.Keeps ? "off" : "on")}", "-device", "virtio-blk-pci,drive=disk",
            "-netdev", $"user,id=net,hostfwd=tcp:127.0.0.1:{Text(_port)}-:22", "-device", "virtio-net-pci,netdev=net,romfile=",
            "-chardev", $"file,id=console,path={ConsoleFile}", "-serial", "chardev:console",
            "-qmp", $"unix:{qmp},server=on,wait=off",
            .. _options.Pins ? ["-qtest", $"unix:{Path.Combine(Directory, "qtest")},server=on,wait=off", "-qtest-log", "/dev/null"] : Array.Empty<string>(),
            .. _options.Sound, .. _options.Devices, .. _options.More,
        ];
        var start = new ProcessStartInfo(_options.Machine[0], arguments) { RedirectStandardError = true };
        if (_options.Home is { } home) start.Environment["HOME"] = home;
        _process = Process.Start(start)!;
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
