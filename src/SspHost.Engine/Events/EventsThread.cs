// The events thread: waits for MIDI on every open source, says when it came, and hands it to the listener.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Probes;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Events;

/// <summary>
/// Lives at a fixed address of the region. Its system calls are ppoll and read, once a wake-up and once a source that has something. Nobody can make it
/// spin: from a source that always has more it takes <see cref="MostBytes"/> in four milliseconds, some eighty MIDI cables' worth.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EventsThread
{
    /// <summary>The sequencer, and the devices.</summary>
    public const int Sources = 1 + MidiLimits.Paths;

    /// <summary>Bytes read at once: whole events of the sequencer.</summary>
    public const int MostBytes = 36 * SequencerEvent.Bytes;

    private const ulong Millisecond = 1_000_000, Second = 1000 * Millisecond;
    private const ulong Pause = 4 * Millisecond;
    private const short In = 1, Error = 8, HangUp = 16, Invalid = 32;
    private const int EIntr = 4, EAgain = 11, ENoDev = 19, ENoSpace = 28;

    // A stamp that says another time than this before it was read is no stamp.
    private const ulong MostDelay = 100 * Millisecond;

    private readonly MidiSource* _sources;
    private readonly MidiPort* _ports;
    private readonly ThreadRecord* _record;
    private readonly int _bell;
    private int _stop;
    private ThreadCounters _counters;
    private fixed byte _buffer[MostBytes];

    /// <summary>What becomes of messages.</summary>
    public MidiListener Listener;

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFile
    {
        public int File;
        public short Events, Happened;
    }

    /// <param name="map">The region.</param>
    /// <param name="sources"><see cref="Sources"/> of them.</param>
    /// <param name="bell">An eventfd: written when a source's turn has changed.</param>
    /// <param name="listener">What becomes of messages.</param>
    public EventsThread(RegionMap map, MidiSource* sources, int bell, in MidiListener listener)
    {
        _sources = sources;
        _ports = map.MidiPorts;
        _record = &map.Midi->Thread;
        _bell = bell;
        Listener = listener;
    }

    /// <summary>Sends it home at the next ring of the bell. [steward]</summary>
    public void Stop() => Volatile.Write(ref _stop, 1);

    /// <summary>The thread's life.</summary>
    public static void Run(void* thread) => ((EventsThread*)thread)->Run();

    private void Run()
    {
        var files = stackalloc PollFile[1 + Sources];
        Listener.Clock.MarginNs = _record->Policy == ThreadCalls.SchedFifo ? EventClock.RealTimeNs : EventClock.OrdinaryNs;
        _counters = ThreadCounters.Read();
        while (Volatile.Read(ref _stop) == 0)
        {
            var now = Linux.Now();
            var wait = Choose(files, now);
            var timeout = Linux.TimeSpec.FromNanoseconds(wait);
            var ready = EventCalls.Poll(files, 1 + Sources, &timeout, null);
            now = Linux.Now();
            Listener.Begin(now);
            if (ready > 0) Serve(files, now);
            Listener.Tend(now);
            Account();
        }

        for (var s = 0; s < Sources; s++)
        {
            if (_sources[s].TryRead()) Leave(s, 0, Linux.Now());
        }
    }

    // Says what is waited for, and how long at most.
    private ulong Choose(PollFile* files, ulong now)
    {
        var wait = Second;
        files[Sources] = new PollFile { File = _bell, Events = In };
        for (var s = 0; s < Sources; s++)
        {
            var source = _sources + s;
            files[s] = new PollFile { File = -1 };
            if (!source->TryRead()) continue;
            if (source->IsWanted) Leave(s, 0, now);
            else if (source->PausedUntil > now) wait = Math.Min(wait, source->PausedUntil - now);
            else files[s] = new PollFile { File = source->File, Events = In };
        }

        var due = Listener.Due(now);
        return due == 0 ? wait : Math.Min(wait, due);
    }

    private void Serve(PollFile* files, ulong now)
    {
        fixed (byte* buffer = _buffer)
        {
            if ((files[Sources].Happened & In) != 0) _ = ThreadCalls.Read(_bell, buffer, sizeof(ulong));
            for (var s = 0; s < Sources; s++)
            {
                var happened = files[s].Happened;
                if (files[s].File < 0 || happened == 0) continue;
                if ((happened & In) != 0) Read(s, buffer, now);
                else if ((happened & (Error | HangUp | Invalid)) != 0) Leave(s, ENoDev, now);
            }
        }
    }

    private void Read(int s, byte* buffer, ulong now)
    {
        var source = _sources + s;
        var got = ThreadCalls.Read(source->File, buffer, MostBytes);
        if (got > 0)
        {
            if (source->IsSequencer != 0) TakeEvents(source, (SequencerEvent*)buffer, (long)got, now);
            else TakeBytes(s, buffer, (int)got, now);
            if (got > MostBytes - SequencerEvent.Bytes) source->PausedUntil = now + Pause;
            return;
        }

        var error = got == 0 ? ENoDev : Marshal.GetLastSystemError();
        if (error is EIntr or EAgain) return;
        if (error == ENoSpace) _ports[s].Noise++; // the sequencer had more than its queue holds: what is left comes with the next reads
        else Leave(s, error, now);
    }

    private void TakeBytes(int s, byte* bytes, int count, ulong now)
    {
        var source = _sources + s;
        for (var i = 0; i < count; i++)
        {
            if (source->Parser.Put(bytes[i], out var message)) Listener.Take(s, message, now);
        }

        _ports[s].Noise += source->Parser.Noise - source->Noise;
        source->Noise = source->Parser.Noise;
    }

    private void TakeEvents(MidiSource* source, SequencerEvent* e, long bytes, ulong now)
    {
        var messages = stackalloc MidiMessage[SequencerEvent.MostMessages];
        while (bytes >= SequencerEvent.Bytes)
        {
            var next = SequencerEvent.Bytes + e->Extra;
            if (next > bytes) break;
            if (e->IsAnnouncement) Announced(source, e, now);
            else
            {
                var port = PortOf(e->Source);
                var time = TimeOf(e, Volatile.Read(ref source->QueueOffset), now);
                var count = e->Messages(messages);
                for (var m = 0; m < count; m++) Listener.Take(port, messages[m], time);
            }

            e = (SequencerEvent*)((byte*)e + next);
            bytes -= next;
        }
    }

    private void Announced(MidiSource* source, SequencerEvent* e, ulong now)
    {
        if (e->Type == SequencerEvent.PortExit && PortOf(e->About) is var port and > 0) Listener.Silence(port, now);
        Volatile.Write(ref source->Changed, 1);
    }

    /// <summary>When an event came: as the queue says, where that makes sense.</summary>
    public static ulong TimeOf(SequencerEvent* e, long queueOffset, ulong now)
    {
        if (!e->IsStamped || queueOffset == 0) return now;
        var time = (ulong)((long)(((ulong)e->Seconds * Second) + e->Nanoseconds) + queueOffset);
        return now - time <= MostDelay ? time : now;
    }

    // 0, the sequencer itself, for a port that it was not asked to listen to.
    private readonly int PortOf(int address)
    {
        for (var p = Sources; p < MidiLimits.Ports; p++)
        {
            if (Volatile.Read(ref _ports[p].Address) == address && _ports[p].State == MidiPortState.Open) return p;
        }

        return 0;
    }

    private void Leave(int s, int error, ulong now)
    {
        Listener.Silence(s, now);
        for (var p = Sources; p < MidiLimits.Ports && s == 0; p++) Listener.Silence(p, now);
        _sources[s].Leave(error);
    }

    private void Account()
    {
        var counters = ThreadCounters.Read();
        _record->Quanta++; // its wake-ups
        _record->Faults += counters.Faults - _counters.Faults;
        _record->Preemptions += counters.Preemptions - _counters.Preemptions;
        _record->AllocatedBytes += counters.AllocatedBytes - _counters.AllocatedBytes;
        _counters = counters;
    }
}
