// An LV2 plugin as the control process found it, for the engine that loads its binary: what no descriptor says.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>What goes through a port of an LV2 plugin. The same numbers in lv2.c.</summary>
public enum Lv2PortKind
{
    /// <summary>Audio, a sample of 1 is 5 V.</summary>
    AudioIn = 0,
    AudioOut = 1,

    /// <summary>Control voltage, a sample of 1 is 1 V.</summary>
    CvIn = 2,
    CvOut = 3,

    /// <summary>One number a quantum.</summary>
    ControlIn = 4,
    ControlOut = 5,

    /// <summary>A sequence of events.</summary>
    AtomIn = 6,
    AtomOut = 7,

    /// <summary>Optional and of a kind that is not known here: connected to nothing.</summary>
    Unused = 8,
}

/// <summary>A port of an LV2 plugin.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Lv2Port
{
    public Lv2PortKind Kind;

    /// <summary>Number of our input, output, parameter or telemetry float; -1: none. Atom inputs: what they take, less 1: 1 MIDI, 2 <c>time:Position</c>.</summary>
    public int Index;

    /// <summary>Value of a control that is no parameter.</summary>
    public float Value;

    /// <summary>Bytes of an event sequence; of a parameter, what the plugin's own values are to be multiplied by where presets state them.</summary>
    public int Bytes;
}

/// <summary>Properties of an LV2 plugin.</summary>
[Flags]
public enum Lv2PluginFlags : uint
{
    None = 0,

    /// <summary>Setting 0 says how many instances play side by side, one for each channel of the cables.</summary>
    Voices = 1,

    /// <summary>It is missing or does harm: silence is played in its place, and the state it was given is kept.</summary>
    Silent = 4,

    /// <summary>It has jobs to be done off the RT threads.</summary>
    Worker = 8,
}

/// <summary>A plugin; its ports follow. In a <see cref="LibraryLoad"/> the plugins follow the descriptors, one for each, in the same order.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Lv2Plugin
{
    /// <summary>Bytes of <see cref="Uri"/>, terminating zero included.</summary>
    public const int UriBytes = 512;

    /// <summary>Bytes of this and its ports: a multiple of 8.</summary>
    public long Bytes;
    public Lv2PluginFlags Flags;
    public int Ports;

    /// <summary>The output that tells the latency in frames; -1: none.</summary>
    public int LatencyPort;

    /// <summary>Most bytes of saved state; 0: it has none.</summary>
    public int StateBytes;

    /// <summary>Our parameter that is the tempo in beats a minute where there is no clock; -1: it does not ask for musical time.</summary>
    public int Tempo;

    /// <summary>Our input that takes the pulses of a clock, and our setting that says how many come a beat; -1: none.</summary>
    public int Clock;

    /// <inheritdoc cref="Clock"/>
    public int Pulses;
    private readonly int _reserved;
    public fixed byte Uri[UriBytes];

    /// <summary>Directory of its bundle, a slash at its end.</summary>
    public fixed byte Bundle[LibraryRecord.PathBytes];

    /// <summary>Path of its binary.</summary>
    public fixed byte Binary[LibraryRecord.PathBytes];

    /// <summary>Its ports.</summary>
    public static Lv2Port* PortsOf(Lv2Plugin* plugin) => (Lv2Port*)(plugin + 1);

    /// <summary>Bytes of one with so many ports.</summary>
    public static long BytesFor(int ports) => (sizeof(Lv2Plugin) + ((long)ports * sizeof(Lv2Port)) + 7) & ~7L;
}
