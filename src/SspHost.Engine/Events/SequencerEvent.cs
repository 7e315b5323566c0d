// Events of the ALSA sequencer as the kernel hands them out, and the MIDI messages they stand for.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Events;

/// <summary>struct snd_seq_event of the kernel's ABI (sound/asequencer.h), 28 bytes; data of variable length follows in whole events.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal unsafe struct SequencerEvent
{
    public const int Bytes = 28;

    public const byte NoteOn = 6, NoteOff = 7, KeyPressure = 8, Controller = 10, Program = 11, Pressure = 12, Bend = 13, Controller14 = 14,
        NonRegistered = 15, Registered = 16, Start = 30, Continue = 31, Stop = 32, Clock = 36, ClientStart = 60, ClientExit = 61, ClientChange = 62,
        PortStart = 63, PortExit = 64, PortChange = 65;

    /// <summary>Most messages that one event stands for.</summary>
    public const int MostMessages = 4;

    private const byte RealTime = 1, Variable = 4, LengthMask = 12;

    [FieldOffset(0)] public byte Type;
    [FieldOffset(1)] public byte Flags;
    [FieldOffset(3)] public byte Queue;
    [FieldOffset(4)] public uint Seconds;
    [FieldOffset(8)] public uint Nanoseconds;
    [FieldOffset(12)] public byte SourceClient;
    [FieldOffset(13)] public byte SourcePort;

    // data.note
    [FieldOffset(16)] public byte Channel;
    [FieldOffset(17)] public byte Key;
    [FieldOffset(18)] public byte Velocity;

    // data.control
    [FieldOffset(20)] public uint Parameter;
    [FieldOffset(24)] public int Value;

    // data.ext
    [FieldOffset(16)] public uint Length;

    // data.addr
    [FieldOffset(16)] public byte AboutClient;
    [FieldOffset(17)] public byte AboutPort;

    /// <summary>Whether it carries the time of a queue in seconds and ns.</summary>
    public readonly bool IsStamped => (Flags & RealTime) != 0;

    /// <summary>Bytes that follow it.</summary>
    public readonly long Extra => (Flags & LengthMask) == Variable ? ((Length & 0x3FFF_FFFF) + (long)Bytes - 1) / Bytes * Bytes : 0;

    /// <summary>client * 256 + port that it came from.</summary>
    public readonly int Source => (SourceClient << 8) | SourcePort;

    /// <summary>The port that an announcement is about, as <see cref="Source"/>.</summary>
    public readonly int About => (AboutClient << 8) | AboutPort;

    /// <summary>Whether it says that a client or a port has come, gone or changed.</summary>
    public readonly bool IsAnnouncement => Type is >= ClientStart and <= PortChange;

    /// <summary>Writes the messages it stands for; how many. 0: none that is listened to. Values out of range are cut as libasound does it.</summary>
    public readonly int Messages(MidiMessage* into)
    {
        switch (Type)
        {
            case NoteOn or NoteOff or KeyPressure:
                *into = new MidiMessage((byte)((Type == NoteOn ? MidiWords.NoteOn : Type == NoteOff ? MidiWords.NoteOff : MidiWords.KeyPressure) | (Channel & 15)), Seven(Key), Seven(Velocity));
                return 1;
            case Controller:
                *into = Control((int)Parameter, Value);
                return 1;
            case Program or Pressure:
                *into = new MidiMessage((byte)((Type == Program ? MidiWords.Program : MidiWords.Pressure) | (Channel & 15)), Seven(Value));
                return 1;
            case Bend:
                var bend = Value + 8192;
                *into = new MidiMessage((byte)(MidiWords.Bend | (Channel & 15)), Seven(bend), Seven(bend >> 7));
                return 1;
            case Controller14 when Parameter < 32:
                into[0] = Control((int)Parameter, Value >> 7);
                into[1] = Control((int)Parameter + 32, Value);
                return 2;
            case Controller14:
                *into = Control((int)Parameter, Value);
                return 1;
            case NonRegistered or Registered:
                const int DataUpper = 6, DataLower = 38;
                var upper = Type == NonRegistered ? 99 : 101;
                into[0] = Control(upper, (int)Parameter >> 7);
                into[1] = Control(upper - 1, (int)Parameter);
                into[2] = Control(DataUpper, Value >> 7);
                into[3] = Control(DataLower, Value);
                return 4;
            case Start or Continue or Stop or Clock:
                *into = new MidiMessage((byte)(Type switch { Start => MidiWords.Start, Continue => MidiWords.Continue, Stop => MidiWords.Stop, _ => MidiWords.Clock }));
                return 1;
            default:
                return 0;
        }
    }

    private readonly MidiMessage Control(int number, int value) => new((byte)(MidiWords.Controller | (Channel & 15)), Seven(number), Seven(value));

    private static byte Seven(int value) => (byte)(value & 0x7F);
}
