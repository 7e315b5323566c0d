// Bytes of a MIDI cable to messages: running status, real-time bytes in the middle of anything, system exclusive passed over.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Events;

/// <summary>A message: its status byte and what belongs to it; a missing byte is 0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct MidiMessage(byte Status, byte First = 0, byte Second = 0)
{
    /// <summary>Channel 0..15 of a channel message.</summary>
    public int Channel => Status & 15;

    /// <summary>Status without the channel: 0x80..0xE0 of channel messages, the status itself of system messages.</summary>
    public int Kind => Status < 0xF0 ? Status & 0xF0 : Status;
}

/// <summary>
/// The state of one cable. MIDI 1.0: a data byte without a status of its own goes with the last channel status; system messages end that, real-time
/// bytes do not. What makes no sense is passed over until the next status. [one thread]
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MidiParser
{
    private byte _status; // 0: data bytes are passed over
    private byte _first;
    private byte _has;
    private byte _exclusive;

    /// <summary>Bytes that belong to nothing: undefined ones, data without a status, messages cut off.</summary>
    public uint Noise;

    /// <summary>Takes a byte; true where it ends a message. End of exclusive, tune request and undefined bytes are no messages here.</summary>
    public bool Put(byte value, out MidiMessage message)
    {
        message = default;
        if (value >= 0xF8)
        {
            if (value is 0xF9 or 0xFD) // undefined
            {
                Noise++;
                return false;
            }

            message = new MidiMessage(value);
            return true;
        }

        if (value >= 0x80)
        {
            Noise += _has;
            _has = 0;
            _exclusive = value == 0xF0 ? (byte)1 : (byte)0;
            _status = value is 0xF0 or >= 0xF4 ? (byte)0 : value; // of system messages, 0xF1 to 0xF3 have data
            return false;
        }

        if (_status == 0)
        {
            Noise += 1u - _exclusive;
            return false;
        }

        if (_has == 0 && Length(_status) == 2)
        {
            _first = value;
            _has = 1;
            return false;
        }

        message = _has == 0 ? new MidiMessage(_status, value) : new MidiMessage(_status, _first, value);
        _has = 0;
        if (_status >= 0xF0) _status = 0; // no running status of system messages
        return true;
    }

    // Data bytes of a status that has any.
    private static int Length(byte status) => status is (>= 0xC0 and < 0xE0) or 0xF1 or 0xF3 ? 1 : 2;
}
