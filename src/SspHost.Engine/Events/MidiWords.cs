// A message in the engine's own words: which event, which key or controller, and how much.
using SspHost.Abi;

namespace SspHost.Engine.Events;

/// <summary>MIDI 1.0 messages as events for modules.</summary>
internal static class MidiWords
{
    /// <summary>Kinds of <see cref="MidiMessage.Kind"/>.</summary>
    public const int NoteOff = 0x80, NoteOn = 0x90, KeyPressure = 0xA0, Controller = 0xB0, Program = 0xC0, Pressure = 0xD0, Bend = 0xE0,
        Clock = 0xF8, Start = 0xFA, Continue = 0xFB, Stop = 0xFC;

    /// <summary>Controllers: the sustain pedal, and all notes off.</summary>
    public const byte Pedal = 64, AllNotesOff = 123;

    // A note that is ended by a note-on without velocity was let go neither fast nor slowly.
    private const byte UsualRelease = 64;

    /// <summary>The event a message is; Kind None where modules hear nothing of it.</summary>
    public static ModuleEvent EventOf(MidiMessage m)
    {
        var e = new ModuleEvent { Channel = m.Kind < 0xF0 ? (byte)m.Channel : (byte)0, Index = m.First, Value = m.Second / 127f };
        switch (m.Kind)
        {
            case NoteOn when m.Second > 0:
                e.Kind = EventKind.NoteOn;
                break;
            case NoteOn:
                (e.Kind, e.Value) = (EventKind.NoteOff, UsualRelease / 127f);
                break;
            case NoteOff:
                e.Kind = EventKind.NoteOff;
                break;
            case KeyPressure:
                e.Kind = EventKind.KeyPressure;
                break;
            case Controller:
                e.Kind = EventKind.Controller;
                break;
            case Pressure:
                (e.Kind, e.Index, e.Value) = (EventKind.Pressure, 0, m.First / 127f);
                break;
            case Bend:
                var bend = (m.First | (m.Second << 7)) - 8192;
                (e.Kind, e.Index, e.Value) = (EventKind.PitchBend, 0, bend < 0 ? bend / 8192f : bend / 8191f); // both ends are reached
                break;
            case Clock or Start or Continue or Stop:
                e.Kind = m.Kind switch { Clock => EventKind.Clock, Start => EventKind.Start, Continue => EventKind.Continue, _ => EventKind.Stop };
                (e.Index, e.Value) = (0, 0);
                break;
            default:
                return default;
        }

        return e;
    }
}
