// MIDI in the region: the ports there are, what the events thread counts, what it heard, and which sources it is to listen to.
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Abi;

/// <summary>Sizes of MIDI.</summary>
public static class MidiLimits
{
    /// <summary>Devices named by path.</summary>
    public const int Paths = 16;

    /// <summary>Ports at once: 0 is the sequencer, 1 to Paths are the devices in the order of the slots they got, the rest the sequencer's ports.</summary>
    public const int Ports = 64;

    /// <summary>Bytes of a path and of a port's name, terminating zero included.</summary>
    public const int PathBytes = 128, NameBytes = 64;

    /// <summary>Rows of the table of controllers.</summary>
    public const int Controllers = 1024;

    /// <summary>Controllers that may have 14 bits: 0..31, their lower seven in the one 32 above.</summary>
    public const int FineControllers = 32;
}

/// <summary>What has become of a source.</summary>
public enum MidiPortState : int
{
    /// <summary>No such port.</summary>
    None = 0,

    /// <summary>It is heard.</summary>
    Open = 1,

    /// <summary>It is not there, or has gone; looked for once or twice a second. Error = an errno.</summary>
    Absent = 2,

    /// <summary>It is there and cannot be used. Error = an errno; looked at again as often.</summary>
    Failed = 3,
}

/// <summary>What a port is.</summary>
public enum MidiPortKind : int
{
    /// <summary>A device, FIFO or terminal that delivers the bytes of a MIDI cable.</summary>
    Path = 0,

    /// <summary>The sequencer itself: what comes from ports that are not among these counts here.</summary>
    Sequencer = 1,

    /// <summary>A port that the sequencer listens to.</summary>
    SequencerPort = 2,
}

/// <summary>A port. Name and state are the steward's, counters the events thread's.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MidiPort
{
    public MidiPortState State;

    public MidiPortKind Kind;

    /// <summary>Why it is not open; 0: no reason is known.</summary>
    public int Error;

    /// <summary>client * 256 + port, of a sequencer's port; else -1.</summary>
    public int Address;

    /// <summary><see cref="MidiPorts.Hash(ReadOnlySpan{byte})"/> of the name.</summary>
    public ulong Hash;

    /// <summary>Messages understood.</summary>
    public ulong Messages;

    /// <summary>Bytes that belong to no message, and events that were lost because nobody read them in time.</summary>
    public ulong Noise;

    /// <summary>UTF-8, zero-terminated.</summary>
    public fixed byte Name[MidiLimits.NameBytes];
}

/// <summary>Names of ports.</summary>
public static unsafe class MidiPorts
{
    /// <summary>FNV-1a of a name's bytes as far as a port keeps them; 0 of the empty name, which stands for any port.</summary>
    public static ulong Hash(ReadOnlySpan<byte> name)
    {
        if (name.Length >= MidiLimits.NameBytes) name = name[..(MidiLimits.NameBytes - 1)];
        if (name.IsEmpty) return 0;
        var hash = 14_695_981_039_346_656_037;
        foreach (var b in name) hash = (hash ^ b) * 1_099_511_628_211;
        return hash == 0 ? 1 : hash;
    }

    /// <inheritdoc cref="Hash(ReadOnlySpan{byte})"/>
    public static ulong Hash(string name) => Hash(Encoding.UTF8.GetBytes(name));

    /// <summary>The name of a port.</summary>
    public static string NameOf(in MidiPort port)
    {
        fixed (byte* name = port.Name)
        {
            var bytes = new ReadOnlySpan<byte>(name, MidiLimits.NameBytes);
            var end = bytes.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        }
    }
}

/// <summary>The events thread and what it counts.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MidiStatus
{
    /// <summary>The thread as it really runs.</summary>
    public ThreadRecord Thread;

    /// <summary>Messages that went to the audio thread, and moves of parameters that controllers made of them.</summary>
    public ulong Events, Moves;

    /// <summary>Messages that found the ring to the audio thread full, and those that came while nothing played.</summary>
    public ulong Dropped, Unplayed;

    /// <summary>Frames from a message to its sound, on top of the card's own: the same for all.</summary>
    public ulong LatencyFrames;
}

/// <summary>What was heard.</summary>
public enum HeardKind : uint
{
    None = 0,

    /// <summary>A controller: Number, Value 0..127.</summary>
    Controller = 1,

    /// <summary>A program change: Number.</summary>
    Program = 2,

    /// <summary>A controller moved a parameter: Row of the table of that Generation, Value in the parameter's unit.</summary>
    Moved = 3,

    /// <summary>The same where nothing plays, or the ring was full: the engine has not got it.</summary>
    Wanted = 4,
}

/// <summary>Something the control process acts on, 40 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Heard
{
    /// <summary>CLOCK_MONOTONIC in ns when it came.</summary>
    public ulong Time;

    /// <summary>Hash of its port's name.</summary>
    public ulong Port;

    public HeardKind Kind;

    /// <summary>Index of its port.</summary>
    public ushort PortIndex;

    /// <summary>MIDI channel 0..15.</summary>
    public byte Channel;

    public byte Number;

    public float Value;

    public uint Row;

    public uint Generation;

    private readonly uint _pad;
}

/// <summary>The sources to be listened to; the argument of <see cref="RequestKind.SetMidi"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MidiConfig
{
    /// <summary>1: the ALSA sequencer.</summary>
    public int Sequencer;

    public int PathCount;

    /// <summary>MidiLimits.Paths of PathBytes each, zero-terminated.</summary>
    public fixed byte Paths[MidiLimits.Paths * MidiLimits.PathBytes];

    /// <summary>What their ports are called; MidiLimits.Paths of NameBytes each.</summary>
    public fixed byte Names[MidiLimits.Paths * MidiLimits.NameBytes];

    /// <summary>Adds a device; false where there is no room, or the path is too long. A long name is cut.</summary>
    public bool TryAdd(string path, string name)
    {
        var bytes = Encoding.UTF8.GetBytes(path);
        if (PathCount >= MidiLimits.Paths || bytes.Length is 0 or >= MidiLimits.PathBytes || bytes.Contains((byte)0)) return false;
        fixed (byte* paths = Paths)
        fixed (byte* names = Names)
        {
            bytes.CopyTo(new Span<byte>(paths + (PathCount * MidiLimits.PathBytes), MidiLimits.PathBytes));
            var to = new Span<byte>(names + (PathCount * MidiLimits.NameBytes), MidiLimits.NameBytes);
            Encoding.UTF8.GetEncoder().Convert(name, to[..^1], flush: true, out _, out _, out _);
        }

        PathCount++;
        return true;
    }
}

/// <summary>The audio thread's clock against CLOCK_MONOTONIC, smoothed: at Time the card had counted Frame frames. Rate 0: nothing plays as time passes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FrameAnchor
{
    public ulong Frame, Time;

    /// <summary>Measured.</summary>
    public double NanosecondsPerFrame;

    /// <summary>Nominal, in Hz, and frames of a quantum.</summary>
    public int Rate, Quantum;
}
