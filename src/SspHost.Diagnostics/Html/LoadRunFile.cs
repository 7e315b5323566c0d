// A run as a file: what a load report is made of, now or later, here or beside another run.
using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics.Html;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoadRun))]
internal sealed partial class LoadRunJson : JsonSerializerContext;

/// <summary>
/// "SSPLOADS", version (u32), bytes of the header (u32), the header as JSON, quanta (u64), then their loads as u16 in a deflate stream. All
/// little-endian.
/// </summary>
public static class LoadRunFile
{
    /// <summary>Version that is written, and the only one that is read.</summary>
    public const uint Version = 1;

    private const int HeadBytes = 16, MostHeader = 256 << 20;
    private const long MostQuanta = 1L << 28;

    private static ReadOnlySpan<byte> Magic => "SSPLOADS"u8;

    /// <summary>Writes a run beside the place and puts it there when it is whole; its bytes. Throws <see cref="IOException"/> with nothing left behind.</summary>
    public static long Write(LoadRun run, string path) => OutputFile.Replace(path, file => Write(run, file));

    /// <summary>Writes a run into a stream.</summary>
    public static void Write(LoadRun run, Stream to)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(run, LoadRunJson.Default.LoadRun);
        Span<byte> head = stackalloc byte[HeadBytes];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(head[12..], (uint)header.Length);
        to.Write(head);
        to.Write(header);
        BinaryPrimitives.WriteInt64LittleEndian(head, run.Loads.Length);
        to.Write(head[..8]);
        using var packed = new DeflateStream(to, CompressionLevel.Fastest, leaveOpen: true);
        packed.Write(MemoryMarshal.AsBytes(run.Loads.Span)); // both processors are little-endian
    }

    /// <summary>Reads a run. Throws <see cref="InvalidDataException"/> that says what is wrong with the file and where.</summary>
    public static LoadRun Read(string path)
    {
        using var file = File.OpenRead(path);
        return Read(file, path);
    }

    /// <summary>Reads a run; <paramref name="where"/> names it in errors.</summary>
    public static LoadRun Read(Stream from, string where)
    {
        try
        {
            Span<byte> head = stackalloc byte[HeadBytes];
            from.ReadExactly(head);
            if (!head[..8].SequenceEqual(Magic)) throw new InvalidDataException($"{where}: not a file of loads; 'ssp report --loads' writes one");
            var version = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
            if (version != Version) throw new InvalidDataException($"{where}: version {version} of the format; this program reads {Version}");
            var bytes = BinaryPrimitives.ReadUInt32LittleEndian(head[12..]);
            if (bytes > MostHeader) throw new InvalidDataException($"{where}: a header of {bytes} bytes, expected at most {MostHeader}");
            var header = new byte[bytes];
            from.ReadExactly(header);
            var run = JsonSerializer.Deserialize(header, LoadRunJson.Default.LoadRun) ?? throw new InvalidDataException($"{where}: its header is empty");
            from.ReadExactly(head[..8]);
            var quanta = BinaryPrimitives.ReadInt64LittleEndian(head);
            if (quanta is < 0 or > MostQuanta) throw new InvalidDataException($"{where}: {quanta} quanta, expected 0 to {MostQuanta}");
            using var packed = new DeflateStream(from, CompressionMode.Decompress, leaveOpen: true);
            return run with { Loads = Unpack(packed, quanta) };
        }
        catch (Exception e) when (e is EndOfStreamException or JsonException)
        {
            throw new InvalidDataException($"{where}: cut short or damaged: {e.Message}", e);
        }
    }

    // As much as there really is: a damaged count is no reason to ask for half a gigabyte.
    private static ushort[] Unpack(Stream packed, long quanta)
    {
        const int Step = 1 << 20;
        var loads = new ushort[Math.Min(quanta, Step)];
        long have = 0;
        while (have < quanta)
        {
            if (have == loads.Length) Array.Resize(ref loads, (int)Math.Min(quanta, 2L * loads.Length));
            packed.ReadExactly(MemoryMarshal.AsBytes(loads.AsSpan((int)have, (int)Math.Min(Step, loads.Length - have))));
            have += Math.Min(Step, loads.Length - have);
        }

        return loads;
    }
}
