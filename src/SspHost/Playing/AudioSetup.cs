// Settings and what this machine has, made into the audio configuration that the engine gets.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using SspHost.Abi;
using SspHost.Configuration;
using SspHost.Devices;

namespace SspHost.Playing;

/// <summary>What audio will run on. Everything is decided; nothing is 0 or "auto" any more, except the patch's own quantum.</summary>
internal sealed record AudioSetup
{
    /// <summary>What is said where SCHED_FIFO is not to be had.</summary>
    public const string Remedy =
        "no real-time privilege: playing with a quantum of 128 and three periods; to mend it add 'USER - rtprio 95' and 'USER - memlock unlimited' to /etc/security/limits.d/ssphost.conf and log in again";

    private const int SafeQuantum = 128, SafePeriods = 3;
    private const int UsualPeriods = 4; // of the usual 32 frames: 2.7 ms, which an ordinary machine can hold
    private const int MostThreads = 8; // what a patch of this host's size can use

    /// <summary>Jacks of the panel: sixteen in, eight out.</summary>
    public const int PanelInputs = 16, PanelOutputs = 8;

    public required CardKind Card { get; init; }

    /// <summary>Name of the ALSA PCM.</summary>
    public string AlsaName { get; init; } = "";

    /// <summary>Name of the PCM of the inputs; empty: the same.</summary>
    public string CaptureName { get; init; } = "";

    /// <summary>Channel of the device behind each jack, from 1; 0 = none; empty = as the device has them.</summary>
    public ImmutableArray<int> InputChannels { get; init; } = [];

    /// <inheritdoc cref="InputChannels"/>
    public ImmutableArray<int> OutputChannels { get; init; } = [];

    /// <summary>Output jacks, from 1, that hold their voltage when frames are lost.</summary>
    public ImmutableArray<int> Hold { get; init; } = [];

    /// <summary>Lines of the calibrated jacks.</summary>
    public IReadOnlyDictionary<Jack, JackLine> Calibration { get; init; } = ImmutableDictionary<Jack, JackLine>.Empty;

    /// <summary>Volts at full scale of the device's jacks that nobody calibrated: a codec of the board knows what is built around it.</summary>
    public float OutputFullScale { get; init; } = JackLine.NominalFullScale;

    /// <inheritdoc cref="OutputFullScale"/>
    public float InputFullScale { get; init; } = JackLine.NominalFullScale;

    /// <summary>Recordings of a wav: device; empty: none.</summary>
    public string WavInput { get; init; } = "";

    /// <inheritdoc cref="WavInput"/>
    public string WavOutput { get; init; } = "";

    public required int Rate { get; init; }

    /// <summary>The quantum that was asked for; 0: each patch's own.</summary>
    public int QuantumOverride { get; init; }

    /// <summary>Frames of a period; 0: one quantum.</summary>
    public int Period { get; init; }

    public required int Periods { get; init; }

    public int Inputs { get; init; } = PanelInputs;

    public int Outputs { get; init; } = PanelOutputs;

    public required int Threads { get; init; }

    public ImmutableArray<int> Cores { get; init; } = [];

    /// <summary>Lines to say at start: which device and why, what privilege is missing.</summary>
    public ImmutableArray<string> Remarks { get; init; } = [];

    /// <summary>The quantum for a patch that asks for <paramref name="patch"/> frames.</summary>
    public int QuantumFor(int patch) => QuantumOverride != 0 ? QuantumOverride : patch;

    /// <summary>Decides. <paramref name="realTime"/>: whether SCHED_FIFO is to be had; <paramref name="card"/>: whether there is a sound card.</summary>
    public static AudioSetup Decide(Settings s, bool realTime, bool card, int availableCores)
    {
        var remarks = ImmutableArray.CreateBuilder<string>();
        var device = s.Device.Value;
        if (device == "auto")
        {
            device = card ? "alsa:default" : "sim";
            remarks.Add(card ? "device: alsa:default" : "device: no sound card, playing on the simulated one (--device names another)");
        }
        else
        {
            remarks.Add("device: " + device);
        }

        if (!realTime) remarks.Add(Remedy);
        var setup = new AudioSetup
        {
            Card = CardKind.Simulated,
            Rate = s.Rate.Value,
            QuantumOverride = s.Quantum.Value != 0 || realTime ? s.Quantum.Value : SafeQuantum,
            Period = s.Period.Value,
            Periods = s.Periods.Value != 0 ? s.Periods.Value : realTime ? UsualPeriods : SafePeriods,
            Threads = s.Cores.Value.Length > 0 ? s.Cores.Value.Length : Math.Clamp(availableCores - 1, 1, MostThreads),
            Cores = s.Cores.Value,
            Remarks = remarks.ToImmutable(),
        };
        if (device.StartsWith("alsa:", StringComparison.Ordinal)) return setup.OnAlsa(device[5..], s);
        if (!device.StartsWith("wav:", StringComparison.Ordinal)) return setup;
        var files = device[4..].Split(',');
        return setup with { Card = CardKind.PacedStream, WavInput = files[0], WavOutput = files[1] };
    }

    private AudioSetup OnAlsa(string name, Settings s) => this with
    {
        Card = CardKind.Alsa,
        AlsaName = name,
        CaptureName = s.CaptureDevice.Value.Length > 0 ? s.CaptureDevice.Value[5..] : "",
        InputChannels = s.InputChannels.Value,
        OutputChannels = s.OutputChannels.Value,
        Inputs = s.InputChannels.Value.Length > 0 ? s.InputChannels.Value.Length : PanelInputs,
        Outputs = s.OutputChannels.Value.Length > 0 ? s.OutputChannels.Value.Length : PanelOutputs,
        Hold = s.Hold.Value,
        OutputFullScale = FullScaleOf(name, s.Board.Value.Codec),
        InputFullScale = FullScaleOf(s.CaptureDevice.Value.Length > 0 ? s.CaptureDevice.Value[5..] : name, s.Board.Value.Codec),
    };

    /// <summary>Whether a PCM is one of the card that is the board's codec.</summary>
    public static bool IsCodec(string pcm, Board.CodecSettings codec) =>
        codec.Chip.Length > 0 && SoundCards.StableName(pcm).StartsWith($"hw:CARD={codec.Card},", StringComparison.Ordinal);

    private static float FullScaleOf(string pcm, Board.CodecSettings codec) => IsCodec(pcm, codec) ? (float)codec.FullScale : JackLine.NominalFullScale;

    /// <summary>A jack's line, calibrated or not.</summary>
    public JackLine LineOf(Jack jack) =>
        Calibration.TryGetValue(jack, out var line) ? line : new JackLine(jack.Side == JackSide.In ? InputFullScale : OutputFullScale, 0);

    /// <summary>The same as the engine is told it: 0 at full scale is a card's usual line.</summary>
    public JackLine EngineLineOf(Jack jack) => Calibration.ContainsKey(jack) || LineOf(jack) != JackLine.Nominal ? LineOf(jack) : default;

    /// <summary>The jacks as the converter has them, where a full scale is a full scale: what a calibration starts from.</summary>
    public AudioSetup Raw => this with { Calibration = ImmutableDictionary<Jack, JackLine>.Empty, OutputFullScale = JackLine.NominalFullScale, InputFullScale = JackLine.NominalFullScale };

    /// <summary>With the calibration of its devices, and a remark on a file that cannot be used.</summary>
    public AudioSetup Calibrated(CalibrationFile file)
    {
        if (Card != CardKind.Alsa) return this;
        if (file.Trouble is { } trouble) return this with { Remarks = Remarks.Add(trouble + "; playing without calibration") };
        var lines = file.Of(SoundCards.StableName(AlsaName)).Where(j => j.Key.Side == JackSide.Out)
            .Concat(file.Of(SoundCards.StableName(CaptureName.Length > 0 ? CaptureName : AlsaName)).Where(j => j.Key.Side == JackSide.In))
            .ToDictionary();
        return this with { Calibration = lines };
    }

    /// <summary>What is wrong with the cores that were asked for, or null. <paramref name="allowed"/>: what this process may run on.</summary>
    public static string? CheckCores(ImmutableArray<int> asked, IReadOnlyCollection<int> allowed)
    {
        foreach (var core in asked)
            if (!allowed.Contains(core)) return string.Create(CultureInfo.InvariantCulture, $"core {core}: not one this process may use; expected {string.Join(", ", allowed)}");
        return null;
    }

    /// <summary>The cores this process may run on, from the kernel's list ("0-3,6").</summary>
    public static IReadOnlyCollection<int> AllowedCores()
    {
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)) ?? "";
        var cores = new List<int>();
        foreach (var part in line[(line.IndexOf(':') + 1)..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split('-');
            for (var c = int.Parse(ends[0], CultureInfo.InvariantCulture); c <= int.Parse(ends[^1], CultureInfo.InvariantCulture); c++) cores.Add(c);
        }

        return cores;
    }

    /// <summary>The engine's form of it.</summary>
    public unsafe AudioConfig ToConfig(int quantum)
    {
        var config = new AudioConfig
        {
            Card = Card,
            Rate = Rate,
            Quantum = quantum,
            Period = Period != 0 ? Period : quantum,
            Periods = Periods,
            Inputs = Inputs,
            Outputs = Outputs,
            Threads = Threads,
        };
        for (var i = 0; i < Limits.MaxThreads; i++) config.Cores[i] = i < Cores.Length ? Cores[i] : -1;
        Put(AlsaName, config.Device);
        Put(CaptureName, config.CaptureDevice);
        for (var j = 0; j < InputChannels.Length; j++) config.InputChannels[j] = (sbyte)(InputChannels[j] == 0 ? -1 : InputChannels[j]);
        for (var j = 0; j < OutputChannels.Length; j++) config.OutputChannels[j] = (sbyte)(OutputChannels[j] == 0 ? -1 : OutputChannels[j]);
        foreach (var jack in Hold) config.HoldOutputs |= 1u << (jack - 1);
        for (var j = 0; j < Limits.MaxJacks; j++)
        {
            var (input, output) = (EngineLineOf(new Jack(JackSide.In, j + 1)), EngineLineOf(new Jack(JackSide.Out, j + 1)));
            (config.InputFullScale[j], config.InputZero[j]) = (input.FullScale, input.Zero);
            (config.OutputFullScale[j], config.OutputZero[j]) = (output.FullScale, output.Zero);
        }

        return config;
    }

    private static unsafe void Put(string name, byte* target)
    {
        const int Most = AudioConfig.DeviceBytes - 1;
        var bytes = Encoding.UTF8.GetBytes(name);
        bytes.AsSpan(0, Math.Min(bytes.Length, Most)).CopyTo(new Span<byte>(target, Most));
    }

    /// <summary>One line on what runs: "48000 Hz, quantum 32, period 32 x 2, 1 thread".</summary>
    public string Describe(int quantum) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Rate} Hz, quantum {quantum}, {Periods} periods of {(Period != 0 ? Period : quantum)}, {Threads} thread{(Threads == 1 ? "" : "s")}, {Inputs} in, {Outputs} out");
}
