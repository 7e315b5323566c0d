// The module contract for C#: one unmanaged struct with static functions. Native modules fill a table of the same shape.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>What an instance is made for. The same for its whole life; a change of rate makes a new instance.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct InstanceSetup
{
    /// <summary>Sample rate in Hz.</summary>
    public float SampleRate;

    /// <summary>Frames of a quantum.</summary>
    public int Quantum;

    /// <summary>Values of the descriptor's settings, in its order.</summary>
    public int* Settings;

    /// <summary>Seed of everything random in this instance: derived from its key, so that a render repeats.</summary>
    public ulong Seed;

    /// <summary>Shared data of the module type (see <c>BuildShared</c>), null where it has none.</summary>
    public void* Shared;
}

/// <summary>Memory an instance needs beside its struct; the host owns every byte.</summary>
public struct Requirements
{
    /// <summary>Bytes that <see cref="InstanceMemory"/> will hand out, alignment padding included (64 bytes a block).</summary>
    public long Bytes;

    /// <summary>Adds a block of <paramref name="count"/> values, aligned to 64 bytes as <see cref="InstanceMemory.Take{T}"/> gives it.</summary>
    public unsafe void Need<T>(long count) where T : unmanaged => Bytes += ((count * sizeof(T)) + 63) & ~63L;
}

/// <summary>The memory an instance asked for, handed out in order. Zeroed before construct.</summary>
public unsafe struct InstanceMemory(byte* start, long bytes)
{
    private byte* _next = start;
    private readonly byte* _end = start + bytes;

    /// <summary>
    /// The next block, 64-byte aligned. Taking more than was required is a defect of the module: null is returned, and the
    /// host refuses the instance.
    /// </summary>
    public T* Take<T>(long count) where T : unmanaged
    {
        var size = ((count * sizeof(T)) + 63) & ~63L;
        if (count < 0 || size > _end - _next)
        {
            Overdrawn = true;
            return null;
        }

        var block = _next;
        _next += size;
        return (T*)block;
    }

    /// <summary>Whether more was taken than required.</summary>
    public bool Overdrawn { get; private set; }
}

/// <summary>What an instance declares about time, after prepare.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ModuleTiming
{
    /// <summary>Frames by which the output lags the input.</summary>
    public int LatencyFrames;

    /// <summary>Frames the output may sound on after the inputs fell silent; -1: forever. The engine lets a leaving module ring this long.</summary>
    public long TailFrames;
}

/// <summary>
/// A module: an unmanaged struct in pool memory and static functions over it, called directly.
/// Tags name the only thread and state a function is called in:
/// [start-up] before anything plays; [steward] off the RT threads; [audio-thread] an RT thread, within the quantum's budget:
/// no allocation, no lock, no system call, no exception.
/// </summary>
/// <typeparam name="TSelf">The struct itself.</typeparam>
public unsafe interface IModule<TSelf> where TSelf : unmanaged, IModule<TSelf>
{
    /// <summary>The module's descriptor. [start-up; may allocate]</summary>
    static abstract ModuleDescriptor Describe();

    /// <summary>Bytes of data all instances share (wavetables), or 0. [steward]</summary>
    static virtual long SharedBytes(float sampleRate) => 0;

    /// <summary>Fills the shared data, once per rate, before the first instance. [steward]</summary>
    static virtual void BuildShared(void* shared, float sampleRate) { }

    /// <summary>States the memory this instance needs. Cheap: the module browser asks for every module. [steward]</summary>
    static virtual void Require(in InstanceSetup setup, ref Requirements need) { }

    /// <summary>
    /// Makes the instance in place: the struct and its memory are zeroed; takes its blocks and declares its timing. [steward, not yet playing]
    /// </summary>
    static abstract void Construct(ref TSelf self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing);

    /// <summary>Back to the state after construct, parameters and assets apart. [steward or audio-thread, not processing]</summary>
    static abstract void Reset(ref TSelf self);

    /// <summary>Renders one quantum: reads inputs, fills every channel of every output, or leaves one that nobody reads unwritten and says so. [audio-thread]</summary>
    static abstract ProcessResult Process(ref TSelf self, in ProcessContext context);

    /// <summary>
    /// Writes state that is not in parameters (steps, seeds) into <paramref name="state"/>, at most the descriptor's StateBytes;
    /// returns the bytes written. [audio-thread, between quanta]
    /// </summary>
    static virtual int SaveState(ref TSelf self, Span<byte> state) => 0;

    /// <summary>
    /// Reads state written by this or an older <paramref name="version"/> of the module and migrates it; false if the bytes
    /// mean nothing (the instance keeps its defaults, and the player is told). [steward before playing, or audio-thread between quanta]
    /// </summary>
    static virtual bool LoadState(ref TSelf self, uint version, ReadOnlySpan<byte> state) => state.IsEmpty;

    /// <summary>An asset slot got a new asset (null: emptied). The old one stays valid until this returns. [audio-thread, between quanta]</summary>
    static virtual void AssetChanged(ref TSelf self, int slot, Asset* asset) { }

    /// <summary>Does the job process asked for, while process goes on. Touches only what the two agreed on. [steward, concurrent with process]</summary>
    static virtual void Work(ref TSelf self, ref WorkJob job) { }
}
