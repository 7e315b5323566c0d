// A record of the descriptor blob as the engine needs it: ranges, rules and counts, read without an allocation, wherever it came from.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Loading;

/// <summary>
/// Reads one record after the other. What is not a record, or breaks a limit of the engine, makes <see cref="Sound"/> false for good: a blob may
/// come from another process. [steward]
/// </summary>
internal unsafe struct DescriptorEye(byte* bytes, long length)
{
    private long _at;

    /// <summary>Whether everything so far was as it should be.</summary>
    public bool Sound { get; private set; } = true;

    /// <summary>Bytes read.</summary>
    public readonly long At => _at;

    /// <summary>A whole number.</summary>
    public int Number()
    {
        if (!Sound || length - _at < sizeof(int))
        {
            Sound = false;
            return 0;
        }

        var value = Unsafe.ReadUnaligned<int>(bytes + _at);
        _at += sizeof(int);
        return value;
    }

    /// <summary>
    /// Reads a record; into a type, with its tables in a block of the pool, or, without one, only over it. <paramref name="id"/>: where its id lies,
    /// and how long it is.
    /// </summary>
    public bool Record(ModuleType* type, Pool* pool, out byte* id, out int idBytes)
    {
        id = Text(out idBytes);
        Sound &= idBytes > 0;
        var version = (uint)Number();
        for (var i = 0; i < 5; i++) _ = Text(out _); // name, family, text, help, file
        var start = this;
        var inputs = Ports(null);
        var outputs = Ports(null);
        var (through, parameters) = (0UL, Parameters(null));
        var settings = Settings(null);
        var assets = Count(Limits.MaxAssets);
        for (var i = 0; i < assets * 3; i++) _ = Text(out _);
        var telemetry = Telemetry();
        var (state, flags) = (Number(), Number());
        Sound &= state >= 0;
        if (!Sound || type == null) return Sound;

        var need = (parameters * (long)sizeof(ParameterRange)) + (settings * (long)sizeof(SettingRange)) + ((inputs + outputs) * (long)sizeof(PortRule));
        var block = (byte*)pool->Allocate(0, Math.Max(1, need), 0);
        if (block == null) return Sound = false;
        NativeMemory.Clear(block, (nuint)need);
        var place = block;
        type->Tables = block;
        type->Parameters = (ParameterRange*)place;
        place += parameters * sizeof(ParameterRange);
        type->Settings = (SettingRange*)place;
        place += settings * sizeof(SettingRange);
        type->Inputs = (PortRule*)place;
        place += inputs * sizeof(PortRule);
        type->Outputs = (PortRule*)place;
        _ = start.Ports(type->Inputs);
        _ = start.Ports(type->Outputs);
        _ = start.Parameters(type->Parameters);
        _ = start.Settings(type->Settings);
        for (var p = 0; p < Math.Min(inputs, outputs); p++)
        {
            if (type->Inputs[p].Kind == PortKind.Cable && type->Outputs[p].Kind == PortKind.Cable) through |= 1UL << p;
        }

        type->Through = through;
        var entry = &type->Entry;
        (entry->Inputs, entry->Outputs, entry->Parameters, entry->Settings, entry->Assets) = (inputs, outputs, parameters, settings, assets);
        (entry->TelemetryFloats, entry->StateBytes, entry->Version) = (telemetry, state, version);
        (entry->AcceptsEvents, entry->HasTail, entry->Sheddable) = ((flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
        return true;
    }

    /// <summary>Instead of a record: the file that it names.</summary>
    public byte* File(out int count)
    {
        _ = Text(out _); // id
        _ = Number();
        for (var i = 0; i < 4; i++) _ = Text(out _); // name, family, text, help
        return Text(out count);
    }

    private int Ports(PortRule* rules)
    {
        var count = Count(Limits.MaxPorts);
        for (var i = 0; i < count; i++)
        {
            for (var t = 0; t < 3; t++) _ = Text(out _);
            var (rule, channels, kind) = (Number(), Number(), Number());
            Sound &= rule is >= 0 and <= (int)ChannelRule.Setting && kind is 0 or (int)PortKind.Device && channels is >= 0 and <= byte.MaxValue;
            if (rules != null) rules[i] = new PortRule { Rule = (ChannelRule)rule, Channels = (byte)channels, Kind = (PortKind)kind };
        }

        return count;
    }

    private int Parameters(ParameterRange* ranges)
    {
        var count = Count(Limits.MaxParameters);
        for (var i = 0; i < count; i++)
        {
            for (var t = 0; t < 3; t++) _ = Text(out _);
            var (min, max, usual) = (Real(), Real(), Real());
            var curve = (ParameterCurve)Number();
            _ = Text(out _);
            Texts();
            Sound &= float.IsFinite(min) && float.IsFinite(max) && min <= max && usual >= min && usual <= max && curve <= ParameterCurve.Stepped
                && (curve != ParameterCurve.Exponential || min > 0);
            if (ranges != null) ranges[i] = new ParameterRange { Min = min, Max = max, Default = usual, Curve = curve };
        }

        return count;
    }

    private int Settings(SettingRange* ranges)
    {
        var count = Count(Limits.MaxParameters);
        for (var i = 0; i < count; i++)
        {
            for (var t = 0; t < 2; t++) _ = Text(out _);
            var (min, max, usual) = (Number(), Number(), Number());
            _ = Text(out _);
            Texts();
            Sound &= min <= usual && usual <= max;
            if (ranges != null) ranges[i] = new SettingRange { Min = min, Max = max };
        }

        return count;
    }

    private int Telemetry()
    {
        const int Most = 1 << 16;
        var (count, floats) = (Count(Limits.MaxParameters), 0L);
        for (var i = 0; i < count; i++)
        {
            _ = Text(out _);
            var (kind, floatsOfIt) = (Number(), Number());
            Sound &= kind is >= 0 and <= (int)TelemetryKind.Recording && floatsOfIt is > 0 and <= Most;
            floats += floatsOfIt;
            for (var t = 0; t < 2; t++) _ = Text(out _);
        }

        Sound &= floats <= Most;
        return (int)Math.Min(floats, Most);
    }

    private int Count(int most)
    {
        var count = Number();
        if (count >= 0 && count <= most) return count;
        Sound = false;
        return 0;
    }

    private float Real() => BitConverter.Int32BitsToSingle(Number());

    private byte* Text(out int count)
    {
        count = Number();
        if (!Sound || count < 0 || count > length - _at)
        {
            Sound = false;
            count = 0;
            return null;
        }

        var text = bytes + _at;
        _at += count;
        return text;
    }

    private void Texts()
    {
        var count = Number();
        for (var i = 0; i < count && Sound; i++) _ = Text(out _);
        Sound &= count >= 0;
    }
}
