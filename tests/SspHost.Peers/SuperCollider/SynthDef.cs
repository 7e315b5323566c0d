// A SynthDef as scsynth reads it: SuperCollider's file format "SCgf", version 2 (Help: Synth Definition File Format).
using System.Buffers.Binary;
using System.Text;

namespace SspHost.Peers.SuperCollider;

/// <summary>Rate of a unit's calculation.</summary>
internal enum Rate : byte
{
    Scalar = 0,
    Control = 1,
    Audio = 2,
}

/// <summary>An input: an output of an earlier unit, or a number.</summary>
internal readonly record struct Input(int Unit, int Output, float Number)
{
    public static implicit operator Input(float number) => new(-1, 0, number);
}

/// <summary>A definition in the making; units run in the order in which they are added.</summary>
internal sealed class SynthDef(string name)
{
    private sealed record Unit(string Class, Rate Rate, Input[] Inputs, int Outputs, short Special);

    private readonly List<(string Name, float Value)> _parameters = [];
    private readonly List<Unit> _units = [];

    /// <summary>A parameter that /s_new sets; it becomes an output of the first unit, so it is asked for before all others.</summary>
    public Input Parameter(string parameter, float value)
    {
        if (_units.Count > 0) throw new InvalidOperationException("parameters come before units");
        _parameters.Add((parameter, value));
        return new Input(0, _parameters.Count - 1, 0);
    }

    /// <summary>A unit generator of one output. <paramref name="special"/>: the operator's number where the class is an operator.</summary>
    public Input Add(string unitClass, Rate rate, short special, params Input[] inputs) => AddUnit(unitClass, rate, 1, special, inputs);

    /// <summary>One that has none, such as Out.</summary>
    public void End(string unitClass, Rate rate, params Input[] inputs) => _ = AddUnit(unitClass, rate, 0, 0, inputs);

    private Input AddUnit(string unitClass, Rate rate, int outputs, short special, Input[] inputs)
    {
        if (_units.Count == 0 && _parameters.Count > 0) _units.Add(new Unit("Control", Rate.Control, [], _parameters.Count, 0));
        foreach (var i in inputs)
            if (i.Unit >= _units.Count) throw new ArgumentException("an input comes from a unit that is not there yet", nameof(inputs));
        _units.Add(new Unit(unitClass, rate, inputs, outputs, special));
        return new Input(_units.Count - 1, 0, 0);
    }

    /// <summary>The file: big-endian, names with their length before them.</summary>
    public byte[] ToBytes()
    {
        var numbers = _units.SelectMany(u => u.Inputs).Where(i => i.Unit < 0).Select(i => i.Number).Distinct().ToList();
        using var file = new MemoryStream();
        file.Write("SCgf"u8);
        Int32(file, 2);
        Int16(file, 1);
        Name(file, name);
        Int32(file, numbers.Count);
        foreach (var n in numbers) Float(file, n);
        Int32(file, _parameters.Count);
        foreach (var (_, value) in _parameters) Float(file, value);
        Int32(file, _parameters.Count);
        for (var i = 0; i < _parameters.Count; i++)
        {
            Name(file, _parameters[i].Name);
            Int32(file, i);
        }

        Int32(file, _units.Count);
        foreach (var u in _units)
        {
            Name(file, u.Class);
            file.WriteByte((byte)u.Rate);
            Int32(file, u.Inputs.Length);
            Int32(file, u.Outputs);
            Int16(file, u.Special);
            foreach (var i in u.Inputs)
            {
                Int32(file, i.Unit);
                Int32(file, i.Unit < 0 ? numbers.IndexOf(i.Number) : i.Output);
            }

            for (var o = 0; o < u.Outputs; o++) file.WriteByte((byte)u.Rate);
        }

        Int16(file, 0); // no variants
        return file.ToArray();
    }

    private static void Name(MemoryStream file, string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        if (bytes.Length is 0 or > 255) throw new ArgumentException($"expected a name of 1 to 255 characters, not {bytes.Length}", nameof(text));
        file.WriteByte((byte)bytes.Length);
        file.Write(bytes);
    }

    private static void Int16(MemoryStream file, short value)
    {
        Span<byte> b = stackalloc byte[2];
        BinaryPrimitives.WriteInt16BigEndian(b, value);
        file.Write(b);
    }

    private static void Int32(MemoryStream file, int value)
    {
        Span<byte> b = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(b, value);
        file.Write(b);
    }

    private static void Float(MemoryStream file, float value)
    {
        Span<byte> b = stackalloc byte[4];
        BinaryPrimitives.WriteSingleBigEndian(b, value);
        file.Write(b);
    }
}
