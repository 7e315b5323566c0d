// An arm64 machine that starts as the board does: U-Boot from Debian, board/boot.cmd, a slot. All there is of it is a serial line and a plug.
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using SspHost.Target.Kit;

namespace SspHost.Target.Updates;

/// <summary>Ended when disposed.</summary>
internal sealed class UBootMachine : IDisposable
{
    private const string Prompt = "\n# ";

    private readonly Process _process;
    private readonly Socket _line;
    private readonly StringBuilder _said = new();
    private int _commands;

    private UBootMachine(Process process, Qmp monitor, Socket line) => (_process, Monitor, _line) = (process, monitor, line);

    public Qmp Monitor { get; }

    /// <summary>All that the serial line has said.</summary>
    public string Said => _said.ToString();

    /// <summary>Switches it on. <paramref name="state"/>: goes on from a state that was saved in the disk, which is qcow2 then.</summary>
    public static UBootMachine Start(string disk, string directory, string? state = null)
    {
        Directory.CreateDirectory(directory);
        string qmp = Path.Combine(directory, "qmp"), serial = Path.Combine(directory, "serial");
        File.Delete(qmp);
        File.Delete(serial);
        string[] arguments =
        [
            "-M", "virt", "-cpu", "cortex-a72", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "768", "-nodefaults", "-display", "none",
            "-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin",
            "-drive", $"file={disk},if=none,id=disk,format={(disk.EndsWith(".img", StringComparison.Ordinal) ? "raw" : "qcow2")},cache=unsafe", "-device", "virtio-blk-device,drive=disk", "-device", "qemu-xhci,id=usb",
            "-chardev", $"socket,id=line,path={serial},server=on,wait=on", "-serial", "chardev:line", "-qmp", $"unix:{qmp},server=on,wait=off",
            .. state is null ? Array.Empty<string>() : ["-loadvm", state],
        ];
        var process = Process.Start(new ProcessStartInfo("qemu-system-aarch64", arguments) { RedirectStandardError = true })!;
        var line = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                line.Connect(new UnixDomainSocketEndPoint(serial)); // it waits for this before anything runs, so that nothing said is lost
                return new UBootMachine(process, Connect(qmp), line);
            }
            catch (SocketException) when (clock.Elapsed < TimeSpan.FromSeconds(30) && !process.HasExited)
            {
                Thread.Sleep(20);
            }
        }
    }

    /// <summary>Takes U-Boot the two seconds in which it waits for a key, and the drives that it would look for before the disk.</summary>
    public UBootMachine Hasten()
    {
        Expect("Hit any key", TimeSpan.FromSeconds(60));
        Send("\n");
        Expect("=> ", TimeSpan.FromSeconds(30));
        Send("run bootcmd_virtio0\n");
        return this;
    }

    /// <summary>Waits until the kernel is started; the slot that U-Boot has chosen, with " trial" where it is one.</summary>
    public string Chosen()
    {
        Hasten();
        return Choice();
    }

    /// <summary>The same for a start that goes on by itself.</summary>
    public string Choice(int from = 0)
    {
        Expect("Starting kernel|resetting", TimeSpan.FromSeconds(120), from);
        var said = Said[from..];
        var starts = Regex.Matches(said, "ssp: slot (?<slot>[ab]) +(?<trial>ssp.trial=1 )?starts", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));
        return !said.Contains("Starting kernel", StringComparison.Ordinal) ? "none" : starts[^1].Groups["slot"].Value + (starts[^1].Groups["trial"].Success ? " trial" : "");
    }

    /// <summary>Starts to where a shell answers.</summary>
    public UBootMachine ToShell()
    {
        Hasten();
        Expect(Prompt, TimeSpan.FromSeconds(240));
        return this;
    }

    /// <summary>Runs a script in it; what it printed. Fails where it ends with another code than 0.</summary>
    public string Run(string script, int seconds = 60)
    {
        var mark = string.Create(CultureInfo.InvariantCulture, $"E{++_commands}N");
        var from = _said.Length;
        Send($"echo {mark[..1]}''{mark[1..]}; ({script}) 2>&1; echo {mark[..1]}''{mark[1..]}=$?\n"); // what is echoed of this is not what it prints
        Expect(mark + @"=\d+\r?\n", TimeSpan.FromSeconds(seconds), from);
        var text = Said[from..];
        var end = Regex.Match(text, mark + @"=(\d+)", RegexOptions.None, TimeSpan.FromSeconds(5));
        Assert.True(end.Groups[1].Value == "0", $"{script}: {text}");
        text = text[..end.Index];
        return text[(text.IndexOf(mark, StringComparison.Ordinal) + mark.Length)..].Replace("\r", "", StringComparison.Ordinal).Trim();
    }

    /// <summary>Starts something and does not wait for it.</summary>
    public void Send(string text) => _line.Send(Encoding.ASCII.GetBytes(text));

    /// <summary>Reads until an expression is there.</summary>
    public void Expect(string expression, TimeSpan patience, int from = 0)
    {
        var clock = Stopwatch.StartNew();
        var block = new byte[8192];
        while (!Regex.IsMatch(_said.ToString(from, _said.Length - from), expression, RegexOptions.None, TimeSpan.FromSeconds(5)))
        {
            var left = patience - clock.Elapsed;
            if (left < TimeSpan.Zero) throw new IOException($"'{expression}' was not said within {patience.TotalSeconds:0} s; the end of what was:\n{Said[Math.Max(0, Said.Length - 3000)..]}");
            if (!_line.Poll(TimeSpan.FromMilliseconds(500), SelectMode.SelectRead)) continue;
            var n = _line.Receive(block);
            if (n == 0) throw new IOException($"the machine has ended before it said '{expression}':\n{Said[Math.Max(0, Said.Length - 3000)..]}");
            _said.Append(Encoding.Latin1.GetString(block, 0, n));
        }
    }

    /// <summary>Pulls the plug.</summary>
    public void Cut()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) Cut();
        Monitor.Dispose();
        _line.Dispose();
        _process.Dispose();
    }

    private static Qmp Connect(string path)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                return Qmp.Connect(path);
            }
            catch (SocketException) when (i < 500)
            {
                Thread.Sleep(20);
            }
        }
    }
}
