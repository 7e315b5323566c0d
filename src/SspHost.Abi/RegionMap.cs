// A process's view of the region: where it is mapped, and typed access to what the header names.
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Abi;

/// <summary>
/// The region as mapped into this process. The engine makes one over its own mapping; a control process attaches to the
/// engine's memfd through <c>/proc/PID/fd/N</c>, which the kernel allows to the same user only.
/// </summary>
public sealed unsafe class RegionMap : IDisposable
{
    private readonly int _fd;
    private readonly bool _owned;
    private byte* _base;

    private RegionMap(byte* start, long bytes, int fd, bool owned)
    {
        _base = start;
        Bytes = bytes;
        _fd = fd;
        _owned = owned;
    }

    /// <summary>Start of the mapping.</summary>
    public byte* Base => _base;

    /// <summary>Bytes mapped.</summary>
    public long Bytes { get; }

    public RegionHeader* Header => (RegionHeader*)_base;

    public SpscRing<Request> Requests => new((RingHeader*)At(Header->RequestsOffset));

    public SpscRing<Reply> Replies => new((RingHeader*)At(Header->RepliesOffset));

    public SpscRing<ModuleEvent> Events => new((RingHeader*)At(Header->EventsOffset));

    public SpscRing<Notice> Notices => new((RingHeader*)At(Header->NoticesOffset));

    public Seqlock<AudioStatus>* AudioStatus => (Seqlock<AudioStatus>*)At(Header->AudioStatusOffset);

    public Seqlock<StewardStatus>* StewardStatus => (Seqlock<StewardStatus>*)At(Header->StewardStatusOffset);

    public Seqlock<PoolStats>* PoolStats => (Seqlock<PoolStats>*)At(Header->PoolStatsOffset);

    public InstanceRecord* Instances => (InstanceRecord*)At(Header->InstancesOffset);

    public ThreadRecord* Threads => (ThreadRecord*)At(Header->ThreadsOffset);

    public Seqlock<ClockAnchor>* ClockAnchor => (Seqlock<ClockAnchor>*)At(Header->ClockAnchorOffset);

    public SpscRing<StallRecord> Stalls => new((RingHeader*)At(Header->StallsOffset));

    /// <summary>
    /// Work of a seat in a quantum, in ns: from when its thread sat down to its last node's end, waits for other nodes included, all its stays
    /// together. Only quanta in which it ran a node.
    /// </summary>
    public Histogram* WorkerHistogram(int seat) => (Histogram*)At(Header->WorkerHistogramsOffset) + seat;

    /// <summary>The descriptor blob as it stands. While libraries may be loaded, <see cref="CopyDescriptors"/> is the way to read it.</summary>
    public ReadOnlySpan<byte> Descriptors => new(At(Header->DescriptorsOffset), checked((int)Header->DescriptorsBytes));

    /// <summary>Rises with each change of the descriptors.</summary>
    public uint DescriptorsGeneration => Volatile.Read(ref Header->DescriptorsGeneration);

    public SignalTap* Taps => (SignalTap*)At(Header->TapsOffset);

    public JackBench* Jacks => (JackBench*)At(Header->JacksOffset);

    public LoadRing* Loads => (LoadRing*)At(Header->LoadsOffset);

    /// <summary>What MIDI sends to the audio thread; does not exist in regions without it (tests).</summary>
    public SpscRing<ModuleEvent> MidiEvents => Header->MidiEventsOffset == 0 ? default : new((RingHeader*)At(Header->MidiEventsOffset));

    public SpscRing<Heard> Heard => new((RingHeader*)At(Header->HeardOffset));

    public MidiStatus* Midi => (MidiStatus*)At(Header->MidiOffset);

    public MidiPort* MidiPorts => (MidiPort*)At(Header->MidiPortsOffset);

    public ControllerTable* Controllers => (ControllerTable*)At(Header->ControllersOffset);

    public Seqlock<FrameAnchor>* FrameAnchor => (Seqlock<FrameAnchor>*)At(Header->FrameAnchorOffset);

    public LibraryRecord* Libraries => (LibraryRecord*)At(Header->LibrariesOffset);

    /// <summary>
    /// A copy of the descriptor blob and its generation: whole, though the engine may be publishing another one. Throws
    /// <see cref="InvalidDataException"/> where the engine died in the middle of that.
    /// </summary>
    public byte[] CopyDescriptors(out uint generation)
    {
        const int Patience = 1000; // ms: the steward's two stores are not that long apart
        for (var attempt = 0; attempt < Patience; attempt++)
        {
            generation = Volatile.Read(ref Header->DescriptorsGeneration);
            var (offset, bytes) = (Header->DescriptorsOffset, Header->DescriptorsBytes);
            if ((generation & 1) == 0 && offset > 0 && bytes is >= 0 and < int.MaxValue && offset <= Bytes - bytes)
            {
                var copy = new ReadOnlySpan<byte>(At(offset), (int)bytes).ToArray();
                Thread.MemoryBarrier(); // the bytes are read before the generation is read again
                if (Volatile.Read(ref Header->DescriptorsGeneration) == generation) return copy;
            }

            Thread.Sleep(1);
        }

        throw new InvalidDataException("the engine's descriptors are being changed and nobody finishes");
    }

    public Histogram* Histogram(HistogramKind kind) => (Histogram*)At(Header->HistogramsOffset) + (int)kind;

    /// <summary>The trace of a seat; false: it was never filled.</summary>
    public bool TryTrace(int seat, out SpscRing<TraceEvent> ring)
    {
        var offset = Volatile.Read(ref ((long*)At(Header->TraceRingsOffset))[seat]);
        ring = offset == 0 ? default : new SpscRing<TraceEvent>((RingHeader*)At(offset));
        return offset != 0;
    }

    /// <summary>Address of an offset.</summary>
    public byte* At(long offset) => _base + offset;

    /// <summary>Offset of an address within the region.</summary>
    public long OffsetOf(void* address) => (byte*)address - _base;

    /// <summary>A view over memory this process mapped by other means (the engine; tests). Disposing it unmaps nothing.</summary>
    public static RegionMap Over(byte* start, long bytes) => new(start, bytes, -1, owned: false);

    /// <summary>
    /// Attaches to a running engine's region. Throws <see cref="InvalidDataException"/> with what differs if it is not a region of
    /// this version, and <see cref="IOException"/> if it cannot be opened or mapped.
    /// </summary>
    public static RegionMap Attach(string path)
    {
        int fd;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0")) fd = Linux.Open(name, 2 | 0x80000, 0); // O_RDWR | O_CLOEXEC
        if (fd < 0) throw Failed(path, "open");
        try
        {
            var bytes = Linux.Seek(fd, 0, 2);
            if (bytes < sizeof(RegionHeader)) throw new InvalidDataException($"{path}: {bytes} bytes, too short for a region");
            var start = (byte*)Linux.Mmap(null, (nuint)bytes, Linux.ProtRead | Linux.ProtWrite, Linux.MapShared, fd, 0);
            if ((nint)start == -1) throw Failed(path, "map");
            var map = new RegionMap(start, bytes, fd, owned: true);
            try
            {
                Check((RegionHeader*)start, bytes, path);
            }
            catch
            {
                map.Dispose();
                fd = -1;
                throw;
            }

            return map;
        }
        catch when (fd >= 0)
        {
            _ = Linux.Close(fd);
            throw;
        }
    }

    /// <summary>Checks a header against what this process was built for.</summary>
    public static void Check(RegionHeader* header, long bytes, string where)
    {
        if (Volatile.Read(ref header->Magic) != AbiVersion.Magic)
            throw new InvalidDataException($"{where}: not an SspHost region, or its engine has not finished starting");
        if (header->Layout != AbiVersion.Layout)
            throw new InvalidDataException($"{where}: region layout {header->Layout}, this program speaks {AbiVersion.Layout}; stop the engine with the version that started it");
        if (header->HeaderBytes != sizeof(RegionHeader) || header->Bytes != bytes)
            throw new InvalidDataException($"{where}: header of {header->HeaderBytes} bytes and region of {header->Bytes}, expected {sizeof(RegionHeader)} and {bytes}");
    }

    public void Dispose()
    {
        if (_base == null || !_owned) return;
        _ = Linux.Munmap(_base, (nuint)Bytes);
        _ = Linux.Close(_fd);
        _base = null;
    }

    /// <summary>
    /// Whether this process is the only control process: takes the region's lock without waiting. The kernel gives it back when the
    /// process dies, however it dies.
    /// </summary>
    public bool TryLock() => Linux.Flock(_fd, 2 | 4) == 0; // LOCK_EX | LOCK_NB

    private static IOException Failed(string path, string what) =>
        new($"{path}: cannot {what} the engine's region: {new Win32Exception(Marshal.GetLastSystemError()).Message}");
}
