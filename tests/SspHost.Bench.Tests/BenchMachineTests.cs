// The machine of a file of results, read from machines made of files: a board, a server, a virtual machine, one that says nothing.
using SspHost.Diagnostics;
using SspHost.Diagnostics.Benching;

namespace SspHost.Bench.Tests;

public sealed class BenchMachineTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ssp-machine-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_board_is_known_by_its_device_tree_and_its_cores_by_their_parts()
    {
        Put("proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd03\n\nprocessor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd03\n\nprocessor\t: 4\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n");
        Put("proc/device-tree/model", "Pine64 RockPro64 v2.1\0");
        Put("proc/version", "Linux version 6.12.1-rt (x@y) #1 SMP PREEMPT_RT Fri\n");
        Put("proc/sys/kernel/osrelease", "6.12.1-rt\n");
        Put("proc/meminfo", "MemTotal:        3973000 kB\nMemFree:  1 kB\n");
        Put("sys/devices/system/cpu/online", "0-5\n");
        Put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil\n");
        Put("sys/devices/system/cpu/cpu4/cpufreq/scaling_governor", "performance\n");
        var m = Read();
        Assert.Equal(("arm 0x41 0xd03 + arm 0x41 0xd08", 6, "6.12.1-rt PREEMPT_RT"), (m.Cpu, m.Cores, m.Kernel));
        Assert.Equal(("performance,schedutil", "none", "Pine64 RockPro64 v2.1", 3973000L << 10), (m.Governor, m.Virtual, m.Board, m.MemoryBytes));
        Assert.Equal("2026-01-31T20:15:00Z", m.Date);
    }

    [Theory]
    [InlineData("QEMU", "Standard PC (Q35 + ICH9, 2009)", "qemu")]
    [InlineData("Microsoft Corporation", "Virtual Machine", "hyper-v")]
    [InlineData("VMware, Inc.", "VMware7,1", "vmware")]
    [InlineData("Dell Inc.", "Latitude 7490", "none")]
    public void Without_a_flag_of_the_processor_the_maker_says_whether_a_machine_is_real(string vendor, string product, string expected)
    {
        Put("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz\nflags\t\t: fpu sse\n");
        Put("sys/class/dmi/id/sys_vendor", vendor + "\n");
        Put("sys/class/dmi/id/product_name", product + "\n");
        var m = Read();
        Assert.Equal((expected, "Some CPU @ 2 GHz", $"{vendor} {product}"), (m.Virtual, m.Cpu, m.Board));
    }

    [Fact]
    public void A_machine_that_says_nothing_still_makes_a_file_that_can_be_read()
    {
        var m = Read();
        Assert.Equal(("?", 1, "?", "none", "none", 0L, ""), (m.Cpu, m.Cores, m.Kernel, m.Governor, m.Virtual, m.MemoryBytes, m.Board));
        Put("proc/cpuinfo", $"model name : {new string('x', 5000)}\u0001\n");
        m = Read();
        Assert.Equal(200, m.Cpu.Length);
        var file = new BenchFile { Bench = "b", Machine = m };
        Assert.Equal(m, BenchFile.Parse(file.ToUtf8(), "memory").Machine);
    }

    [Fact]
    public void This_machine_is_read_as_its_kernel_has_it()
    {
        var m = BenchMachine.Read();
        Assert.Equal(m.Kernel.Split(' ')[0], File.ReadAllText("/proc/sys/kernel/osrelease").Trim());
        Assert.True(m.MemoryBytes > 64L << 20);
        Assert.Equal(File.ReadAllText("/proc/cpuinfo").Contains(" hypervisor", StringComparison.Ordinal), m.Virtual != "none");
        Assert.True(m.IsLike(BenchMachine.Read()));
        Assert.False(m.IsLike(m with { Board = m.Board + "2" }));
        Assert.False(m.IsLike(m with { Cores = m.Cores + 1 }));
        Assert.True(m.IsLike(m with { Kernel = "another", Ssp = "9", Governor = "x" })); // what may change on a machine
    }

    private BenchMachine Read() => BenchMachine.Read(new SystemFiles(_root), realTime: true, new DateTime(2026, 1, 31, 20, 15, 0, DateTimeKind.Utc));

    private void Put(string path, string text)
    {
        path = Path.Combine(_root, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
