// What irq.sh finds and sets, in a /proc and a /sys of the test's own; that a kernel does as told is seen in the virtual machine.
using SspHost.Target.DeviceTree;
using SspHost.Target.Kit;

namespace SspHost.Target.Irq;

[Trait("Runs", "always")]
public sealed class IrqTests : IDisposable
{
    private readonly string _at = Directory.CreateTempSubdirectory("ssp-irq-").FullName;

    public IrqTests()
    {
        Write("proc/interrupts", """
                       CPU0       CPU1
              9:          0          0   IO-APIC   9-fasteoi   acpi
             28:       4711          0   PCI-MSI 49152-edge      snd_hda_intel:card0
             34:        815          0     GICv3  37 Level     ff6d0000.dma-controller
             35:          1          0     GICv3  38 Level     ff6e0000.dma-controller
             40:         12          0   PCI-MSI 65536-edge      xhci_hcd

            """);
        foreach (var irq in new[] { 9, 28, 34, 35, 40 }) Write($"proc/irq/{irq}/smp_affinity_list", "0-5\n");
        Thread(101, "irq/28-snd_hda_");
        Thread(102, "irq/34-ff6d0000");
        Thread(103, "irq/40-xhci_hcd");
        Thread(104, "ssp-audio");
        Write("sys/devices/system/cpu/isolated", "4-5\n");
        for (var core = 0; core < 2; core++) Write($"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor", core == 0 ? "schedutil\n" : "performance\n");
        // A chrt that keeps what it was told where the kernel would.
        Write("bin/chrt", """
            #!/bin/sh
            if [ "$1" = -f ]; then echo "$3" >"$SSP_PROC/$4/priority"; exit; fi
            read -r priority <"$SSP_PROC/$2/priority"
            [ "$priority" = 0 ] && policy=SCHED_OTHER || policy=SCHED_FIFO
            echo "pid $2's current scheduling policy: $policy"
            echo "pid $2's current scheduling priority: $priority"

            """);
        File.SetUnixFileMode(Path.Combine(_at, "bin/chrt"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    public void Dispose() => Directory.Delete(_at, recursive: true);

    [Fact]
    public void On_the_board_it_is_the_DMA_controller_of_its_I2S_and_no_other_on_the_last_isolated_core()
    {
        Assert.Equal(["irq: 34 (ff6d0000.dma-controller): core 5, thread 102 FIFO 85", "irq: 1 cores are governed by performance now"], Run());
        Assert.Equal(("5", "0-5"), (Read("proc/irq/34/smp_affinity_list"), Read("proc/irq/35/smp_affinity_list")));
        Assert.Equal(("85", "0", "0"), (Priority(102), Priority(101), Priority(104)));
        Assert.Equal(("performance", "performance"), (Governor(0), Governor(1)));
    }

    [Fact]
    public void Twice_is_as_good_as_once_and_says_so()
    {
        _ = Run();
        Assert.Equal(["irq: 34 (ff6d0000.dma-controller): core 5 as before, thread 102 FIFO 85 as before"], Run());
    }

    [Fact]
    public void In_a_PC_it_is_the_cards_own_interrupt_by_its_bus()
    {
        Write("proc/interrupts", File.ReadAllText(Path.Combine(_at, "proc/interrupts")).Replace("ff6d0000", "fe000000", StringComparison.Ordinal));
        Card(0, "pci0000:00/0000:00:1b.0", ("msi_irqs/28", "edge\n"), ("irq", "11\n"));
        Assert.Equal("irq: 28 (snd_hda_intel:card0): core 5, thread 101 FIFO 85", Run()[0]);
    }

    [Fact]
    public void A_card_on_USB_has_that_of_its_controller_which_is_named_once()
    {
        Card(0, "pci0000:00/0000:00:14.0", ("irq", "40\n"));
        Card(1, "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0");
        Card(2, "pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0");
        Assert.Equal(["irq: 34 (ff6d0000.dma-controller): core 5, thread 102 FIFO 85", "irq: 40 (xhci_hcd): core 5, thread 103 FIFO 85"], Run().Take(2));
    }

    [Fact]
    public void Names_numbers_core_priority_and_governor_are_settings()
    {
        Assert.Equal(
            ["irq: 28 (snd_hda_intel:card0): core 1, thread 101 FIFO 70", "irq: 40 (xhci_hcd): core 1, thread 103 FIFO 70"],
            Run(("SSP_IRQ", "snd_hda 40"), ("SSP_IRQ_CPU", "1"), ("SSP_IRQ_PRIORITY", "70"), ("SSP_GOVERNOR", "")));
        Assert.Equal(("schedutil", "0"), (Governor(0), Priority(102)));
    }

    [Fact]
    public void Where_no_core_is_isolated_interrupts_stay_where_they_are()
    {
        Write("sys/devices/system/cpu/isolated", "\n");
        Assert.Equal("irq: 34 (ff6d0000.dma-controller): thread 102 FIFO 85", Run()[0]);
        Assert.Equal("0-5", Read("proc/irq/34/smp_affinity_list"));
    }

    [Fact]
    public void A_kernel_without_threads_for_interrupts_is_said()
    {
        Assert.Equal("irq: 9 (acpi): core 5, no thread (no PREEMPT_RT kernel, nor threadirqs on its command line)", Run(("SSP_IRQ", "9"))[0]);
    }

    [Fact]
    public void What_is_not_there_is_said_and_the_rest_is_done()
    {
        var (lines, errors) = RunBoth(("SSP_IRQ", "ff000000.nothing 77 28"));
        Assert.Equal(["irq: no interrupt is called ff000000.nothing", "irq: there is no interrupt 77"], errors);
        Assert.Equal("irq: 28 (snd_hda_intel:card0): core 5, thread 101 FIFO 85", lines[0]);
    }

    private void Write(string path, string text)
    {
        path = Path.Combine(_at, path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private string Read(string path) => File.ReadAllText(Path.Combine(_at, path)).Trim();

    private string Priority(int pid) => Read(FormattableString.Invariant($"proc/{pid}/priority"));

    private string Governor(int core) => Read(FormattableString.Invariant($"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"));

    private void Thread(int pid, string name)
    {
        Write(FormattableString.Invariant($"proc/{pid}/comm"), name + "\n");
        Write(FormattableString.Invariant($"proc/{pid}/priority"), "0\n");
    }

    private void Card(int number, string device, params (string File, string Text)[] files)
    {
        Directory.CreateDirectory(Path.Combine(_at, "sys/devices", device));
        foreach (var (file, text) in files) Write($"sys/devices/{device}/{file}", text);
        var card = Directory.CreateDirectory(Path.Combine(_at, FormattableString.Invariant($"sys/class/sound/card{number}"))).FullName;
        File.CreateSymbolicLink(Path.Combine(card, "device"), Path.Combine(_at, "sys/devices", device));
    }

    private string[] Run(params (string Name, string Value)[] settings)
    {
        var (lines, errors) = RunBoth(settings);
        Assert.Empty(errors);
        return lines;
    }

    private (string[] Lines, string[] Errors) RunBoth(params (string Name, string Value)[] settings)
    {
        var ran = Shell.Run(
            TimeSpan.FromSeconds(20), "env",
            [
                $"SSP_PROC={_at}/proc", $"SSP_SYS={_at}/sys", $"PATH={_at}/bin:{Environment.GetEnvironmentVariable("PATH")}", .. settings.Select(s => $"{s.Name}={s.Value}"),
                Path.Combine(Trees.Root, "deploy/systemd/irq.sh"),
            ]);
        Assert.True(ran.ExitCode == 0, ran.ToString());
        return (ran.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), ran.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
