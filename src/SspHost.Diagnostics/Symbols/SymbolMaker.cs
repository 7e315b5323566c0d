// Makes a symbol table of an image: the functions of its symbol table under readable names, the lines of our own source.
using System.Text;

namespace SspHost.Diagnostics.Symbols;

/// <summary>What goes in is what a verdict needs: names of all functions, lines of this repository; those of the runtime's own source stay out.</summary>
public static class SymbolMaker
{
    // The build maps the repository to this; the runtime's and its libraries' builds do the same with theirs.
    private const string Mapped = "/_/";
    private static readonly string[] Foreign = ["src/libraries/", "src/coreclr/", "src/native/", "artifacts/"];

    /// <summary>From an unstripped image, or the debug file that was split off it.</summary>
    public static SymbolTable FromImage(ElfImage image)
    {
        var functions = image.Functions(".symtab");
        if (functions.Count == 0) throw new InvalidDataException("the image has no symbol table: it is stripped, its .dbg file has one");
        var lines = LineProgram.Read(image.Bytes(".debug_line"), image.Bytes(".debug_line_str"), image.Bytes(".debug_str"), image.CodeStart, image.End);
        var texts = new TextBlock();
        return new SymbolTable(Table(functions, image, texts), Lines(lines, image, texts), texts.ToArray(), Id(image));
    }

    /// <summary>From any library, stripped or not: the functions it exports, and no lines.</summary>
    public static SymbolTable FromLibrary(ElfImage image)
    {
        var functions = image.Functions(".symtab");
        if (functions.Count == 0) functions = image.Functions(".dynsym");
        var texts = new TextBlock();
        return new SymbolTable(Table(functions, image, texts), [], texts.ToArray(), Id(image));
    }

    private static byte[] Id(ElfImage image) => image.BuildId.Length <= 32 ? image.BuildId : image.BuildId[..32];

    private static SymbolTable.Function[] Table(List<ElfSymbol> symbols, ElfImage image, TextBlock texts)
    {
        // Of several names of one address the plainest: bodies that are equal are one, and a wrapper's name says less than its function's.
        symbols.Sort(static (a, b) => a.Address != b.Address ? a.Address.CompareTo(b.Address) : Rank(a.Name) != Rank(b.Name) ? Rank(a.Name).CompareTo(Rank(b.Name)) : string.CompareOrdinal(a.Name, b.Name));
        var table = new List<SymbolTable.Function>(symbols.Count);
        ulong reached = 0;
        for (var i = 0; i < symbols.Count;)
        {
            var next = i + 1;
            var size = symbols[i].Size;
            for (; next < symbols.Count && symbols[next].Address == symbols[i].Address; next++) size = Math.Max(size, symbols[next].Size);
            var label = size == 0 && symbols[i].Address < reached; // a place in the middle of an assembler's function
            var room = (next < symbols.Count ? symbols[next].Address : image.End) - symbols[i].Address;
            reached = Math.Max(reached, symbols[i].Address + size);
            if (size == 0) size = room; // assembler need not say
            if (!label) table.Add(new SymbolTable.Function((uint)(symbols[i].Address - image.Base), (uint)size, texts.Add(LinkNames.Readable(symbols[i].Name))));
            i = next;
        }

        return [.. table];
    }

    private static int Rank(string name) => (name.Contains("unbox", StringComparison.Ordinal) ? 2 : 0) + (name.StartsWith('_') || name.StartsWith('<') ? 1 : 0);

    private static SymbolTable.SourceLine[] Lines(LineProgram program, ElfImage image, TextBlock texts)
    {
        var files = new uint[program.Files.Count];
        for (var f = 0; f < files.Length; f++) files[f] = Relative(program.Files[f]) is { } path ? texts.Add(path) : 0;
        var lines = new List<SymbolTable.SourceLine>();
        foreach (var row in program.Rows())
        {
            var file = row.Line == 0 ? 0 : files[row.File];
            var line = file == 0 ? 0 : row.Line;
            if (lines.Count == 0 ? line == 0 : lines[^1].File == file && lines[^1].Line == line) continue;
            lines.Add(new SymbolTable.SourceLine((uint)(row.Address - image.Base), file, line));
        }

        return [.. lines];
    }

    // Null: not of this repository.
    private static string? Relative(string path)
    {
        if (!path.StartsWith(Mapped, StringComparison.Ordinal)) return null;
        var relative = path[Mapped.Length..];
        return Array.Exists(Foreign, f => relative.StartsWith(f, StringComparison.Ordinal)) ? null : relative;
    }

    private sealed class TextBlock
    {
        private readonly Dictionary<string, uint> _at = new(StringComparer.Ordinal) { [""] = 0 };
        private readonly MemoryStream _bytes = new();

        public TextBlock() => _bytes.WriteByte(0);

        public uint Add(string text)
        {
            if (_at.TryGetValue(text, out var at)) return at;
            at = (uint)_bytes.Length;
            _at.Add(text, at);
            _bytes.Write(Encoding.UTF8.GetBytes(text));
            _bytes.WriteByte(0);
            return at;
        }

        public byte[] ToArray() => _bytes.ToArray();
    }
}
