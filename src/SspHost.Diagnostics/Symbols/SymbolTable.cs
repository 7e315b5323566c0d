// Names and lines by address: what a symbol file holds, and what is left of a library without one.
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Diagnostics.Symbols;

/// <summary>Where an address is.</summary>
/// <param name="Function">Name for people; null: not known.</param>
/// <param name="Offset">Bytes from the function's beginning.</param>
/// <param name="File">Path relative to the repository; null: not known.</param>
/// <param name="Line">From 1; 0: not known.</param>
public readonly record struct Place(string? Function, uint Offset, string? File, int Line)
{
    /// <summary>"function (file:line)", as far as it is known.</summary>
    public override string ToString() => (Function ?? "?") + (File != null ? FormattableString.Invariant($" ({File}:{Line})") : "");
}

/// <summary>
/// Sorted tables over one block of text. Addresses are relative to the lowest one of the image, so they fit 32 bits and hold wherever it is
/// loaded. File: "SSPSYM1\0", u32 functions, lines, bytes of text, bytes of the build id, 32 bytes of that; functions {address, size, name};
/// lines {address, file, line}, each valid until the next, line 0 = none; text: zero-terminated UTF-8, at 0 the empty one. Little-endian.
/// </summary>
public sealed class SymbolTable
{
    /// <summary>Bytes before the first function.</summary>
    public const int HeaderBytes = 56;

    private const int BuildIdBytes = 32, EntryBytes = 12;
    private readonly Function[] _functions;
    private readonly SourceLine[] _lines;
    private readonly byte[] _texts;

    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Function(uint Address, uint Size, uint Name);

    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct SourceLine(uint Address, uint File, uint Line);

    internal SymbolTable(Function[] functions, SourceLine[] lines, byte[] texts, byte[] buildId)
    {
        (_functions, _lines, _texts) = (functions, lines, texts);
        BuildId = buildId;
    }

    private static ReadOnlySpan<byte> Magic => "SSPSYM1\0"u8;

    /// <summary>Fingerprint of the image it was made from; empty: none.</summary>
    public byte[] BuildId { get; }

    /// <summary>Functions and lines there are.</summary>
    public int FunctionCount => _functions.Length;

    /// <inheritdoc cref="FunctionCount"/>
    public int LineCount => _lines.Length;

    /// <summary>What is at an address relative to the image's lowest. For a return address ask for the one before: the call.</summary>
    public Place Find(ulong address)
    {
        if (address > uint.MaxValue) return default;
        var at = (uint)address;
        var (name, offset) = ((string?)null, 0u);
        var f = Last(_functions, at, static x => x.Address);
        if (f >= 0 && at - _functions[f].Address < Math.Max(1, _functions[f].Size)) (name, offset) = (Text(_functions[f].Name), at - _functions[f].Address);
        var l = Last(_lines, at, static x => x.Address);
        return l >= 0 && _lines[l].Line != 0
            ? new Place(name, offset, Text(_lines[l].File), (int)Math.Min(_lines[l].Line, int.MaxValue))
            : new Place(name, offset, null, 0);
    }

    /// <summary>Reads a symbol file; <see cref="InvalidDataException"/> says what is wrong with it.</summary>
    public static SymbolTable Read(byte[] file, string name)
    {
        if (file.Length < HeaderBytes || !file.AsSpan(0, Magic.Length).SequenceEqual(Magic)) throw new InvalidDataException($"{name}: expected a symbol file (ssp symbols make)");
        var header = new ByteCursor(file, name);
        header.Skip((ulong)Magic.Length);
        var (functions, lines, texts, id) = (header.U32(), header.U32(), header.U32(), header.U32());
        var expected = HeaderBytes + (((ulong)functions + lines) * EntryBytes) + texts;
        if (expected != (ulong)file.Length || id > BuildIdBytes || texts == 0 || file[^1] != 0)
            throw new InvalidDataException($"{name}: {file.Length} bytes, expected {expected} for {functions} functions and {lines} lines");
        var table = new SymbolTable(
            MemoryMarshal.Cast<byte, Function>(file.AsSpan(HeaderBytes, (int)functions * EntryBytes)).ToArray(),
            MemoryMarshal.Cast<byte, SourceLine>(file.AsSpan(HeaderBytes + ((int)functions * EntryBytes), (int)lines * EntryBytes)).ToArray(),
            file.AsSpan(file.Length - (int)texts).ToArray(),
            file.AsSpan(HeaderBytes - BuildIdBytes, (int)id).ToArray());
        table.Check(name);
        return table;
    }

    /// <inheritdoc cref="Read"/>
    public static SymbolTable Open(string path) => Read(File.ReadAllBytes(path), path);

    /// <summary>The file's bytes.</summary>
    public byte[] Write()
    {
        var file = new byte[HeaderBytes + ((_functions.Length + _lines.Length) * EntryBytes) + _texts.Length];
        Magic.CopyTo(file);
        ReadOnlySpan<uint> counts = [(uint)_functions.Length, (uint)_lines.Length, (uint)_texts.Length, (uint)BuildId.Length];
        MemoryMarshal.AsBytes(counts).CopyTo(file.AsSpan(Magic.Length));
        BuildId.CopyTo(file, HeaderBytes - BuildIdBytes);
        MemoryMarshal.AsBytes<Function>(_functions).CopyTo(file.AsSpan(HeaderBytes));
        MemoryMarshal.AsBytes<SourceLine>(_lines).CopyTo(file.AsSpan(HeaderBytes + (_functions.Length * EntryBytes)));
        _texts.CopyTo(file, file.Length - _texts.Length);
        return file;
    }

    private void Check(string name)
    {
        for (var i = 0; i < _functions.Length; i++)
        {
            if (_functions[i].Name >= _texts.Length || (i > 0 && _functions[i].Address < _functions[i - 1].Address))
                throw new InvalidDataException($"{name}: function {i} is not in order, or its name is not there");
        }

        for (var i = 0; i < _lines.Length; i++)
        {
            if (_lines[i].File >= _texts.Length || (i > 0 && _lines[i].Address < _lines[i - 1].Address))
                throw new InvalidDataException($"{name}: line {i} is not in order, or its file is not there");
        }
    }

    private string Text(uint at)
    {
        var text = _texts.AsSpan((int)at);
        return Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]);
    }

    // Index of the last entry at or below an address; -1: none.
    private static int Last<T>(T[] table, uint address, Func<T, uint> addressOf)
    {
        var (low, high) = (0, table.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (addressOf(table[middle]) <= address) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }
}
