// What becomes of a message: an event for the modules, moves of parameters, and word to the control process.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Events;

/// <summary>
/// Everything between a message with its time and the rings. Allocates nothing, waits for nobody. [events thread]
/// <para>
/// Controllers with 14 bits come as two messages, the upper half first. Between the two the value would leap, so the upper half waits for the lower
/// one; where none comes within <see cref="PatienceNs"/>, or another controller moves meanwhile, it counts with a lower half of 0, as MIDI 1.0 has it.
/// </para>
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MidiListener
{
    /// <summary>ns that an upper half waits. Both halves follow each other at once; a DIN cable takes 2 ms for them.</summary>
    public const ulong PatienceNs = 10_000_000;

    private const double Most7 = 127.0, Most14 = 16383.0;

    private readonly MidiStatus* _status;
    private readonly MidiPort* _ports;
    private readonly MidiLine* _lines;
    private readonly ControllerTable* _table;
    private readonly ControllerRow* _rows;
    private readonly SpscRing<ModuleEvent> _events;
    private readonly SpscRing<Heard> _heard;
    private ulong _sequence;
    private uint _generation;
    private int _count;
    private int _waiting;
    private bool _plays;

    /// <summary>The clock; its margin is set by whoever knows how fast this thread is served.</summary>
    public EventClock Clock;

    /// <param name="map">The region with the rings.</param>
    /// <param name="lines">MidiLimits.Ports of them.</param>
    /// <param name="rows">MidiLimits.Controllers of them: the copy of the table that is looked at.</param>
    public MidiListener(RegionMap map, MidiLine* lines, ControllerRow* rows)
    {
        _status = map.Midi;
        _ports = map.MidiPorts;
        _table = map.Controllers;
        _events = map.MidiEvents;
        _heard = map.Heard;
        Clock = new EventClock(map.FrameAnchor);
        _lines = lines;
        _rows = rows;
        for (var p = 0; p < MidiLimits.Ports; p++) lines[p].Clear();
    }

    /// <summary>ns until <see cref="Tend"/> is due; 0: nothing is.</summary>
    public readonly ulong Due(ulong now)
    {
        if (_waiting == 0) return 0;
        var due = PatienceNs;
        for (var p = 0; p < MidiLimits.Ports; p++)
        {
            var since = _lines[p].WaitsSince;
            if (since != 0) due = Math.Min(due, since + PatienceNs > now ? since + PatienceNs - now : 1);
        }

        return due;
    }

    /// <summary>Before a batch of messages: looks at the clock and at the table of controllers.</summary>
    public void Begin(ulong now)
    {
        _plays = Clock.Look(now);
        _status->LatencyFrames = Clock.LatencyFrames;
        if (_table->Sequence == _sequence) return;
        var count = ControllerTable.TryRead(_table, _rows, out var generation, out var sequence);
        if (count < 0)
        {
            _count = 0; // a row of both the old and the new table moves nothing
            _sequence = 0;
            return;
        }

        (_count, _generation, _sequence) = (count, generation, sequence);
    }

    /// <summary>A message of a port, that came at <paramref name="time"/> (CLOCK_MONOTONIC, ns).</summary>
    public void Take(int port, MidiMessage m, ulong time)
    {
        _ports[port].Messages++;
        var e = MidiWords.EventOf(m);
        if (e.Kind != EventKind.None) _ = Send(port, ref e, time);
        switch (m.Kind)
        {
            case MidiWords.NoteOn:
                _lines[port].Sounding |= (ushort)(1 << m.Channel);
                break;
            case MidiWords.Controller:
                Tell(HeardKind.Controller, port, m.Channel, m.First, m.Second, time);
                Turn(port, m.Channel, m.First, m.Second, time);
                break;
            case MidiWords.Program:
                Tell(HeardKind.Program, port, m.Channel, m.First, 0, time);
                break;
        }
    }

    /// <summary>Upper halves whose lower ones have not come.</summary>
    public void Tend(ulong now)
    {
        for (var p = 0; p < MidiLimits.Ports && _waiting > 0; p++)
        {
            var since = _lines[p].WaitsSince;
            if (since != 0 && now >= since + PatienceNs) GiveUpWaiting(p, now);
        }
    }

    /// <summary>The port is gone: what it played ends, pedals go up. Another one may take its place.</summary>
    public void Silence(int port, ulong now)
    {
        var line = _lines + port;
        for (var channel = 0; channel < 16; channel++)
        {
            if ((line->Sounding >> channel & 1) == 0) continue;
            var up = MidiWords.EventOf(new MidiMessage((byte)(MidiWords.Controller | channel), MidiWords.Pedal));
            var off = MidiWords.EventOf(new MidiMessage((byte)(MidiWords.Controller | channel), MidiWords.AllNotesOff));
            _ = Send(port, ref up, now);
            _ = Send(port, ref off, now);
        }

        if (line->WaitsSince != 0) GiveUpWaiting(port, now);
        line->Clear();
    }

    private void Turn(int port, int channel, int number, byte value, ulong time)
    {
        var line = _lines + port;
        Move(port, channel, number, fine: 0, value / Most7, time);
        if (number < MidiLimits.FineControllers)
        {
            if (line->WaitsSince != 0) GiveUpWaiting(port, time);
            line->KeepUpper(channel, number, value);
            if (!HasFine(port, channel, number)) return;
            (line->WaitsSince, line->WaitingNumber, line->WaitingChannel) = (Math.Max(time, 1), (byte)number, (byte)channel);
            _waiting++;
        }
        else if (number < 2 * MidiLimits.FineControllers)
        {
            number -= MidiLimits.FineControllers;
            if (line->WaitsSince != 0)
            {
                if (line->WaitingNumber == number && line->WaitingChannel == channel) StopWaiting(line);
                else GiveUpWaiting(port, time);
            }

            var upper = line->Upper(channel, number);
            if (upper >= 0) Move(port, channel, number, fine: 1, ((upper << 7) | value) / Most14, time);
        }
    }

    private void StopWaiting(MidiLine* line)
    {
        line->WaitsSince = 0;
        _waiting--;
    }

    private void GiveUpWaiting(int port, ulong time)
    {
        var line = _lines + port;
        StopWaiting(line);
        Move(port, line->WaitingChannel, line->WaitingNumber, fine: 1, (line->Upper(line->WaitingChannel, line->WaitingNumber) << 7) / Most14, time);
    }

    private readonly bool HasFine(int port, int channel, int number)
    {
        var hash = _ports[port].Hash;
        for (var r = 0; r < _count; r++)
        {
            if (_rows[r].Fine != 0 && _rows[r].Number == number && _rows[r].Hears(hash, channel)) return true;
        }

        return false;
    }

    private void Move(int port, int channel, int number, byte fine, double place, ulong time)
    {
        var hash = _ports[port].Hash;
        for (var r = 0; r < _count; r++)
        {
            var row = _rows + r;
            if (row->Number != number || row->Fine != fine || !row->Hears(hash, channel)) continue;
            var e = new ModuleEvent
            {
                Kind = EventKind.Parameter, Target = row->Target, Slot = row->Slot, Channel = (byte)channel, Index = row->Parameter, Value = row->ValueAt(place),
            };
            var moved = Send(port, ref e, time);
            if (moved) _status->Moves++;
            _ = _heard.TryPush(new Heard
            {
                Kind = moved ? HeardKind.Moved : HeardKind.Wanted, Time = time, Port = hash, PortIndex = (ushort)port, Channel = (byte)channel, Number = (byte)number, Value = e.Value,
                Row = (uint)r, Generation = _generation,
            });
        }
    }

    private void Tell(HeardKind kind, int port, int channel, byte number, float value, ulong time) => _ = _heard.TryPush(new Heard
    {
        Kind = kind, Time = time, Port = _ports[port].Hash, PortIndex = (ushort)port, Channel = (byte)channel, Number = number, Value = value,
    });

    private bool Send(int port, ref ModuleEvent e, ulong time)
    {
        if (!_plays)
        {
            _status->Unplayed++;
            return false;
        }

        var line = _lines + port;
        var frame = Clock.FrameOf(time);
        const ulong Correction = 64; // frames: more than that and the card began anew
        if (frame < line->LastFrame && line->LastFrame - frame < Correction) frame = line->LastFrame;
        e.Frame = line->LastFrame = frame;
        if (_events.TryPush(in e))
        {
            _status->Events++;
            return true;
        }

        _status->Dropped++;
        return false;
    }
}
