// An arm64 machine whose GPIO lines are driven from outside: its device tree has the panel's names on the lines of its own PL061.
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using SspHost.Target.Kit;

namespace SspHost.Target.Pins;

/// <summary>`-M virt` with Debian's unmodified real-time kernel and our root file system; lines 0 to 2 are an encoder with its push, line 4 is a key of gpio-keys.</summary>
public sealed class PinMachine : IDisposable
{
    /// <summary>The lines.</summary>
    internal const int A = 0, B = 1, Push = 2, Key = 4;

    private const int MemoryMib = 768;
    private const string PendingEdges = "readl 0x9030418"; // GPIOMIS of the PL061
    private static readonly string[] Machine = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"];

    private readonly Guest _guest;
    private readonly Socket _qtest = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
    private readonly StreamReader _answers;
    private readonly string _chip;

    public PinMachine()
    {
        var directory = Path.Combine(TargetDisk.Directory, "pins");
        var made = Shell.Run(TimeSpan.FromMinutes(25), Path.Combine(TargetDisk.Root, "tests/target/Pins/make.sh"), directory);
        if (made.ExitCode != 0) throw new IOException($"make.sh: {made}");
        _guest = Guest.Start(new GuestOptions
        {
            Disk = new TargetDisk(Path.Combine(directory, "disk.img"), Path.Combine(directory, "vmlinuz"), Path.Combine(directory, "initrd.img"), Path.Combine(directory, "key")),
            Machine = Machine, Serial = "ttyAMA0", MemoryMib = MemoryMib, Time = GuestTime.InStep, Pins = true, Sound = [], Devices = [],
            More = ["-dtb", Tree(directory)], Arguments = "systemd.mask=ssp.service systemd.mask=ssp-update.path",
        });
        _qtest.Connect(new UnixDomainSocketEndPoint(Path.Combine(_guest.Directory, "qtest")));
        _answers = new StreamReader(new NetworkStream(_qtest), Encoding.ASCII);
        var nodes = _guest.Monitor.Ask("qom-list", new Dictionary<string, string> { ["path"] = "/machine/unattached" });
        _chip = "/machine/unattached/" + nodes.EnumerateArray().Single(n => n.GetProperty("type").GetString() == "child<pl061>").GetProperty("name").GetString();
        foreach (var line in new[] { A, B, Push, Key }) Set(line, high: true); // contacts are open, and something pulls up
        Calls = new RemoteCalls(_guest);
    }

    internal RemoteCalls Calls { get; }

    internal Guest Guest => _guest;

    /// <summary>Drives a line, and waits until the kernel has seen its edge.</summary>
    public void Set(int line, bool high)
    {
        Ask(string.Create(CultureInfo.InvariantCulture, $"set_irq_in {_chip} unnamed-gpio-in {line} {(high ? 1 : 0)}"));
        // The chip's own register of interrupts that nobody has served yet: the machine may be much slower than this one's clock.
        for (var i = 0; i < 5000 && Convert.ToUInt64(Ask(PendingEdges)[3..], 16) != 0; i++) Thread.Sleep(1);
    }

    /// <summary>Turns the encoder by detents of four edges, clockwise where positive: A leads. Each edge stands for so many ms.</summary>
    public void Turn(int detents, int edgeMs)
    {
        var (first, second) = detents > 0 ? (A, B) : (B, A);
        for (var d = 0; d < Math.Abs(detents); d++)
        {
            foreach (var (line, high) in new[] { (first, false), (second, false), (first, true), (second, true) })
            {
                Set(line, high);
                Thread.Sleep(edgeMs);
            }
        }
    }

    // One line there, one line back; lines about interrupts come in between.
    private string Ask(string line)
    {
        _qtest.Send(Encoding.ASCII.GetBytes(line + "\n"));
        while (_answers.ReadLine() is { } answer)
        {
            if (answer.StartsWith("OK", StringComparison.Ordinal)) return answer;
            if (!answer.StartsWith("IRQ", StringComparison.Ordinal)) throw new IOException($"{line}: {answer}");
        }

        throw new IOException($"{line}: the machine has ended");
    }

    public void Dispose()
    {
        Calls.Dispose();
        _answers.Dispose();
        _qtest.Dispose();
        _guest.Dispose();
    }

    // The machine's own tree, as QEMU makes it for this many cores and this much memory, and the panel's nodes.
    private static string Tree(string directory)
    {
        var (own, text, tree) = (Path.Combine(directory, "virt.dtb"), Path.Combine(directory, "pins.dts"), Path.Combine(directory, "pins.dtb"));
        Ok(Machine[0], "-M", $"virt,dumpdtb={own}", "-cpu", "cortex-a72", "-smp", "1", "-m", MemoryMib.ToString(CultureInfo.InvariantCulture), "-display", "none");
        var panel = $$"""
            / {
              pl061@9030000 { gpio-line-names = "ENC1_A", "ENC1_B", "ENC1_SW", "", "SOFT1"; };
              panel-keys { compatible = "gpio-keys"; label = "panel-keys";
                button-soft1 { label = "SOFT1"; linux,code = <59>; gpios = <&{/pl061@9030000} {{Key}} 1>; debounce-interval = <5>; };
              };
            };
            """;
        File.WriteAllText(text, Ok("dtc", "-q", "-I", "dtb", "-O", "dts", own) + panel);
        Ok("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree, text);
        return tree;
    }

    private static string Ok(string program, params string[] arguments)
    {
        var outcome = Shell.Run(TimeSpan.FromSeconds(30), program, arguments);
        return outcome.ExitCode == 0 ? outcome.Output : throw new IOException($"{program}: {outcome}");
    }
}
