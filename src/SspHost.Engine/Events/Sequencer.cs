// This program as a client of the ALSA sequencer: one port that listens to every port there is, and to those that come.
using System.Runtime.InteropServices;
using SspHost.Abi;
using Lib = SspHost.Engine.Events.SequencerLibrary;

namespace SspHost.Engine.Events;

/// <summary>
/// Opens, subscribes and closes; reading the events is the events thread's. Events are stamped by the kernel with the time of a queue of ours; how that
/// stands to CLOCK_MONOTONIC is looked at ten times a second. Only what is listened to passes the client's filter: no system exclusive data ever
/// waits to be read. [steward]
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Sequencer
{
    private const int ENoLibrary = 79; // ELIBACC: a shared library cannot be had
    private const ulong Second = 1_000_000_000;

    // The system call between two looks at the clock took no longer than this, or it was interrupted.
    private const ulong Quick = 200_000;

    private void* _handle, _clientInfo, _portInfo, _queueStatus;
    private int _client, _port, _queue;
    private long _offset;

    /// <summary>Opens it; 0 and its file, or an errno.</summary>
    public int Open(out int file)
    {
        file = -1;
        int device;
        fixed (byte* path = "/dev/snd/seq\0"u8) device = Linux.Open(path, EventCalls.ReadWrite | EventCalls.NonBlocking | EventCalls.CloseOnExec, 0);
        if (device < 0) return Marshal.GetLastSystemError();
        _ = Linux.Close(device); // libasound opens it by itself; it would read its configuration first to find that there is none
        if (!Lib.TryLoad()) return ENoLibrary;
        var error = Make(ref file);
        if (error < 0) Close();
        return -error;
    }

    /// <summary>Closes it, whatever of it is open.</summary>
    public void Close()
    {
        if (_handle != null) _ = Lib.Close(_handle);
        if (_clientInfo != null) Lib.FreeClientInfo(_clientInfo);
        if (_portInfo != null) Lib.FreePortInfo(_portInfo);
        if (_queueStatus != null) Lib.FreeQueueStatus(_queueStatus);
        this = default;
    }

    /// <summary>ns to be added to the queue's time for CLOCK_MONOTONIC; 0: not known yet.</summary>
    public long Offset()
    {
        var before = Linux.Now();
        if (Lib.QueueStatus(_handle, _queue, _queueStatus) < 0) return _offset;
        var after = Linux.Now();
        var time = Lib.StatusRealTime(_queueStatus);
        if (after - before <= Quick || _offset == 0) _offset = (long)(before + ((after - before) / 2)) - (long)((time[0] * Second) + time[1]);
        return _offset;
    }

    /// <summary>Listens to ports that are new, and strikes off those that are gone.</summary>
    public void Scan(MidiPort* ports)
    {
        var seen = 0UL;
        Lib.SetClient(_clientInfo, -1);
        while (Lib.NextClient(_handle, _clientInfo) >= 0)
        {
            var client = Lib.ClientOf(_clientInfo);
            if (client == _client || client == 0) continue; // the system's own ports only tell what comes and goes
            Lib.SetPortClient(_portInfo, client);
            Lib.SetPort(_portInfo, -1);
            while (Lib.NextPort(_handle, _portInfo) >= 0)
            {
                const uint Readable = Lib.CanRead | Lib.CanSubscribeRead;
                var capability = Lib.CapabilityOf(_portInfo);
                if ((capability & Readable) != Readable || (capability & Lib.NoExport) != 0) continue;
                if (Place(ports, client, Lib.PortOf(_portInfo)) is var place and > 0) seen |= 1UL << place;
            }
        }

        for (var p = EventsThread.Sources; p < MidiLimits.Ports; p++)
        {
            if (ports[p].State != MidiPortState.None && (seen >> p & 1) == 0) Strike(ports + p);
        }
    }

    /// <summary>The port is nobody's any more.</summary>
    public static void Strike(MidiPort* port)
    {
        Volatile.Write(ref port->Address, -1);
        port->State = MidiPortState.None;
    }

    // The place of a port, an old or a new one; 0: there is none left, or it cannot be listened to.
    private readonly int Place(MidiPort* ports, int client, int number)
    {
        var address = (client << 8) | number;
        var free = 0;
        for (var p = MidiLimits.Ports - 1; p >= EventsThread.Sources; p--)
        {
            if (ports[p].State == MidiPortState.None) free = p;
            else if (ports[p].Address == address) return p;
        }

        if (free == 0 || Lib.ConnectFrom(_handle, _port, client, number) < 0) return 0;
        var port = ports + free;
        *port = new MidiPort { Kind = MidiPortKind.SequencerPort, Address = -1 };
        Call(port, Lib.ClientNameOf(_clientInfo), Lib.PortNameOf(_portInfo));
        port->State = MidiPortState.Open;
        Volatile.Write(ref port->Address, address); // last: the events thread looks for it
        return free;
    }

    // "Client: port", or the port's name alone where it begins with the client's.
    private static void Call(MidiPort* port, byte* client, byte* name)
    {
        var at = 0;
        if (client != null && name != null && !BeginsWith(name, client))
        {
            Append(port, ref at, client);
            fixed (byte* between = ": \0"u8) Append(port, ref at, between);
        }

        if (name != null) Append(port, ref at, name);
        port->Hash = MidiPorts.Hash(MemoryMarshal.CreateReadOnlySpan(ref port->Name[0], at));
    }

    private static bool BeginsWith(byte* text, byte* start)
    {
        for (; *start != 0; text++, start++)
        {
            if (*text != *start) return false;
        }

        return true;
    }

    private static void Append(MidiPort* port, ref int at, byte* text)
    {
        for (; *text != 0 && at < MidiLimits.NameBytes - 1; text++) port->Name[at++] = *text;
    }

    private int Make(ref int file)
    {
        int error;
        fixed (void** handle = &_handle)
        fixed (byte* name = "hw\0"u8) error = Lib.Open(handle, name, Lib.Duplex, Lib.NonBlock);
        if (error < 0) return error;
        fixed (void** info = &_clientInfo) error = Lib.NewClientInfo(info);
        fixed (void** info = &_portInfo) error = Math.Min(error, Lib.NewPortInfo(info));
        fixed (void** status = &_queueStatus) error = Math.Min(error, Lib.NewQueueStatus(status));
        if (error < 0) return error;
        _client = Lib.ClientId(_handle);
        fixed (byte* name = "ssp\0"u8) _ = Lib.SetClientName(_handle, name);
        foreach (var type in Heard) _ = Lib.SetEventFilter(_handle, type);
        if ((_queue = Lib.AllocateQueue(_handle)) < 0) return _queue;
        fixed (byte* name = "in\0"u8) Lib.SetPortName(_portInfo, name);
        Lib.SetCapability(_portInfo, Lib.CanWrite | Lib.CanSubscribeWrite);
        Lib.SetType(_portInfo, Lib.GenericMidi | Lib.Software | Lib.Application);
        Lib.SetStamping(_portInfo, 1);
        Lib.SetStampReal(_portInfo, 1);
        Lib.SetStampQueue(_portInfo, _queue);
        if ((error = Lib.CreatePort(_handle, _portInfo)) < 0) return error;
        _port = Lib.PortOf(_portInfo);
        if ((error = Lib.ControlQueue(_handle, _queue, Lib.StartQueue, 0, null)) < 0) return error;
        _ = Lib.Drain(_handle);
        const int System = 0, Announcements = 1;
        if ((error = Lib.ConnectFrom(_handle, _port, System, Announcements)) < 0) return error;
        const short In = 1;
        var poll = 0UL; // struct pollfd: the file, and twice two bytes
        if ((error = Lib.PollFiles(_handle, &poll, 1, In)) < 1) return error < 0 ? error : -1;
        file = (int)poll;
        return 0;
    }

    private static ReadOnlySpan<byte> Heard =>
    [
        SequencerEvent.NoteOn, SequencerEvent.NoteOff, SequencerEvent.KeyPressure, SequencerEvent.Controller, SequencerEvent.Program,
        SequencerEvent.Pressure, SequencerEvent.Bend, SequencerEvent.Controller14, SequencerEvent.NonRegistered, SequencerEvent.Registered,
        SequencerEvent.Start, SequencerEvent.Continue, SequencerEvent.Stop, SequencerEvent.Clock, SequencerEvent.ClientStart,
        SequencerEvent.ClientExit, SequencerEvent.ClientChange, SequencerEvent.PortStart, SequencerEvent.PortExit, SequencerEvent.PortChange,
    ];
}
