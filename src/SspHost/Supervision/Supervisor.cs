// Keeps an engine running: attaches to one or starts one, notices within milliseconds when it dies, starts it again.
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Supervision;

/// <summary>A death as it was found.</summary>
/// <param name="How">How the process ended; null where it was not this process's child and nobody can tell.</param>
/// <param name="Suspects">Modules that were running when it died, the one the engine itself blames first; may be empty.</param>
/// <param name="Hung">It served nobody any more and was ended for that; the suspect is the module its steward did not come back from.</param>
/// <param name="Stood">Its audio stood still and it was ended for that; nobody knows who kept it.</param>
internal sealed record EngineDeath(int Pid, ChildEnd? How, IReadOnlyList<EngineFault> Suspects, bool Hung = false, bool Stood = false)
{
    /// <summary>Whether somebody outside ended it.</summary>
    public bool FromOutside => !Hung && !Stood && How is { FromOutside: true };
}

/// <summary>What the supervisor tells whoever owns the patch. Called on its own thread, one call at a time.</summary>
internal interface ISupervised
{
    /// <summary>The engine died. Its region is still mapped during this call: whoever uses it lets go now.</summary>
    void Died(EngineDeath death);

    /// <summary>A new engine serves, with nothing in it.</summary>
    void Restarted();

    /// <summary>Its steward is inside a module for long: playing goes on, but no edit is served. Said once; if it goes on, the engine is started anew.</summary>
    void Waits(EngineFault module, TimeSpan since);

    /// <summary>It could not be started; another try follows in <paramref name="next"/>.</summary>
    void CannotStart(Exception why, TimeSpan next);
}

/// <summary>Owns the engine process of a runtime directory from the control side.</summary>
internal sealed unsafe class Supervisor : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan[] Retries = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)];

    // A module's construct or work may load or compute something; edits wait for it meanwhile, the music does not.
    private static readonly TimeSpan WaitsTooLong = TimeSpan.FromSeconds(2), Hangs = TimeSpan.FromSeconds(10);

    // Counted in looks, not in time: whoever stops this process as well, or the whole machine, has stopped the looks too.
    private const int LookMs = 100, StillLooks = 30;

    private readonly string _runtime;
    private readonly int _regionMib;
    private readonly EngineSlot _slot;
    private readonly ManualResetEventSlim _stop = new();
    private Thread? _watch;
    private int _pid;
    private long _start;
    private long _logFrom;

    private readonly bool _bound;

    /// <param name="bound">The engine ends with this process, however that ends.</param>
    public Supervisor(string runtime, int regionMib, EngineSlot slot, bool bound = false)
    {
        _bound = bound;
        _runtime = runtime;
        _regionMib = regionMib;
        _slot = slot;
    }

    /// <summary>Pid of the engine.</summary>
    public int Pid => Volatile.Read(ref _pid);

    /// <summary>Start time of the engine in clock ticks: with the pid it names the process.</summary>
    public long StartTime => Volatile.Read(ref _start);

    /// <summary>
    /// Attaches to the engine of the runtime directory, or starts one. True where it was running already.
    /// </summary>
    public bool Ensure()
    {
        if (EngineFile.TryRead(_runtime) is { } file && file.IsAlive())
        {
            // The log up to here is an earlier one's: a fault this engine already wrote would have been its last line.
            _logFrom = EngineLog.Length(Path.Combine(_runtime, EngineLog.FileName));
            Adopt(EngineLink.Attach(_runtime));
            return true;
        }

        Start();
        return false;
    }

    /// <summary>Starts watching.</summary>
    public void Watch(ISupervised owner)
    {
        _watch = new Thread(() => WatchLoop(owner)) { IsBackground = true, Name = "supervisor" };
        _watch.Start();
    }

    /// <summary>Stops watching: what ends from now on was meant to.</summary>
    public void StopWatching()
    {
        _stop.Set();
        if (_watch != null && _watch != Thread.CurrentThread) _watch.Join();
        _watch = null;
    }

    public void Dispose()
    {
        StopWatching();
        if (_pid != 0) _ = EngineLauncher.TryReap(_pid);
        _stop.Dispose();
    }

    private void Start()
    {
        _logFrom = EngineLog.Length(Path.Combine(_runtime, EngineLog.FileName));
        _ = EngineLauncher.Launch(_runtime, _regionMib, Patience, bound: _bound);
        _logFrom = Math.Min(_logFrom, EngineLog.Length(Path.Combine(_runtime, EngineLog.FileName)));
        Adopt(EngineLink.Attach(_runtime));
    }

    private void Adopt(EngineLink link)
    {
        var pid = link.Process!.Pid;
        Volatile.Write(ref _pid, pid);
        Volatile.Write(ref _start, EngineProcess.StartTimeOf(pid));
        _slot.Put(link);
    }

    private void WatchLoop(ISupervised owner)
    {
        while (!_stop.IsSet)
        {
            using var process = EngineProcess.Open(_pid, _start);
            EngineFault? hung = null;
            var (told, stood, played, still) = (0UL, false, 0UL, 0);
            while (process is { } p && !p.Wait(LookMs))
            {
                if (_stop.IsSet) return;
                if (hung != null || stood) continue;
                var quanta = Played();
                still = quanta == played && quanta != 0 ? still + 1 : 0;
                played = quanta;
                if (still >= StillLooks && !IsTraced(_pid))
                {
                    stood = true;
                    _ = p.Signal(9);
                    continue;
                }

                if (Visit() is not { } visit) continue;
                var since = TimeSpan.FromMilliseconds((Linux.Now() - visit.Since) / 1e6);
                if (since > WaitsTooLong && told != visit.Since)
                {
                    told = visit.Since;
                    owner.Waits(visit.Module, since);
                }

                if (since <= Hangs) continue;
                hung = visit.Module;
                _ = p.Signal(9);
            }

            if (_stop.IsSet) return;
            var death = Examine();
            if (hung is { } guilty) death = death with { Hung = true, Suspects = [guilty] };
            if (stood) death = death with { Stood = true };
            owner.Died(death);
            _slot.Put(null); // after everybody let go of the region
            for (var attempt = 0; !_stop.IsSet; attempt++)
            {
                try
                {
                    Start();
                    break;
                }
                catch (Exception e) when (e is EngineGoneException or EngineTimeoutException or EngineTakenException or IOException or InvalidDataException or EngineRefusedException)
                {
                    var pause = Retries[Math.Min(attempt, Retries.Length - 1)];
                    owner.CannotStart(e, pause);
                    if (_stop.Wait(pause)) return;
                }
            }

            if (!_stop.IsSet) owner.Restarted(); // an engine that dies in here is found dead by the next round
        }
    }

    // Quanta that an engine has played which ought to play; 0: it need not go on (nobody wants it to, or its device is gone).
    private ulong Played() => AudioProgress.Read(_slot) is (EngineState.Playing, false, var quanta) ? quanta : 0;

    // Somebody debugs it: then it may stand.
    private static bool IsTraced(int pid)
    {
        try
        {
            return File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status")).FirstOrDefault(l => l.StartsWith("TracerPid:", StringComparison.Ordinal))
                is { } line && line.AsSpan()[10..].Trim() is not "0";
        }
        catch (IOException)
        {
            return false; // it ended
        }
    }

    // The module that the engine's steward is inside of, and since when on CLOCK_MONOTONIC.
    private (EngineFault Module, ulong Since)? Visit() => _slot.Try<(EngineFault, ulong)?>(
        link =>
        {
            var header = link.Map.Header;
            var since = Volatile.Read(ref header->StewardSince);
            if (since == 0 || since > Linux.Now()) return null;
            var name = Text(new ReadOnlySpan<byte>(header->StewardName, InstanceRecord.NameBytes));
            var module = new EngineFault(name.Length > 0 ? name : TypeOf(link, header->StewardModule), header->StewardKey, 0);
            return Volatile.Read(ref header->StewardSince) == since ? (module, since) : null; // else it has come back meanwhile
        },
        otherwise: null);

    private static string TypeOf(EngineLink link, int module)
    {
        var types = link.ReadDescriptors();
        return (uint)module < (uint)types.Count ? types[module].Id : "";
    }

    // The region outlives the engine: what its threads were running stands in their records.
    private EngineDeath Examine()
    {
        ChildEnd? how = null;
        for (var i = 0; i < 50 && how == null; i++) // the pidfd speaks a moment before the parent may reap
        {
            how = EngineLauncher.TryReap(_pid);
            if (how == null && EngineProcess.StartTimeOf(_pid) == 0 && i > 5) break;
            if (how == null) Thread.Sleep(1);
        }

        var suspects = new List<EngineFault>();
        if (EngineLog.LastFault(Path.Combine(_runtime, EngineLog.FileName), _logFrom) is { } blamed) suspects.Add(blamed);
        else if (how is not { FromOutside: true })
            _slot.Try(
                link =>
                {
                    // What the steward was in when it died: making a module, or loading a library.
                    if (Visit() is { } visit) suspects.Add(visit.Module);
                    for (var i = 0; i < Limits.MaxThreads; i++)
                    {
                        var current = Volatile.Read(ref link.Map.Threads[i].Current);
                        if (link.Map.Threads[i].Tid == 0 || current is <= 0 or > Limits.MaxInstances) continue;
                        var record = link.Map.Instances[current - 1];
                        if (record.State != InstanceState.Free) suspects.Add(new EngineFault(NameOf(in record), record.Key, how?.Signal ?? 0));
                    }

                    return true;
                },
                otherwise: false);
        return new EngineDeath(_pid, how, suspects);
    }

    private static string NameOf(in InstanceRecord record)
    {
        fixed (byte* name = record.Name) return Text(new ReadOnlySpan<byte>(name, InstanceRecord.NameBytes));
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        return System.Text.Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
