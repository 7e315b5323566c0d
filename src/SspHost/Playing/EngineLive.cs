// The engine as the panel sees it: one short look a frame, everything copied, so that an engine that dies takes nothing with it.
using System.Text;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Patching;

namespace SspHost.Playing;

/// <summary>
/// Not thread-safe: the panel's thread owns it. A look allocates nothing unless the engine has other modules than at the look before; it takes no
/// request and waits for nobody.
/// </summary>
internal sealed unsafe class EngineLive : ILive
{
    // Without a new plan the table is still read this often: while audio is stopped, nothing tells of one.
    private const ulong RescanNs = 250_000_000;
    private const ulong LoadNs = 1_000_000_000;

    private readonly IEngineSource _engine;
    private readonly DescriptorIndex _modules;
    private readonly Func<ulong> _now;
    private readonly Func<EngineLink, bool> _look;
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);
    private readonly Tap[] _taps = new Tap[ILive.Taps];
    private readonly float[] _inputPeaks = new float[Limits.MaxJacks], _outputPeaks = new float[Limits.MaxJacks];
    private AudioStatus _audio;
    private int _generation = -1;
    private ulong _plan, _scanned;

    /// <param name="engine">The engine.</param>
    /// <param name="modules">Its module types.</param>
    /// <param name="now">CLOCK_MONOTONIC in ns; null: the system's.</param>
    public EngineLive(IEngineSource engine, DescriptorIndex modules, Func<ulong>? now = null)
    {
        (_engine, _modules, _now, _look) = (engine, modules, now ?? Linux.Now, Look);
        for (var t = 0; t < _taps.Length; t++) _taps[t] = new Tap();
    }

    /// <summary>A module of the patch in the engine.</summary>
    private sealed class Seen(int slot, ulong key, ModuleType? type)
    {
        public readonly int Slot = slot;
        public readonly ulong Key = key;
        public readonly ModuleType? Type = type;
        public readonly float[] Levels = new float[type?.Descriptor.Outputs.Count ?? 0];
        public readonly float[] Parameters = new float[type?.Descriptor.Parameters.Count ?? 0];
        public readonly float[] Telemetry = new float[type?.Descriptor.TelemetryFloats ?? 0];
        public ShedReason Shed;
        public ulong LoadSince, Nanoseconds, Looks;
        public float Load = float.NaN;
        public bool Here;
    }

    private sealed class Tap
    {
        public readonly float[] Samples = new float[ILive.TapSamples];
        public PortRef? Output;
        public ulong Aim;
        public int Count;
    }

    public bool Playing { get; private set; }

    public int Rate => Playing ? _audio.Rate : 0;

    public int Quantum => Playing ? _audio.Quantum : 0;

    public float Load => Playing ? _audio.Load : 0;

    public ulong Dropouts => _audio.Dropouts;

    public ulong Late => _audio.Late;

    public ReadOnlySpan<float> InputPeaks => Playing ? _inputPeaks.AsSpan(0, Math.Clamp(_audio.Inputs, 0, Limits.MaxJacks)) : default;

    public ReadOnlySpan<float> OutputPeaks => Playing ? _outputPeaks.AsSpan(0, Math.Clamp(_audio.Outputs, 0, Limits.MaxJacks)) : default;

    public void Refresh()
    {
        if (_engine.Try(_look, otherwise: false)) return;
        Forget();
        _audio = default;
        Playing = false;
        _generation = -1;
    }

    public ReadOnlySpan<float> OutputLevels(string module) => _seen.TryGetValue(module, out var m) && m.Here ? m.Levels : default;

    public ReadOnlySpan<float> Parameters(string module) => _seen.TryGetValue(module, out var m) && m.Here ? m.Parameters : default;

    public ReadOnlySpan<float> Telemetry(string module, int entry)
    {
        if (!_seen.TryGetValue(module, out var m) || !m.Here || m.Type is null || (uint)entry >= (uint)m.Type.Descriptor.Telemetry.Count) return default;
        var at = 0;
        for (var i = 0; i < entry; i++) at += m.Type.Descriptor.Telemetry[i].Length;
        return m.Telemetry.AsSpan(at, m.Type.Descriptor.Telemetry[entry].Length);
    }

    public void Watch(int tap, PortRef? output)
    {
        if (_taps[tap].Output == output) return;
        _taps[tap].Output = output;
        _taps[tap].Count = 0;
    }

    public ReadOnlySpan<float> Samples(int tap) => _taps[tap].Samples.AsSpan(ILive.TapSamples - _taps[tap].Count);

    public float ModuleLoad(string module) => _seen.TryGetValue(module, out var m) && m.Here ? m.Load : float.NaN;

    public string? Shed(string module) => !_seen.TryGetValue(module, out var m) || !m.Here ? null : m.Shed switch
    {
        ShedReason.None => null,
        ShedReason.Failures => "failures",
        ShedReason.Overload => "overload",
        ShedReason.Stuck => "stuck",
        ShedReason.Fault => "fault",
        _ => "switched off",
    };

    private bool Look(EngineLink link)
    {
        var now = _now();
        if (_generation != _engine.Generation)
        {
            Forget();
            _generation = _engine.Generation;
            _scanned = 0;
        }

        if (!link.TryAudio(out _audio)) _audio = default;
        Playing = link.State == EngineState.Playing && _audio.Rate != 0;
        for (var j = 0; j < Limits.MaxJacks; j++) (_inputPeaks[j], _outputPeaks[j]) = (_audio.InputPeaks[j], _audio.OutputPeaks[j]);
        if (_scanned == 0 || _audio.PlanSerial != _plan || now - _scanned >= RescanNs) Scan(link.Map, now);
        foreach (var m in _seen.Values) Copy(link.Map, m, now);
        for (var t = 0; t < _taps.Length; t++) Tapped(link, t);
        return true;
    }

    private void Forget()
    {
        _seen.Clear();
        foreach (var t in _taps) (t.Aim, t.Count) = (0, 0);
    }

    // Who plays under which name. One that is leaving gives its name to the one that comes.
    private void Scan(RegionMap map, ulong now)
    {
        (_plan, _scanned) = (_audio.PlanSerial, now);
        foreach (var m in _seen.Values) m.Here = false;
        var find = _seen.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> name = stackalloc char[InstanceRecord.NameBytes];
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var record = map.Instances + slot;
            if (Volatile.Read(ref *(uint*)&record->State) != (uint)InstanceState.Active) continue;
            var bytes = new ReadOnlySpan<byte>(record->Name, InstanceRecord.NameBytes);
            var end = bytes.IndexOf((byte)0);
            if (!Encoding.UTF8.TryGetChars(end < 0 ? bytes : bytes[..end], name, out var length)) continue;
            if (find.TryGetValue(name[..length], out var m) && m.Slot == slot && m.Key == record->Key)
            {
                m.Here = true;
                continue;
            }

            var types = _modules.Types;
            var type = (uint)record->Module < (uint)types.Count ? types[record->Module] : null;
            find[name[..length]] = new Seen(slot, record->Key, type) { Here = true };
        }
    }

    private void Copy(RegionMap map, Seen m, ulong now)
    {
        if (!m.Here) return;
        var record = map.Instances + m.Slot;
        m.Shed = record->Shed;
        if (!Playing) m.Levels.AsSpan().Clear();
        else if (Within(map, record->Levels, Abi.OutputLevels.BytesFor(m.Levels.Length))) Abi.OutputLevels.Read((OutputLevels*)map.At(record->Levels), _audio.Window, m.Levels);
        if (Within(map, record->Parameters, m.Parameters.Length * (long)(Limits.GridPoints * sizeof(float))))
        {
            var rows = (float*)map.At(record->Parameters);
            for (var p = 0; p < m.Parameters.Length; p++) m.Parameters[p] = rows[p * Limits.GridPoints];
        }

        if (Within(map, record->Telemetry, m.Telemetry.Length * (long)sizeof(float)))
            new ReadOnlySpan<float>(map.At(record->Telemetry), m.Telemetry.Length).CopyTo(m.Telemetry);
        TakeLoad(record, m, now);

        // Its memory may have become another's meanwhile.
        Thread.MemoryBarrier();
        if (record->Key == m.Key && record->State == InstanceState.Active) return;
        m.Here = false;
        _scanned = 0;
    }

    private static bool Within(RegionMap map, long offset, long bytes) => offset > 0 && bytes > 0 && offset <= map.Bytes - bytes;

    // Asleep is a load of nothing; neither called nor asleep: nobody measures.
    private void TakeLoad(InstanceRecord* record, Seen m, ulong now)
    {
        var (looks, nanoseconds) = (record->Calls + record->Slept, record->Nanoseconds);
        if (m.LoadSince != 0 && now - m.LoadSince < LoadNs) return;
        if (m.LoadSince != 0) m.Load = Playing && looks != m.Looks ? (nanoseconds - m.Nanoseconds) / (float)(now - m.LoadSince) : float.NaN;
        (m.LoadSince, m.Nanoseconds, m.Looks) = (now, nanoseconds, looks);
    }

    private void Tapped(EngineLink link, int number)
    {
        var tap = _taps[number];
        ulong aim = 0;
        if (tap.Output is { } output && _seen.TryGetValue(output.Module, out var m) && m.Here && m.Type?.Output(output.Port) is { } port and >= 0)
            aim = SignalTap.AimAt(m.Slot, m.Key, port);
        if (aim != tap.Aim)
        {
            link.SetTap(number, aim);
            tap.Aim = aim;
        }

        tap.Count = link.Map.Taps[number].Read(aim, tap.Samples);
    }
}
