// What is to be played: which module, how it is patched, for how long. Written by the tests, read on either processor.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Kernels;

/// <summary>A performance of one module; begins the arena that everything else is laid out in.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Score
{
    /// <summary>Settings and outputs there is room for.</summary>
    public const int MaxSettings = 16;

    /// <summary>Number of the module in the catalogue.</summary>
    public int Module;

    /// <summary>Frames of a quantum, and quanta that inputs are prepared for.</summary>
    public int Quantum, Quanta;

    public int Inputs, Outputs, Parameters, AssetSlots, TelemetryFloats;

    /// <summary>Channels of the cable at every input.</summary>
    public int Channels;

    public float Rate;

    public fixed int Settings[MaxSettings];

    public fixed float Values[Limits.MaxParameters];

    public fixed int OutputChannels[Limits.MaxPorts];

    /// <summary>Floats that one output takes for a quantum: sixteen channels.</summary>
    public readonly int OutputFloats => Limits.MaxChannels * Quantum;
}
