// The phases of a soak: each makes the machine busy in its own way, begins and ends as often as its turn comes, and counts what it did.
using System.Globalization;
using SspHost.Abi.Link;
using SspHost.Diagnostics.Soak;
using SspHost.Supervision;

namespace SspHost.Soak;

/// <summary>A phase. Between <see cref="Begin"/> and <see cref="End"/> it does what it is named after.</summary>
internal abstract class SoakPhase(string name)
{
    public string Name { get; } = name;

    /// <summary>What it did, by what was counted, in all its turns.</summary>
    public Dictionary<string, long> Did { get; } = [];

    public abstract void Begin();

    /// <summary>Ends it. Null, or why it did not do what it should have.</summary>
    public abstract string? End();

    protected void Count(string what, long more) => Did[what] = Did.GetValueOrDefault(what) + more;
}

/// <summary>Nothing but the patch.</summary>
internal sealed class IdlePhase() : SoakPhase("idle")
{
    public override void Begin()
    {
    }

    public override string? End() => null;
}

/// <summary>A load in a process of its own (<see cref="SoakLoads"/>), which ends with this one however that ends.</summary>
internal abstract class LoadPhase(string name, string directory, params string[] arguments) : SoakPhase(name)
{
    private const int PatienceMs = 5000;

    private string _told = "";

    protected int Pid { get; private set; }

    public override void Begin()
    {
        _told = Path.Combine(directory, $"soak-{Name}.log");
        File.Delete(_told);
        Pid = EngineLauncher.Spawn([Environment.ProcessPath!, "experiment", "soak-load", Name, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), .. arguments], _told);
    }

    public override string? End()
    {
        if (Pid == 0) return null;
        Look();
        var early = EngineLauncher.TryReap(Pid);
        if (early == null)
        {
            using var process = EngineProcess.Open(Pid);
            _ = process?.Signal(9);
            _ = process?.Wait(PatienceMs);
            for (var i = 0; i < PatienceMs && EngineLauncher.TryReap(Pid) == null && process != null; i++) Thread.Sleep(1); // the pidfd speaks a moment before the parent may reap
        }

        Pid = 0;
        return early == null ? null : $"the load of phase {Name} ended by itself ({early}){(EngineLog.LastLine(_told, 0) is { } line ? ": " + line : "")}";
    }

    /// <summary>Counts what it did, while it still lives.</summary>
    protected abstract void Look();
}

/// <summary>Memory is filled, touched and swapped, caches are dropped.</summary>
internal sealed class MemoryPhase(string directory, double share, long most)
    : LoadPhase("memory", directory, share.ToString(CultureInfo.InvariantCulture), most.ToString(CultureInfo.InvariantCulture))
{
    private long _faults, _swapped, _dropped;

    public override void Begin()
    {
        (_faults, _swapped, _dropped) = (KernelCounters.Memory("pgfault"), KernelCounters.Memory("pswpout"), KernelCounters.Memory("drop_pagecache"));
        base.Begin();
    }

    protected override void Look()
    {
        Did["filledBytes"] = Math.Max(Did.GetValueOrDefault("filledBytes"), KernelCounters.ProcessBytes(Pid, "VmHWM"));
        Count("faults", KernelCounters.Memory("pgfault") - _faults);
        Count("pagesSwappedOut", KernelCounters.Memory("pswpout") - _swapped);
        Count("cachesDropped", KernelCounters.Memory("drop_pagecache") - _dropped);
    }
}

/// <summary>A file is written, each block waited for.</summary>
internal sealed class DiskPhase(string runtime, string data) : LoadPhase("disk", runtime, data)
{
    protected override void Look()
    {
        Count("writtenBytes", KernelCounters.Io(Pid, "wchar"));
        Count("deviceBytes", KernelCounters.Io(Pid, "write_bytes")); // 0 where the directory is in memory
        Count("writes", KernelCounters.Io(Pid, "syscw"));
    }
}

/// <summary>Two ends talk over the loopback device.</summary>
internal sealed class NetworkPhase(string directory) : LoadPhase("network", directory)
{
    private long _before;

    public override void Begin()
    {
        _before = KernelCounters.Loopback();
        base.Begin();
    }

    protected override void Look() => Count("receivedBytes", KernelCounters.Loopback() - _before);
}
