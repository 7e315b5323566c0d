// Every number that several sides must agree on, in one place.
namespace SspHost.Abi;

/// <summary>Hard limits and the units of time of the engine.</summary>
public static class Limits
{
    /// <summary>Frames between two coefficient updates, at any quantum: what makes a patch sound the same at every block size.</summary>
    public const int Grid = 16;

    /// <summary>Smallest quantum in frames.</summary>
    public const int MinQuantum = 16;

    /// <summary>Largest quantum in frames.</summary>
    public const int MaxQuantum = 256;

    /// <summary>Grid points of the largest quantum, both ends included: a parameter has a value at each.</summary>
    public const int GridPoints = (MaxQuantum / Grid) + 1;

    /// <summary>Channels a cable carries at most.</summary>
    public const int MaxChannels = 16;

    /// <summary>Jacks of the device in one direction at most.</summary>
    public const int MaxJacks = 32;

    /// <summary>Module instances alive at once, leaving ones included.</summary>
    public const int MaxInstances = 4096;

    /// <summary>Parameters of one module: moving ones are a 64-bit mask.</summary>
    public const int MaxParameters = 64;

    /// <summary>Input or output ports of one module.</summary>
    public const int MaxPorts = 64;

    /// <summary>Asset slots of one module.</summary>
    public const int MaxAssets = 8;

    /// <summary>Module types an engine can have, those of libraries that were replaced included.</summary>
    public const int MaxModuleTypes = 1024;

    /// <summary>Libraries of modules an engine can load, those that were replaced included: none is ever unloaded.</summary>
    public const int MaxLibraries = 256;

    /// <summary>Modules of one library.</summary>
    public const int MaxLibraryModules = 256;

    /// <summary>RT threads: the audio thread and its workers.</summary>
    public const int MaxThreads = 16;

    /// <summary>Threads that stand by for those that get stuck in a module.</summary>
    public const int StandbyThreads = 4;

    /// <summary>
    /// Times a plan's buffers are in memory: one set in use, one to move to, and one for each thread that may still be stuck in an earlier one.
    /// </summary>
    public const int BufferAreas = 2 + StandbyThreads;

    /// <summary>Kinds of cores by speed that costs are kept for; class 0 = the fastest. Boards have two, a few phones' chips three.</summary>
    public const int MaxCoreClasses = 3;

    /// <summary>Events one quantum can carry; more are kept for the next quantum.</summary>
    public const int MaxEventsPerQuantum = 256;

    /// <summary>Volts beyond which an output counts as failed (nothing musical is there).</summary>
    public const float MaxVolts = 1000f;

    /// <summary>Lowest and highest sample rate in Hz.</summary>
    public const int MinRate = 44_100;

    /// <inheritdoc cref="MinRate"/>
    public const int MaxRate = 192_000;

    /// <summary>Whether <paramref name="frames"/> is a legal quantum: a power of two in 16..256.</summary>
    public static bool IsQuantum(int frames) =>
        frames is >= MinQuantum and <= MaxQuantum && (frames & (frames - 1)) == 0;
}
