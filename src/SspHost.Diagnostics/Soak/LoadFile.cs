// A file with the load of every block of a soak: any of them can be looked at afterwards.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Diagnostics.Soak;

/// <summary>What a file of loads begins with. All numbers are little-endian.</summary>
/// <param name="Rate">Sample rate in Hz.</param>
/// <param name="Quantum">Frames of a block.</param>
/// <param name="FirstBlock">The engine's number of the first block.</param>
/// <param name="StartedNs">CLOCK_MONOTONIC in ns of about when that was rendered.</param>
/// <param name="StartedUnixMs">The same by the wall clock, ms since 1970.</param>
public readonly record struct LoadFileHead(int Rate, int Quantum, ulong FirstBlock, ulong StartedNs, long StartedUnixMs)
{
    /// <summary>Bytes of it: "SSPBLKLD", version and bytes of the head (4 each), rate and quantum (4 each), first block, both times and the number of
    /// values (8 each; all ones until the file is finished), zeros. Values of two bytes follow, <see cref="BlockLoad.Missing"/> for one that was lost.</summary>
    public const int Bytes = 64;

    internal const int Version = 1;
    internal const ulong Unfinished = ulong.MaxValue;
    internal const int CountAt = 48;

    internal static ReadOnlySpan<byte> Magic => "SSPBLKLD"u8;

    internal void Write(Span<byte> to, ulong count)
    {
        to.Clear();
        Magic.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], Bytes);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], Rate);
        BinaryPrimitives.WriteInt32LittleEndian(to[20..], Quantum);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], FirstBlock);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], StartedNs);
        BinaryPrimitives.WriteInt64LittleEndian(to[40..], StartedUnixMs);
        BinaryPrimitives.WriteUInt64LittleEndian(to[CountAt..], count);
    }
}

/// <summary>Writes one as it comes; what was written is there even if nobody finishes it.</summary>
public sealed class LoadFileWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly LoadFileHead _head;
    private bool _finished;

    /// <summary>Begins a file, over one that is there. Throws <see cref="IOException"/>, also where that is no plain file.</summary>
    public LoadFileWriter(string path, in LoadFileHead head)
    {
        OutputFile.Check(path);
        _head = head;
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0); // a value in a buffer dies with its process
        Span<byte> bytes = stackalloc byte[LoadFileHead.Bytes];
        head.Write(bytes, LoadFileHead.Unfinished);
        _file.Write(bytes);
    }

    /// <summary>Values written, missing ones included.</summary>
    public ulong Count { get; private set; }

    /// <summary>Adds values.</summary>
    public void Add(ReadOnlySpan<ushort> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            _file.Write(MemoryMarshal.AsBytes(values));
        }
        else
        {
            Span<byte> two = stackalloc byte[2];
            foreach (var value in values)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(two, value);
                _file.Write(two);
            }
        }

        Count += (ulong)values.Length;
    }

    /// <summary>Keeps the place of values that nobody has.</summary>
    public void Skip(ulong blocks)
    {
        Span<ushort> missing = stackalloc ushort[1024];
        missing.Fill(BlockLoad.Missing);
        for (; blocks > 0; blocks -= Math.Min(blocks, 1024)) Add(missing[..(int)Math.Min(blocks, 1024)]);
    }

    public void Dispose()
    {
        if (_finished) return;
        _finished = true;
        Span<byte> bytes = stackalloc byte[LoadFileHead.Bytes];
        _head.Write(bytes, Count);
        using (_file)
        {
            _file.Position = 0;
            _file.Write(bytes);
        }
    }
}

/// <summary>Reads one.</summary>
public static class LoadFileReader
{
    /// <summary>
    /// Reads head and values; of a file that was not finished, those that are there. Throws <see cref="InvalidDataException"/> with one line that says
    /// what is wrong, <see cref="IOException"/> where it cannot be read.
    /// </summary>
    public static (LoadFileHead Head, ushort[] Values) Read(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> h = stackalloc byte[LoadFileHead.Bytes];
        if (file.ReadAtLeast(h, h.Length, throwOnEndOfStream: false) < h.Length || !h[..8].SequenceEqual(LoadFileHead.Magic)) throw new InvalidDataException($"{path}: no file of block loads");
        var (version, size) = (BinaryPrimitives.ReadInt32LittleEndian(h[8..]), BinaryPrimitives.ReadInt32LittleEndian(h[12..]));
        if (version != LoadFileHead.Version || size != LoadFileHead.Bytes)
            throw new InvalidDataException(FormattableString.Invariant($"{path}: block loads of version {version} with a head of {size} bytes, expected version {LoadFileHead.Version} and {LoadFileHead.Bytes}"));
        var head = new LoadFileHead(
            BinaryPrimitives.ReadInt32LittleEndian(h[16..]), BinaryPrimitives.ReadInt32LittleEndian(h[20..]), BinaryPrimitives.ReadUInt64LittleEndian(h[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(h[32..]), BinaryPrimitives.ReadInt64LittleEndian(h[40..]));
        if (head.Rate is < Limits.MinRate or > Limits.MaxRate || !Limits.IsQuantum(head.Quantum))
            throw new InvalidDataException(FormattableString.Invariant($"{path}: blocks of {head.Quantum} frames at {head.Rate} Hz, which no engine plays"));
        var count = BinaryPrimitives.ReadUInt64LittleEndian(h[LoadFileHead.CountAt..]);
        var bytes = file.Length - LoadFileHead.Bytes;
        if (count != LoadFileHead.Unfinished && (count > long.MaxValue / 4 || bytes != (long)count * 2))
            throw new InvalidDataException(FormattableString.Invariant($"{path}: {bytes} bytes of values, expected {count} values of two bytes: it was cut short or added to"));
        if (bytes / 2 > Array.MaxLength) throw new InvalidDataException(FormattableString.Invariant($"{path}: {bytes / 2} values are more than this program reads at once"));
        var values = new ushort[bytes / 2]; // half a value at the end of an unfinished file is none
        file.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(values, values);
        return (head, values);
    }
}
