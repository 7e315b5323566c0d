// Several objects as one program: which function begins where, and what a symbol means across objects.
namespace SspHost.Proof;

/// <summary>A function as a symbol delimits it.</summary>
internal sealed class Function(ElfObject home, int section, ulong start, ulong size, string symbol)
{
    public ElfObject Home => home;

    public int Section => section;

    public ulong Start => start;

    public ulong Size => size;

    public ulong End => start + size;

    /// <summary>The longest of its symbols: the one that says where it comes from.</summary>
    public string Symbol { get; private set; } = symbol;

    /// <summary>For people and patterns.</summary>
    public string Name { get; private set; } = Names.Readable(symbol);

    /// <summary>Every symbol that stands for it.</summary>
    public List<string> Symbols { get; } = [symbol];

    public Bytes Code => home.Sections[section].Data.Slice(start, size);

    public bool Contains(ulong at) => at >= start && at < start + size;

    public void AddName(string other)
    {
        Symbols.Add(other);
        if (other.Length <= Symbol.Length) return;
        Symbol = other;
        Name = Names.Readable(other);
    }
}

/// <summary>What a reference leads to: a function, a name nobody here defines, or data.</summary>
internal readonly record struct Referent(Function? Function, string? External, ElfSection? Section, ulong Offset, string? Symbol);

/// <summary>The objects of a program and their functions.</summary>
internal sealed class Image
{
    private readonly Dictionary<(ElfObject Home, int Section), Dictionary<ulong, Function>> _functions = [];
    private readonly Dictionary<string, (ElfObject Home, ElfSymbol Symbol)> _globals = new(StringComparer.Ordinal);

    private readonly Dictionary<Function, List<Flow>> _flows = [];
    private readonly Dictionary<ElfObject, LineTable> _lines = [];
    private readonly ICodeReader _reader;

    public Image(IEnumerable<ElfObject> objects)
    {
        foreach (var o in objects) Add(o);
        if (Objects.Count == 0) throw new ProofException("no objects to prove anything of");
        _reader = Machine == Machine.X64 ? new X64Code() : new Arm64Code();
        Functions = [.. _functions.Values.SelectMany(static f => f.Values).OrderBy(static f => f.Name, StringComparer.Ordinal)];
    }

    public List<ElfObject> Objects { get; } = [];

    public Machine Machine => Objects[0].Machine;

    /// <summary>All of them, by name.</summary>
    public IReadOnlyList<Function> Functions { get; }

    /// <summary>Where control goes from a function; taken apart once.</summary>
    public List<Flow> FlowsOf(Function function)
    {
        if (!_flows.TryGetValue(function, out var flows)) _flows.Add(function, flows = _reader.Read(this, function));
        return flows;
    }

    /// <summary>Source of an instruction, or null.</summary>
    public string? LineOf(Function function, ulong at)
    {
        if (!_lines.TryGetValue(function.Home, out var table)) _lines.Add(function.Home, table = new LineTable(function.Home));
        return table.Find(function.Section, at);
    }

    /// <summary>The function that begins at an offset, or null.</summary>
    public Function? StartingAt(ElfObject home, int section, ulong offset) =>
        _functions.TryGetValue((home, section), out var list) && list.TryGetValue(offset, out var f) ? f : null;

    /// <summary>What a relocation refers to, <paramref name="addend"/> bytes behind its symbol.</summary>
    public Referent Resolve(ElfObject home, int symbol, long addend)
    {
        var s = home.Symbols[symbol];
        if (s.Section == 0)
        {
            if (!_globals.TryGetValue(s.Name, out var other)) return new Referent(null, s.Name, null, 0, s.Name);
            (home, s) = other;
        }

        var offset = s.Value + (ulong)addend;
        return new Referent(StartingAt(home, s.Section, offset), null, home.Sections[s.Section], offset, s.IsSection ? null : s.Name);
    }

    /// <summary>Whether a text ended by zero stands among the constants: a name that is looked up in a library at run time does.</summary>
    public bool HoldsText(string text)
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(text + '\0');
        return Objects.Exists(o => o.Sections.Exists(s => !s.IsCode && s.Name != ".strtab" && s.Data.Span.IndexOf(bytes) >= 0));
    }

    private void Add(ElfObject home)
    {
        if (Objects.Count > 0 && home.Machine != Machine)
            throw new ProofException($"{home.Name}: is for {home.Machine}, {Objects[0].Name} for {Machine}");
        Objects.Add(home);
        foreach (var symbol in home.Symbols)
        {
            if (symbol.Section == 0 || symbol.Name.Length == 0) continue;
            if (!symbol.IsLocal) _ = _globals.TryAdd(symbol.Name, (home, symbol));
            var section = home.Sections[symbol.Section];
            if (!symbol.IsFunction || !section.IsCode) continue;
            if (symbol.Value > (ulong)section.Data.Length || symbol.Size > (ulong)section.Data.Length - symbol.Value)
                throw new ProofException($"{home.Name}: {symbol.Name} has {symbol.Size} bytes at {symbol.Value} of {section.Name}, which has {section.Data.Length}");
            if (!_functions.TryGetValue((home, symbol.Section), out var list)) _functions.Add((home, symbol.Section), list = []);
            if (!list.TryGetValue(symbol.Value, out var function)) list.Add(symbol.Value, new Function(home, symbol.Section, symbol.Value, symbol.Size, symbol.Name));
            else if (function.Size == symbol.Size) function.AddName(symbol.Name);
            else throw new ProofException($"{home.Name}: {symbol.Name} and {function.Symbol} begin at the same place and have different lengths");
        }
    }
}
