// Reads one process and its threads: three small files a thread, opened when the thread is first seen and closed when it is gone.
using System.Globalization;

namespace SspHost.Diagnostics;

/// <summary>Not thread-safe. <paramref name="root"/>: where /proc is; tests have one of their own.</summary>
internal sealed unsafe class ProcessProbe(string root = "/proc") : IDisposable
{
    /// <summary>Threads kept of a process; those with higher tids are counted only.</summary>
    public const int MaxThreads = 128;

    private const int FilesEvery = 10; // open files are counted each second: that walks a directory
    private readonly Dictionary<int, ThreadFiles> _threads = [];
    private readonly int[] _tids = new int[MaxThreads];
    private readonly List<int> _gone = [];
    private readonly byte[] _buffer = new byte[8192];
    private ProcFile? _stat, _status, _tasks, _files;
    private int _pid;
    private int _round;
    private int _fileCount = -1;

    /// <summary>Why a source gives nothing, by its name; empty while all do.</summary>
    public Dictionary<string, string> Missing { get; } = new(StringComparer.Ordinal);

    /// <summary>Files held open.</summary>
    public int Held => (_stat != null ? 4 : 0) + (_threads.Count * 3);

    /// <summary>Reads process <paramref name="pid"/> (0: there is none) into <paramref name="sample"/>.</summary>
    public void Take(int pid, ProcessSample sample)
    {
        sample.Clear();
        if (pid != _pid || _stat == null) Open(pid);
        if (pid <= 0) return;
        if (!ReadProcess(sample))
        {
            Open(pid); // another process may have got its number
            if (!ReadProcess(sample)) return;
        }

        sample.Pid = pid;
        var all = _tasks!.Numbers(_tids);
        if (all < 0)
        {
            Missing["threads"] = _tasks.Reason;
            return;
        }

        _ = Missing.Remove("threads");
        var kept = Math.Min(all, MaxThreads);
        if (sample.Threads.Length < kept) sample.Threads = new ThreadSample[(kept + 15) & ~15];
        foreach (var tid in _tids.AsSpan(0, kept))
        {
            ref var thread = ref sample.Threads[sample.Count];
            if (ReadThread(tid, ref thread)) sample.Count++;
        }

        sample.LeftOut = all - kept;
        CloseVanished(_tids.AsSpan(0, kept));
    }

    public void Dispose()
    {
        Close();
        _pid = 0;
    }

    private void Open(int pid)
    {
        Close();
        Missing.Clear();
        _pid = pid;
        if (pid <= 0)
        {
            Missing["process"] = "it does not run";
            return;
        }

        var directory = Path.Combine(root, pid.ToString(CultureInfo.InvariantCulture));
        _stat = new ProcFile(Path.Combine(directory, "stat"));
        _status = new ProcFile(Path.Combine(directory, "status"));
        _tasks = new ProcFile(Path.Combine(directory, "task"));
        _files = new ProcFile(Path.Combine(directory, "fd"));
        _round = 0;
        if (!_stat.IsOpen) Missing["process"] = _stat.Error == 2 ? "it does not run" : _stat.Reason;
        if (!_files.IsOpen && _stat.IsOpen) Missing["files"] = _files.Reason;
    }

    private void Close()
    {
        foreach (var t in _threads.Values) t.Dispose();
        _threads.Clear();
        _stat?.Dispose();
        _status?.Dispose();
        _tasks?.Dispose();
        _files?.Dispose();
        (_stat, _status, _tasks, _files, _fileCount) = (null, null, null, null, -1);
    }

    private bool ReadProcess(ProcessSample sample)
    {
        if (_stat == null || !ProcText.TryStat(_stat.Read(_buffer), out var stat)) return false;
        (sample.Start, sample.MinorFaults, sample.MajorFaults) = (stat.Start, stat.MinorFaults, stat.MajorFaults);
        var status = _status!.Read(_buffer);
        sample.Resident = Kilobytes(status, "VmRSS:"u8);
        sample.Locked = Kilobytes(status, "VmLck:"u8);
        sample.Swapped = Kilobytes(status, "VmSwap:"u8);
        if (status.IsEmpty) Missing["status"] = _status.Reason;
        else _ = Missing.Remove("status");
        if (_round++ % FilesEvery == 0) _fileCount = _files!.Numbers([]);
        sample.Files = _fileCount;
        return true;
    }

    private static long Kilobytes(ReadOnlySpan<byte> status, ReadOnlySpan<byte> field) => ProcText.TryField(status, field, out var kb) && kb < 1UL << 50 ? (long)kb * 1024 : -1;

    private bool ReadThread(int tid, ref ThreadSample thread)
    {
        thread = default;
        if (!_threads.TryGetValue(tid, out var files)) _threads[tid] = files = new ThreadFiles(Task(tid));
        if (!ProcText.TryStat(files.Stat.Read(_buffer), out var stat))
        {
            // The thread is gone and another has its number, or none has.
            files.Dispose();
            _threads[tid] = files = new ThreadFiles(Task(tid));
            if (!ProcText.TryStat(files.Stat.Read(_buffer), out stat)) return false;
        }

        thread.Tid = tid;
        (thread.Start, thread.Core, thread.Policy, thread.Priority, thread.State) = (stat.Start, stat.Core, stat.Policy, stat.Priority, stat.State);
        (thread.MinorFaults, thread.MajorFaults, thread.Ticks) = (stat.MinorFaults, stat.MajorFaults, stat.UserTicks + stat.SystemTicks);
        fixed (byte* name = thread.Name)
            _buffer.AsSpan(stat.NameStart, Math.Min(stat.NameLength, ThreadSample.NameBytes - 1)).CopyTo(new Span<byte>(name, ThreadSample.NameBytes));
        thread.HasSched = ProcText.TrySchedStat(files.Sched.Read(_buffer), out thread.CpuNs, out thread.WaitNs, out thread.Slices);
        if (thread.HasSched) _ = Missing.Remove("schedstat");
        else Missing["schedstat"] = files.Sched.Reason + ": CPU time counts in ticks of 10 ms, waiting for a core is not known";
        var status = files.Status.Read(_buffer);
        thread.HasSwitches = ProcText.TryField(status, "voluntary_ctxt_switches:"u8, out thread.Voluntary) && ProcText.TryField(status, "nonvoluntary_ctxt_switches:"u8, out thread.Involuntary);
        if (thread.HasSwitches) _ = Missing.Remove("switches");
        else Missing["switches"] = files.Status.Reason;
        return true;
    }

    private string Task(int tid) => string.Create(CultureInfo.InvariantCulture, $"{root}/{_pid}/task/{tid}/");

    private void CloseVanished(ReadOnlySpan<int> alive)
    {
        if (_threads.Count == alive.Length) return;
        _gone.Clear();
        foreach (var tid in _threads.Keys)
            if (alive.BinarySearch(tid) < 0) _gone.Add(tid);
        foreach (var tid in _gone)
        {
            _threads[tid].Dispose();
            _ = _threads.Remove(tid);
        }
    }

    private sealed class ThreadFiles(string directory) : IDisposable
    {
        public readonly ProcFile Stat = new(directory + "stat"), Sched = new(directory + "schedstat"), Status = new(directory + "status");

        public void Dispose()
        {
            Stat.Dispose();
            Sched.Dispose();
            Status.Dispose();
        }
    }
}
