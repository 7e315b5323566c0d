// An ELF relocatable object: sections, symbols, relocations, and nothing the proof does not ask for.
namespace SspHost.Proof;

/// <summary>What the code is for.</summary>
internal enum Machine
{
    X64 = 62,
    Arm64 = 183,
}

/// <summary>A section; <see cref="Data"/> is empty where the file holds none of it.</summary>
internal sealed record ElfSection(int Index, string Name, uint Type, ulong Flags, Bytes Data)
{
    private const ulong Write = 1, Execute = 4;

    public bool IsCode => (Flags & Execute) != 0;

    public bool IsWritable => (Flags & Write) != 0;
}

/// <summary>A symbol; section 0 is undefined.</summary>
internal readonly record struct ElfSymbol(string Name, int Kind, bool IsLocal, int Section, ulong Value, ulong Size)
{
    private const int Function = 2, SectionSymbol = 3;

    public bool IsFunction => Kind == Function;

    public bool IsSection => Kind == SectionSymbol;
}

/// <summary>What the linker is to write at an offset.</summary>
internal readonly record struct ElfRelocation(ulong Offset, uint Type, int Symbol, long Addend);

/// <summary>A 64-bit little-endian relocatable object of x86-64 or arm64. System V ABI, chapter 4, and its two processor supplements.</summary>
internal sealed class ElfObject
{
    private const uint SymbolTable = 2, Rela = 4, NoBits = 8, Rel = 9;

    private readonly Dictionary<int, ElfRelocation[]> _relocations = [];

    private ElfObject(string name, Machine machine)
    {
        Name = name;
        Machine = machine;
    }

    public string Name { get; }

    public Machine Machine { get; }

    public List<ElfSection> Sections { get; } = [];

    public ElfSymbol[] Symbols { get; private set; } = [];

    /// <summary>Relocations of a section in the order of their offsets.</summary>
    public ReadOnlySpan<ElfRelocation> Relocations(int section) => _relocations.TryGetValue(section, out var found) ? found : [];

    /// <summary>Index of the first relocation at or after an offset.</summary>
    public int RelocationAt(int section, ulong offset)
    {
        var all = Relocations(section);
        var (low, high) = (0, all.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (all[middle].Offset < offset) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    /// <summary>Reads an object.</summary>
    public static ElfObject Read(Bytes file)
    {
        if (file.Length < 64) throw new ProofException($"{file.File}: is no object file: it has {file.Length} bytes, the header alone has 64");
        if (file.U32(0) != 0x464C457F) throw new ProofException($"{file.File}: is no ELF file: the first four bytes are {file.U32(0):x8}");
        if (file.U8(4) != 2 || file.U8(5) != 1) throw new ProofException($"{file.File}: is no 64-bit little-endian ELF file");
        if (file.U16(16) != 1) throw new ProofException($"{file.File}: is not relocatable (type {file.U16(16)}): the proof reads what ILC wrote, not what was linked");
        var machine = (Machine)file.U16(18);
        if (machine is not (Machine.X64 or Machine.Arm64)) throw new ProofException($"{file.File}: machine {(int)machine} is neither x86-64 nor arm64");
        if (file.U16(58) != 64) throw new ProofException($"{file.File}: section headers of {file.U16(58)} bytes, expected 64");

        var result = new ElfObject(file.File, machine);
        result.ReadSections(file);
        foreach (var section in result.Sections)
        {
            if (section.Type == SymbolTable) result.ReadSymbols(file, section);
            if (section.Type == Rel && section.Data.Length > 0)
                throw new ProofException($"{file.File}: section {section.Name}: relocations without addends are not of these machines");
        }

        foreach (var section in result.Sections)
            if (section.Type == Rela) result.ReadRelocations(file, section);
        return result;
    }

    private void ReadSections(Bytes file)
    {
        var at = file.U64(40);
        ulong count = file.U16(60);
        ulong names = file.U16(62);
        if (count == 0 && at != 0) count = file.U64(at + 32); // more than fit into 16 bits
        if (names == 0xFFFF) names = file.U32(at + 40);
        if (count > (ulong)file.Length / 64) throw new ProofException($"{file.File}: {count} sections do not fit into {file.Length} bytes");
        if (names >= count) throw new ProofException($"{file.File}: section {names} holds the names, of {count}");
        var headers = file.Slice(at, count * 64);
        var nameTable = file.Slice(headers.U64((names * 64) + 24), headers.U64((names * 64) + 32));
        for (ulong i = 0; i < count; i++)
        {
            var h = i * 64;
            var type = headers.U32(h + 4);
            var data = type is NoBits or 0 ? new Bytes(file.File, default) : file.Slice(headers.U64(h + 24), headers.U64(h + 32));
            Sections.Add(new ElfSection((int)i, nameTable.Text(headers.U32(h)), type, headers.U64(h + 8), data));
        }
    }

    // sh_link and sh_info, which only the reading of tables needs.
    private (int Link, int Info) Links(Bytes file, ElfSection section)
    {
        var at = file.U64(40) + ((ulong)section.Index * 64);
        var link = file.U32(at + 40);
        var info = file.U32(at + 44);
        if (link >= Sections.Count || (section.Type == Rela && info >= Sections.Count))
            throw new ProofException($"{file.File}: section {section.Name}: refers to section {Math.Max(link, info)} of {Sections.Count}");
        return ((int)link, (int)info);
    }

    private void ReadSymbols(Bytes file, ElfSection table)
    {
        var names = Sections[Links(file, table).Link].Data;
        var symbols = new ElfSymbol[table.Data.Length / 24];
        for (var i = 0; i < symbols.Length; i++)
        {
            var at = (ulong)i * 24;
            var info = table.Data.U8(at + 4);
            int section = table.Data.U16(at + 6);
            if (section is >= 0xFF00) section = 0; // absolute, common: no code lies there
            if (section >= Sections.Count) throw new ProofException($"{file.File}: symbol {i} lies in section {section} of {Sections.Count}");
            symbols[i] = new ElfSymbol(names.Text(table.Data.U32(at)), info & 15, info >> 4 == 0, section, table.Data.U64(at + 8), table.Data.U64(at + 16));
        }

        Symbols = symbols;
    }

    private void ReadRelocations(Bytes file, ElfSection table)
    {
        var section = Links(file, table).Info;
        var list = new ElfRelocation[table.Data.Length / 24];
        var sorted = true;
        for (var i = 0; i < list.Length; i++)
        {
            var at = (ulong)i * 24;
            var info = table.Data.U64(at + 8);
            var symbol = info >> 32;
            if (symbol >= (ulong)Symbols.Length) throw new ProofException($"{file.File}: {table.Name}: relocation {i} names symbol {symbol} of {Symbols.Length}");
            list[i] = new ElfRelocation(table.Data.U64(at), (uint)info, (int)symbol, (long)table.Data.U64(at + 16));
            sorted &= i == 0 || list[i - 1].Offset <= list[i].Offset;
        }

        if (!sorted) Array.Sort(list, static (a, b) => a.Offset.CompareTo(b.Offset));
        if (!_relocations.TryAdd(section, list)) throw new ProofException($"{file.File}: section {Sections[section].Name} has two tables of relocations");
    }
}
