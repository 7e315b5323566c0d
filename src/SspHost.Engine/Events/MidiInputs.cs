// The sources of MIDI as the steward keeps them: opened, looked for while they are away, closed; and the thread that reads them.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Memory;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Events;

/// <summary>Made at start-up; the thread starts with the first sources. Nothing here allocates managed memory after that. [steward]</summary>
public sealed unsafe class MidiInputs
{
    private const int Priority = 70, Stack = Region.StackCount - 1;
    private const ulong Millisecond = 1_000_000;
    private const ulong LookInterval = 500 * Millisecond, AnchorInterval = 100 * Millisecond, Patience = 500 * Millisecond;
    private const int NotOneOfThese = 22; // EINVAL

    private readonly Region _region;
    private readonly MidiPort* _ports;
    private readonly MidiSource* _sources;
    private readonly Place* _places;
    private readonly EventsThread* _thread;
    private readonly RtThread* _rt;
    private readonly Sequencer* _sequencer;
    private readonly int _core, _bell;
    private ulong _nextAnchor;

    /// <summary>Takes its places in the pool. [start-up]</summary>
    public MidiInputs(Region region)
    {
        _region = region;
        _ports = region.Map.MidiPorts;
        _core = CoreChoice.Housekeeping(Topology.Read());
        _bell = EventCalls.EventFile(0, EventCalls.NonBlocking | EventCalls.CloseOnExec);
        _sources = (MidiSource*)Take(EventsThread.Sources * sizeof(MidiSource));
        _places = (Place*)Take(EventsThread.Sources * sizeof(Place));
        _thread = (EventsThread*)Take(sizeof(EventsThread));
        _rt = (RtThread*)Take(sizeof(RtThread));
        _sequencer = (Sequencer*)Take(sizeof(Sequencer));
        var lines = (MidiLine*)Take(MidiLimits.Ports * sizeof(MidiLine));
        var rows = (ControllerRow*)Take(MidiLimits.Controllers * sizeof(ControllerRow));
        *_thread = new EventsThread(region.Map, _sources, _bell, new MidiListener(region.Map, lines, rows));
        for (var s = 0; s < EventsThread.Sources; s++) _sources[s].File = -1;
        for (var p = 0; p < MidiLimits.Ports; p++) _ports[p].Address = -1;
        _sources[0].IsSequencer = 1;
        _ports[0].Kind = MidiPortKind.Sequencer;
    }

    // What a source is wanted for.
    [StructLayout(LayoutKind.Sequential)]
    private struct Place
    {
        public int Wanted;
        public ulong NextLook;
        public fixed byte Path[MidiLimits.PathBytes];
    }

    /// <summary>
    /// Listens to these from now on. What was listened to before and is still wanted stays open. False: a thread could not be made, or a source is not
    /// given back.
    /// </summary>
    public bool Use(MidiConfig* config)
    {
        if (config->PathCount is < 0 or > MidiLimits.Paths) return false;
        for (var s = 1; s < EventsThread.Sources; s++) _places[s].Wanted = Find(config, s) >= 0 ? 1 : 0;
        _places[0].Wanted = config->Sequencer != 0 ? 1 : 0;
        if (!StartThread() || !GiveBack()) return false;
        for (var i = 0; i < config->PathCount; i++)
        {
            var path = config->Paths + (i * MidiLimits.PathBytes);
            path[MidiLimits.PathBytes - 1] = 0;
            var name = config->Names + (i * MidiLimits.NameBytes);
            name[MidiLimits.NameBytes - 1] = 0;
            if (*path == 0 || Has(path)) continue;
            for (var s = 1; s < EventsThread.Sources; s++)
            {
                if (_places[s].Wanted != 0) continue;
                _places[s] = new Place { Wanted = 1 };
                for (var b = 0; b < MidiLimits.PathBytes; b++) _places[s].Path[b] = path[b];
                Call(s, name);
                break;
            }
        }

        if (_places[0].Wanted != 0 && _ports[0].State == MidiPortState.None)
        {
            fixed (byte* name = "sequencer\0"u8) Call(0, name);
        }

        Look(Linux.Now());
        return true;
    }

    /// <summary>Closes what was left, looks for what is away, and asks the sequencer for its time. Often.</summary>
    public void Look(ulong now)
    {
        var changed = false;
        for (var s = 0; s < EventsThread.Sources; s++)
        {
            if (_sources[s].IsLeft) Close(s, now);
            if (_places[s].Wanted == 0 || !_sources[s].IsClosed || now < _places[s].NextLook) continue;
            _places[s].NextLook = now + LookInterval;
            changed |= s == 0 ? OpenSequencer() : OpenPath(s);
        }

        if (!_sources[0].IsClosed && !_sources[0].IsLeft)
        {
            if (Volatile.Read(ref _sources[0].Changed) != 0)
            {
                Volatile.Write(ref _sources[0].Changed, 0); // before looking: what comes meanwhile is looked at again
                _sequencer->Scan(_ports);
            }

            if (now >= _nextAnchor)
            {
                _nextAnchor = now + AnchorInterval;
                Volatile.Write(ref _sources[0].QueueOffset, _sequencer->Offset());
            }
        }

        if (changed) Ring();
    }

    /// <summary>Ends the thread; sources stay open until the process ends.</summary>
    public void Stop()
    {
        if (!_rt->IsRunning) return;
        _thread->Stop();
        Ring();
        _ = RtThread.TryEnd(_rt, 1000 * Millisecond);
    }

    /// <summary>Managed bytes that the thread has allocated: 0, or it is a defect.</summary>
    public long AllocatedBytes => (long)_region.Map.Midi->Thread.AllocatedBytes;

    private bool StartThread()
    {
        if (_rt->IsRunning) return true;
        var setup = new RtThreadSetup
        {
            Stack = _region.Stack(Stack, out var bytes), StackBytes = bytes, Arena = Stack + 1, Priority = Priority, Core = _core, Record = &_region.Map.Midi->Thread,
        };
        if (_bell < 0 || RtThread.Start(_rt, setup, "ssp-events"u8, &EventsThread.Run, _thread) != 0) return false;
        setup.Record->StackLocked = StackLock.IsLocked((byte*)setup.Stack, bytes) ? 1 : 0;
        return true;
    }

    // Sources that are not wanted any more, and their places.
    private bool GiveBack()
    {
        var asked = false;
        for (var s = 0; s < EventsThread.Sources; s++)
        {
            if (_places[s].Wanted != 0 || _sources[s].IsClosed) continue;
            _sources[s].Want();
            asked = true;
        }

        if (asked) Ring();
        var never = 0u;
        var until = Linux.Now() + Patience;
        for (var s = 0; s < EventsThread.Sources; s++)
        {
            if (_places[s].Wanted != 0) continue;
            while (!_sources[s].IsLeft && !_sources[s].IsClosed)
            {
                if (Linux.Now() > until) return false;
                Linux.Wait(&never, 0, Millisecond);
            }

            if (_sources[s].IsLeft) Close(s, Linux.Now());
            _ports[s].State = MidiPortState.None;
        }

        return true;
    }

    private void Close(int s, ulong now)
    {
        var port = _ports + s;
        if (s == 0)
        {
            for (var p = EventsThread.Sources; p < MidiLimits.Ports; p++) Sequencer.Strike(_ports + p);
            _sequencer->Close();
        }
        else
        {
            _ = Linux.Close(_sources[s].File);
        }

        (port->State, port->Error) = (MidiPortState.Absent, _sources[s].Error);
        _places[s].NextLook = now + LookInterval;
        _sources[s].Closed();
    }

    private bool OpenSequencer()
    {
        var error = _sequencer->Open(out var file);
        Say(0, error);
        if (error != 0) return false;
        _sequencer->Scan(_ports);
        _sources[0].QueueOffset = _sequencer->Offset();
        _sources[0].Offer(file);
        return true;
    }

    private bool OpenPath(int s)
    {
        const int FromCurrent = 1;
        var file = Linux.Open(_places[s].Path, EventCalls.ReadOnly | EventCalls.NonBlocking | EventCalls.NoTerminal | EventCalls.CloseOnExec, 0);
        if (file < 0)
        {
            Say(s, Marshal.GetLastSystemError());
            return false;
        }

        // What has a place in it is a file or a directory, or a device that is no cable: it would be read from the beginning again and again.
        if (Linux.Seek(file, 0, FromCurrent) >= 0)
        {
            _ = Linux.Close(file);
            Say(s, NotOneOfThese);
            return false;
        }

        TerminalMode.MakeRaw(file);
        Say(s, 0);
        _sources[s].Offer(file);
        return true;
    }

    private void Say(int s, int error)
    {
        const int ENoEntry = 2, ENoAddress = 6, ENoDevice = 19;
        _ports[s].Error = error;
        _ports[s].State = error switch
        {
            0 => MidiPortState.Open,
            ENoEntry or ENoAddress or ENoDevice => MidiPortState.Absent,
            _ => MidiPortState.Failed,
        };
    }

    private void Call(int s, byte* name)
    {
        var port = _ports + s;
        *port = new MidiPort { State = MidiPortState.Absent, Kind = port->Kind, Address = -1 };
        var at = 0;
        for (; name[at] != 0 && at < MidiLimits.NameBytes - 1; at++) port->Name[at] = name[at];
        port->Hash = MidiPorts.Hash(MemoryMarshal.CreateReadOnlySpan(ref port->Name[0], at));
    }

    // Index in the configuration of what a place listens to, or -1.
    private int Find(MidiConfig* config, int s)
    {
        if (_places[s].Path[0] == 0) return -1;
        for (var i = 0; i < config->PathCount; i++)
        {
            if (Same(config->Paths + (i * MidiLimits.PathBytes), _places[s].Path)) return i;
        }

        return -1;
    }

    private bool Has(byte* path)
    {
        for (var s = 1; s < EventsThread.Sources; s++)
        {
            if (_places[s].Wanted != 0 && Same(path, _places[s].Path)) return true;
        }

        return false;
    }

    private static bool Same(byte* a, byte* b)
    {
        for (var i = 0; i < MidiLimits.PathBytes; i++)
        {
            if (a[i] != b[i]) return false;
            if (a[i] == 0) return true;
        }

        return true;
    }

    private void Ring()
    {
        var one = 1UL;
        _ = EventCalls.Write(_bell, &one, sizeof(ulong));
    }

    private void* Take(long bytes)
    {
        var block = _region.Pool->Allocate(0, bytes, 0);
        if (block == null) throw new InsufficientMemoryException("the region is too small for the engine's own tables");
        new Span<byte>(block, checked((int)bytes)).Clear();
        return block;
    }
}
