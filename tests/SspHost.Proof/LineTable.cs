// Which line of source an instruction comes from: the line number programs of DWARF 4, which is what ILC writes.
using System.Text;

namespace SspHost.Proof;

/// <summary>Lines of one object. What cannot be read is left out: a path without lines is still a path.</summary>
internal sealed class LineTable
{
    private readonly List<(int Section, ulong Offset, string File, int Line)> _rows = [];

    /// <summary>Reads .debug_line.</summary>
    public LineTable(ElfObject home)
    {
        foreach (var section in home.Sections)
        {
            if (section.Name != ".debug_line") continue;
            try
            {
                for (var at = 0UL; at + 4 < (ulong)section.Data.Length;) at = ReadUnit(home, section, at);
            }
            catch (ProofException)
            {
                // Cut short or of another version: what was read so far stands.
            }
        }

        _rows.Sort(static (a, b) => (a.Section, a.Offset).CompareTo((b.Section, b.Offset)));
    }

    /// <summary>"src/X.cs:12" of the instruction at an offset, or null.</summary>
    public string? Find(int section, ulong offset)
    {
        var (low, high) = (0, _rows.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if ((_rows[middle].Section, _rows[middle].Offset).CompareTo((section, offset)) <= 0) low = middle + 1;
            else high = middle;
        }

        if (low == 0) return null;
        var row = _rows[low - 1];
        return row.Section == section && row.Line > 0 ? $"{row.File}:{row.Line}" : null;
    }

    private ulong ReadUnit(ElfObject home, ElfSection section, ulong at)
    {
        var d = section.Data;
        var end = at + 4 + d.U32(at);
        var version = d.U16(at + 4);
        if (version is < 2 or > 4) return end;
        var program = at + 10 + d.U32(at + 6);
        var p = at + 10;
        var minimum = d.U8(p++);
        if (version == 4) p++; // operations per instruction
        p++; // default_is_stmt
        var lineBase = (sbyte)d.U8(p++);
        var lineRange = d.U8(p++);
        var opcodeBase = d.U8(p++);
        if (lineRange == 0 || opcodeBase == 0) return end;
        var lengths = new byte[opcodeBase];
        for (var i = 1; i < opcodeBase; i++) lengths[i] = d.U8(p++);
        var folders = new List<string> { "" };
        while (d.U8(p) != 0) folders.Add(Text(d, ref p));
        p++;
        var files = new List<string> { "" };
        while (d.U8(p) != 0)
        {
            var name = Text(d, ref p);
            var folder = Leb(d, ref p);
            _ = Leb(d, ref p);
            _ = Leb(d, ref p);
            files.Add(folder > 0 && folder < (ulong)folders.Count ? $"{folders[(int)folder]}/{name}" : name);
        }

        for (var i = 0; i < files.Count; i++)
            if (files[i].StartsWith("/_/", StringComparison.Ordinal)) files[i] = files[i][3..];

        var (where, address, file, line) = (0, 0UL, 1UL, 1L);
        p = program;
        void Row()
        {
            if (where > 0) _rows.Add((where, address, file < (ulong)files.Count ? files[(int)file] : "?", (int)line));
        }

        while (p < end)
        {
            var op = d.U8(p++);
            if (op >= opcodeBase)
            {
                address += (ulong)((op - opcodeBase) / lineRange * minimum);
                line += lineBase + ((op - opcodeBase) % lineRange);
                Row();
                continue;
            }

            switch (op)
            {
                case 0:
                    var length = Leb(d, ref p);
                    var next = p + length;
                    var what = d.U8(p);
                    if (what == 1)
                    {
                        (where, address, file, line) = (0, 0, 1, 1);
                    }
                    else if (what == 2)
                    {
                        var r = home.RelocationAt(section.Index, p + 1);
                        var all = home.Relocations(section.Index);
                        if (r < all.Length && all[r].Offset == p + 1)
                        {
                            var symbol = home.Symbols[all[r].Symbol];
                            (where, address) = (symbol.Section, symbol.Value + (ulong)all[r].Addend);
                        }
                    }

                    p = next;
                    break;
                case 1: Row(); break;
                case 2: address += Leb(d, ref p) * minimum; break;
                case 3: line += Signed(d, ref p); break;
                case 4: file = Leb(d, ref p); break;
                case 8: address += (ulong)((255 - opcodeBase) / lineRange * minimum); break;
                case 9:
                    address += d.U16(p);
                    p += 2;
                    break;
                default:
                    for (var i = 0; i < lengths[op]; i++) _ = Leb(d, ref p);
                    break;
            }
        }

        return end;
    }

    private static string Text(Bytes d, ref ulong p)
    {
        var text = d.Text(p);
        p += (ulong)Encoding.UTF8.GetByteCount(text) + 1;
        return text;
    }

    private static ulong Leb(Bytes d, ref ulong p)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = d.U8(p++);
            if (shift < 64) value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return value;
        }
    }

    private static long Signed(Bytes d, ref ulong p)
    {
        long value = 0;
        for (var shift = 0; ; )
        {
            var b = d.U8(p++);
            if (shift < 64) value |= (long)(b & 0x7F) << shift;
            shift += 7;
            if (b < 0x80) return shift < 64 && (b & 0x40) != 0 ? value | (-1L << shift) : value;
        }
    }
}
