// An ELF file as far as names and lines of code need it: sections (compressed ones, too), symbols, build id.
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace SspHost.Diagnostics.Symbols;

/// <summary>
/// 64-bit little-endian ELF, read whole into memory. Everything a damaged file may claim is checked; the error names the file and what was
/// expected. Source: System V ABI, Object Files; Linux LSB for the build id.
/// </summary>
public sealed class ElfImage
{
    private const int HeaderBytes = 64, SectionBytes = 64, SegmentBytes = 56, SymbolBytes = 24;
    private const uint NoBits = 8, Load = 1, ExecutableSegment = 1;
    private const ulong Compressed = 1 << 11;
    private const long MostInflated = 1L << 30;

    private readonly byte[] _file;
    private readonly string _name;
    private readonly Dictionary<string, Section> _sections = new(StringComparer.Ordinal);

    private readonly record struct Section(int Number, uint Type, ulong Flags, ulong Address, ulong Offset, ulong Bytes, uint Link);

    /// <summary>Reads the headers. <paramref name="name"/>: what errors call it.</summary>
    public ElfImage(byte[] file, string name)
    {
        _file = file;
        _name = name;
        if (file.Length < HeaderBytes || !file.AsSpan(0, 4).SequenceEqual("\u007fELF"u8))
            throw Wrong("expected an ELF file");
        if (file[4] != 2 || file[5] != 1) throw Wrong("expected 64-bit little-endian ELF");
        var header = new ByteCursor(file, name);
        header.Skip(32);
        var (segments, sections) = (header.U64(), header.U64());
        header.Skip(6);
        var (segmentBytes, segmentCount) = (header.U16(), header.U16());
        var (sectionBytes, sectionCount, names) = (header.U16(), header.U16(), header.U16());
        if (segmentCount > 0 && segmentBytes != SegmentBytes) throw Wrong($"program headers of {segmentBytes} bytes, expected {SegmentBytes}");
        if (sectionCount > 0 && sectionBytes != SectionBytes) throw Wrong($"section headers of {sectionBytes} bytes, expected {SectionBytes}");
        ReadSegments(segments, segmentCount);
        ReadSections(sections, sectionCount, names);
        BuildId = ReadBuildId();
    }

    /// <summary>Opens a file; <see cref="InvalidDataException"/> where it is not such an image, IOException where it cannot be read.</summary>
    public static ElfImage Open(string path) => new(File.ReadAllBytes(path), path);

    /// <summary>Lowest address of what is loaded: addresses in a process are relative to it.</summary>
    public ulong Base { get; private set; }

    /// <summary>Where the code begins, and where the image ends.</summary>
    public ulong CodeStart { get; private set; } = ulong.MaxValue;

    /// <inheritdoc cref="CodeStart"/>
    public ulong End { get; private set; }

    /// <summary>The linker's fingerprint; empty: it left none.</summary>
    public byte[] BuildId { get; }

    /// <summary>Functions of a symbol table (".symtab" or ".dynsym"), in the file's order; empty where there is none.</summary>
    public List<ElfSymbol> Functions(string table)
    {
        var list = new List<ElfSymbol>();
        if (!_sections.TryGetValue(table, out var section)) return list;
        var texts = _sections.Values.FirstOrDefault(s => s.Number == section.Link && s.Number != 0);
        if (texts.Number == 0) throw Wrong($"{table} has no names");
        var names = Content(texts, "names");
        var symbols = Content(section, table);
        for (var at = 0; at + SymbolBytes <= symbols.Length; at += SymbolBytes)
        {
            var symbol = symbols.AsSpan(at);
            var kind = symbol[4] & 0xF;
            var inSection = BinaryPrimitives.ReadUInt16LittleEndian(symbol[6..]);
            if (kind is not (0 or 2 or 10) || inSection is 0 or >= 0xFF00) continue; // NOTYPE (assembler), FUNC, IFUNC; defined here
            var address = BinaryPrimitives.ReadUInt64LittleEndian(symbol[8..]);
            if (address < CodeStart || address >= End) continue;
            if (kind == 0 && !IsCode(inSection)) continue;
            var name = BinaryPrimitives.ReadUInt32LittleEndian(symbol);
            if (name >= names.Length) throw Wrong($"{table}: a name at {name} of {names.Length} bytes");
            var text = names.AsSpan((int)name);
            var length = text.IndexOf((byte)0);
            if (length < 0) throw Wrong($"{table}: a name without its end");
            if (length == 0) continue;
            list.Add(new ElfSymbol(address, BinaryPrimitives.ReadUInt64LittleEndian(symbol[16..]), Encoding.UTF8.GetString(text[..length])));
        }

        return list;
    }

    /// <summary>A section's bytes, inflated if need be; empty where there is none.</summary>
    public ReadOnlySpan<byte> Bytes(string section) => _sections.TryGetValue(section, out var s) ? Content(s, section) : [];

    private bool IsCode(ushort number) => _sections.Values.Any(s => s.Number == number && (s.Flags & 4) != 0);

    private void ReadSegments(ulong offset, int count)
    {
        var from = new ByteCursor(At(offset, (ulong)count * SegmentBytes, "program headers"), _name);
        var lowest = ulong.MaxValue;
        for (var i = 0; i < count; i++)
        {
            var (type, flags) = (from.U32(), from.U32());
            from.Skip(8);
            var address = from.U64();
            from.Skip(16);
            var bytes = from.U64();
            from.Skip(8);
            if (type != Load) continue;
            if (bytes > uint.MaxValue || address > ulong.MaxValue - bytes) throw Wrong($"a segment of {bytes} bytes at {address:x}");
            lowest = Math.Min(lowest, address);
            End = Math.Max(End, address + bytes);
            if ((flags & ExecutableSegment) != 0) CodeStart = Math.Min(CodeStart, address);
        }

        Base = lowest == ulong.MaxValue ? 0 : lowest;
        if (End - Math.Min(Base, End) > uint.MaxValue) throw Wrong($"an image of {End - Base} bytes, expected less than 4 GiB");
    }

    private void ReadSections(ulong offset, int count, int names)
    {
        var from = new ByteCursor(At(offset, (ulong)count * SectionBytes, "section headers"), _name);
        var found = new (uint Name, Section Section)[count];
        for (var i = 0; i < count; i++)
        {
            var (name, type, flags, address) = (from.U32(), from.U32(), from.U64(), from.U64());
            var (at, bytes, link) = (from.U64(), from.U64(), from.U32());
            from.Skip(20);
            found[i] = (name, new Section(i, type, flags, address, at, bytes, link));
        }

        if (count == 0) return;
        if (names >= count) throw Wrong($"names of sections in section {names} of {count}");
        var texts = Content(found[names].Section, "names of sections");
        foreach (var (name, section) in found)
        {
            if (name >= texts.Length) throw Wrong($"a section's name at {name} of {texts.Length} bytes");
            var text = texts.AsSpan((int)name);
            var length = text.IndexOf((byte)0);
            if (length < 0) throw Wrong("a section's name without its end");
            _ = _sections.TryAdd(Encoding.UTF8.GetString(text[..length]), section);
        }
    }

    private byte[] ReadBuildId()
    {
        var note = new ByteCursor(Bytes(".note.gnu.build-id"), $"{_name}: .note.gnu.build-id");
        if (note.IsAtEnd) return [];
        var (nameBytes, idBytes) = (note.U32(), note.U32());
        note.Skip(4);
        note.Skip((nameBytes + 3UL) & ~3UL);
        return note.Take(idBytes).ToArray();
    }

    private byte[] Content(in Section section, string what)
    {
        if (section.Type == NoBits) return [];
        var raw = At(section.Offset, section.Bytes, what);
        if ((section.Flags & Compressed) == 0) return raw.ToArray();
        var header = new ByteCursor(raw, $"{_name}: {what}");
        var type = header.U32();
        header.Skip(4);
        var bytes = header.U64();
        header.Skip(8);
        if (type != 1) throw Wrong($"{what} is compressed in way {type}, expected 1 (zlib)");
        var packed = raw[header.At..];
        if (bytes > MostInflated || bytes / 1100 > (ulong)packed.Length) throw Wrong($"{what} claims {bytes} bytes out of {packed.Length}"); // deflate packs 1032 to 1 at best
        var inflated = new byte[bytes];
        using var stream = new ZLibStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
        var got = stream.ReadAtLeast(inflated, inflated.Length, throwOnEndOfStream: false);
        if (got != inflated.Length) throw Wrong($"{what} has {got} bytes, expected {bytes}");
        return inflated;
    }

    private ReadOnlySpan<byte> At(ulong offset, ulong bytes, string what)
    {
        if (offset > (ulong)_file.Length || bytes > (ulong)_file.Length - offset) throw Wrong($"{what} at {offset}, {bytes} bytes, of a file of {_file.Length}");
        return _file.AsSpan((int)offset, (int)bytes);
    }

    private InvalidDataException Wrong(string what) => new($"{_name}: {what}");
}

/// <summary>A function as a symbol table has it.</summary>
/// <param name="Address">Address in the file's own numbering.</param>
/// <param name="Size">Bytes; 0: not told.</param>
/// <param name="Name">As it is linked.</param>
public readonly record struct ElfSymbol(ulong Address, ulong Size, string Name);
