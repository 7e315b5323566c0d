// What modules show of themselves (meters, steps, scopes, spectra, figures), read from the region: what `telemetry` sends.
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>One telemetry entry.</summary>
public sealed record TelemetryValue
{
    public required string Id { get; init; }

    /// <summary>
    /// "meter" (volts, peaks of the last quantum), "step" (0-based), "scope" (a ring of samples), "spectrum" (dB of 5 V at even ratios of
    /// frequency from 20 Hz to 20 kHz), "value" (figures in the entry's unit) or "recording" (on its way to a file: no values).
    /// </summary>
    public required string Kind { get; init; }

    /// <summary>Unit of the values, where they have one.</summary>
    public string? Unit { get; init; }

    /// <summary>What is shown, in a line, where the module says it.</summary>
    public string? Text { get; init; }

    /// <summary>A scope's write position: the oldest value is there.</summary>
    public int? At { get; init; }

    /// <summary>The values; null where one is no number.</summary>
    public required IReadOnlyList<float?> Values { get; init; }
}

/// <summary>A module's telemetry.</summary>
public sealed record ModuleTelemetry(string Name, string Module, IReadOnlyList<TelemetryValue> Telemetry);

/// <summary>Telemetry of several modules.</summary>
public sealed record TelemetryReport
{
    /// <inheritdoc cref="Moment"/>
    public required string Time { get; init; }

    /// <inheritdoc cref="Moment"/>
    public required string Monotonic { get; init; }

    public required IReadOnlyList<ModuleTelemetry> Modules { get; init; }

    /// <summary>Names that play no part at present.</summary>
    public required IReadOnlyList<string> Missing { get; init; }
}

/// <summary>Reads it.</summary>
public static unsafe class TelemetryReader
{
    /// <summary>
    /// Telemetry of an instance; null if the slot holds another one by now. Values are those of one moment or of two neighbouring quanta:
    /// the audio threads wait for no reader.
    /// </summary>
    public static ModuleTelemetry? Read(EngineLink link, string name, int slot, ulong key, ModuleDescriptor type)
    {
        if ((uint)slot >= Limits.MaxInstances) return null;
        var record = link.Map.Instances + slot;
        if (record->State == InstanceState.Free || record->Key != key) return null;
        var (offset, floats) = (record->Telemetry, type.TelemetryFloats);
        if (floats == 0) return new ModuleTelemetry(name, type.Id, []);
        if (offset <= 0 || offset > link.Map.Bytes - (floats * (long)sizeof(float))) return null;
        var from = (float*)link.Map.At(offset);
        var values = new TelemetryValue[type.Telemetry.Count];
        for (var i = 0; i < values.Length; i++)
        {
            // Sound on its way to a file is a megabyte and no figure to be shown.
            var entry = type.Telemetry[i];
            var own = entry.Kind == TelemetryKind.Recording ? [] : new ReadOnlySpan<float>(from, entry.Length).ToArray().AsSpan();
            from += entry.Length;
            var scope = entry.Kind == TelemetryKind.Scope && own.Length > 1;
            values[i] = new TelemetryValue
            {
                Id = entry.Id,
                Kind = IncidentKinds.WordOf(entry.Kind),
                Unit = entry.Unit.Length > 0 ? entry.Unit : null,
                Text = entry.Text.Length > 0 ? entry.Text : null,
                At = scope ? (int)Math.Clamp(float.IsFinite(own[0]) ? own[0] : 0, 0, own.Length - 2) : null,
                Values = Finite(scope ? own[1..] : own),
            };
        }

        if (Volatile.Read(ref record->Key) != key) return null; // it left while it was read: the floats may be anything
        return new ModuleTelemetry(name, type.Id, values);
    }

    private static float?[] Finite(ReadOnlySpan<float> values)
    {
        var finite = new float?[values.Length];
        for (var i = 0; i < finite.Length; i++) finite[i] = float.IsFinite(values[i]) ? values[i] : null;
        return finite;
    }
}
