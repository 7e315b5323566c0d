// DWARF's line programs, versions 2 to 5: which line of which file each instruction comes from.
namespace SspHost.Diagnostics.Symbols;

/// <summary>From here to the next one's address the code is of this line. Line 0: of none.</summary>
internal readonly record struct LineRow(ulong Address, int File, uint Line);

/// <summary>
/// Runs every program of a .debug_line section. A program is bytes that are read once from the beginning to the end, so the longest takes as
/// long as it is. Source: DWARF 5, 6.2; DWARF 4 for the older header.
/// </summary>
internal sealed class LineProgram
{
    private const string What = ".debug_line";
    private const ulong MostFiles = 1 << 20;

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<(ulong Start, ulong End, int First, int Count)> _sequences = [];
    private readonly List<LineRow> _rows = [];

    /// <summary>Files by the number that rows have.</summary>
    public List<string> Files { get; } = [];

    /// <summary>Reads all of it. Sequences outside of [<paramref name="start"/>, <paramref name="end"/>) are of code the linker left out.</summary>
    public static LineProgram Read(ReadOnlySpan<byte> lines, ReadOnlySpan<byte> lineTexts, ReadOnlySpan<byte> texts, ulong start, ulong end)
    {
        var program = new LineProgram();
        var units = new ByteCursor(lines, What);
        while (!units.IsAtEnd)
        {
            ulong length = units.U32();
            var wide = length == uint.MaxValue;
            if (wide) length = units.U64();
            program.ReadUnit(new ByteCursor(units.Take(length), What), wide, lineTexts, texts, start, end);
        }

        return program;
    }

    /// <summary>All rows by address, without gaps: where nothing is known, the line is 0. Neighbours of the same line are one.</summary>
    public List<LineRow> Rows()
    {
        _sequences.Sort(static (a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : b.End.CompareTo(a.End));
        var rows = new List<LineRow>(_rows.Count);
        ulong reached = 0;
        foreach (var (start, end, first, count) in _sequences)
        {
            if (start < reached) continue; // told already: two units with the same inline code
            if (rows.Count > 0 && rows[^1].Line != 0 && start > reached) rows.Add(new LineRow(reached, 0, 0));
            for (var i = first; i < first + count; i++)
            {
                var row = _rows[i];
                if (i + 1 < first + count && _rows[i + 1].Address == row.Address) continue; // the last one of an address counts
                if (row.Address < end && (rows.Count == 0 || rows[^1].File != row.File || rows[^1].Line != row.Line)) rows.Add(row);
            }

            reached = end;
        }

        if (rows.Count > 0 && rows[^1].Line != 0) rows.Add(new LineRow(reached, 0, 0));
        return rows;
    }

    private void ReadUnit(ByteCursor unit, bool wide, ReadOnlySpan<byte> lineTexts, ReadOnlySpan<byte> texts, ulong start, ulong end)
    {
        var version = unit.U16();
        if (version is < 2 or > 5) throw new InvalidDataException($"{What}: version {version}, expected 2 to 5");
        if (version >= 5)
        {
            var addressBytes = unit.U8();
            unit.Skip(1); // segment selectors: nobody has them
            if (addressBytes != 8) throw new InvalidDataException($"{What}: addresses of {addressBytes} bytes, expected 8");
        }

        var headerBytes = unit.Offset(wide);
        var body = headerBytes + (ulong)unit.At;
        var step = unit.U8();
        if (version >= 4) unit.Skip(1); // operations of one instruction: 1 on every machine but VLIW
        unit.Skip(1); // is_stmt, a debugger's matter
        var lineBase = (sbyte)unit.U8();
        var lineRange = unit.U8();
        if (lineRange == 0) throw new InvalidDataException($"{What}: a line range of 0");
        var opcodeBase = unit.U8();
        var arguments = opcodeBase > 1 ? unit.Take((ulong)opcodeBase - 1).ToArray() : [];
        var files = version >= 5 ? ReadTables(ref unit, wide, lineTexts, texts) : ReadOldTables(ref unit);
        if (body < (ulong)unit.At) throw new InvalidDataException($"{What}: a header of {headerBytes} bytes, expected {unit.At} and more");
        unit.Skip(body - (ulong)unit.At);
        Run(ref unit, files, version, step, lineBase, lineRange, opcodeBase, arguments, start, end);
    }

    private void Run(
        ref ByteCursor code, List<int> files, int version, byte step, sbyte lineBase, byte lineRange, byte opcodeBase, byte[] arguments, ulong start, ulong end)
    {
        ulong address = 0;
        var (file, line) = (1UL, 1L);
        var first = _rows.Count;
        while (!code.IsAtEnd)
        {
            var opcode = code.U8();
            if (opcode >= opcodeBase)
            {
                var special = opcode - opcodeBase;
                address += (ulong)(special / lineRange) * step;
                line += lineBase + (special % lineRange);
                Row();
                continue;
            }

            switch (opcode)
            {
                case 0:
                    var length = code.Unsigned();
                    var extended = new ByteCursor(code.Take(length), What);
                    if (length == 0) break;
                    switch (extended.U8())
                    {
                        case 1:
                            Close();
                            (address, file, line) = (0, 1, 1);
                            break;
                        case 2:
                            address = extended.U64();
                            break;
                        case 3:
                            files.Add(Number(extended.Text()));
                            break;
                    }

                    break;
                case 1:
                    Row();
                    break;
                case 2:
                    address += code.Unsigned() * step;
                    break;
                case 3:
                    line += code.Signed();
                    break;
                case 4:
                    file = code.Unsigned();
                    break;
                case 8:
                    address += (ulong)((255 - opcodeBase) / lineRange) * step;
                    break;
                case 9:
                    address += code.U16();
                    break;
                default: // columns, blocks, prologues, and what a newer version has
                    for (var i = 0; i < arguments[opcode - 1]; i++) _ = code.Unsigned();
                    break;
            }
        }

        _rows.RemoveRange(first, _rows.Count - first); // a sequence without an end covers nothing

        void Row()
        {
            var index = version >= 5 ? file : file - 1; // files are counted from 1 before version 5
            var known = index < (ulong)files.Count && line is > 0 and <= uint.MaxValue;
            _rows.Add(known ? new LineRow(address, files[(int)index], (uint)line) : new LineRow(address, 0, 0));
        }

        void Close()
        {
            var count = _rows.Count - first;
            var ordered = count > 0 && _rows[first].Address >= start && address <= end;
            for (var i = first + 1; ordered && i < _rows.Count; i++) ordered = _rows[i].Address >= _rows[i - 1].Address;
            if (ordered && address > _rows[first].Address) _sequences.Add((_rows[first].Address, address, first, count));
            else _rows.RemoveRange(first, count);
            first = _rows.Count;
        }
    }

    private List<int> ReadOldTables(ref ByteCursor unit)
    {
        var folders = new List<string> { "" };
        var files = new List<int>();
        while (unit.Text() is { Length: > 0 } folder) folders.Add(folder);
        while (unit.Text() is { Length: > 0 } name)
        {
            var folder = unit.Unsigned();
            _ = unit.Unsigned();
            _ = unit.Unsigned();
            files.Add(Number(Join(folder < (ulong)folders.Count ? folders[(int)folder] : "", name)));
        }

        return files;
    }

    private List<int> ReadTables(ref ByteCursor unit, bool wide, ReadOnlySpan<byte> lineTexts, ReadOnlySpan<byte> texts)
    {
        var folders = new List<string>();
        ReadTable(ref unit, wide, lineTexts, texts, (name, _) => folders.Add(folders.Count == 0 ? name : Join(folders[0], name)));
        var files = new List<int>();
        ReadTable(ref unit, wide, lineTexts, texts, (name, folder) => files.Add(Number(Join(folder < (ulong)folders.Count ? folders[(int)folder] : "", name))));
        return files;
    }

    private static void ReadTable(ref ByteCursor unit, bool wide, ReadOnlySpan<byte> lineTexts, ReadOnlySpan<byte> texts, Action<string, ulong> found)
    {
        var formats = new (ulong Content, ulong Form)[unit.U8()];
        for (var f = 0; f < formats.Length; f++) formats[f] = (unit.Unsigned(), unit.Unsigned());
        var count = unit.Unsigned();
        if (count > MostFiles || (formats.Length == 0 && count > 0)) throw new InvalidDataException($"{What}: {count} files of {formats.Length} fields");
        for (ulong i = 0; i < count; i++)
        {
            var (name, folder) = ("", 0UL);
            foreach (var (content, form) in formats)
            {
                var (text, number) = ReadField(ref unit, form, wide, lineTexts, texts);
                if (content == 1) name = text;
                else if (content == 2) folder = number;
            }

            found(name, folder);
        }
    }

    private static (string Text, ulong Number) ReadField(ref ByteCursor unit, ulong form, bool wide, ReadOnlySpan<byte> lineTexts, ReadOnlySpan<byte> texts)
    {
        switch (form)
        {
            case 0x08: return (unit.Text(), 0);
            case 0x1F: return (TextAt(lineTexts, unit.Offset(wide), ".debug_line_str"), 0);
            case 0x0E: return (TextAt(texts, unit.Offset(wide), ".debug_str"), 0);
            case 0x0B: return ("", unit.U8());
            case 0x05: return ("", unit.U16());
            case 0x06: return ("", unit.U32());
            case 0x07: return ("", unit.U64());
            case 0x0F: return ("", unit.Unsigned());
            case 0x1E:
                unit.Skip(16);
                return ("", 0);
            case 0x09:
                unit.Skip(unit.Unsigned());
                return ("", 0);
            default: throw new InvalidDataException($"{What}: form {form:x} in a table of files, expected a text, a number or a checksum");
        }
    }

    private static string TextAt(ReadOnlySpan<byte> texts, ulong offset, string section)
    {
        if (offset >= (ulong)texts.Length) throw new InvalidDataException($"{What}: a name at {offset} of {section}, which has {texts.Length} bytes");
        return new ByteCursor(texts[(int)offset..], section).Text();
    }

    private static string Join(string folder, string name) => folder.Length == 0 || name.StartsWith('/') ? name : folder + "/" + name;

    private int Number(string file)
    {
        if (_numbers.TryGetValue(file, out var number)) return number;
        _numbers.Add(file, number = Files.Count);
        Files.Add(file);
        return number;
    }
}
