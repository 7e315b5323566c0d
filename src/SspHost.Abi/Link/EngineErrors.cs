// What a refused request means in words: what was asked, where it failed, what was expected.
using System.Globalization;

namespace SspHost.Abi.Link;

/// <summary>The engine refused a request and says why. The patch that plays goes on as it was.</summary>
public sealed class EngineRefusedException : Exception
{
    public EngineRefusedException(RequestKind kind, ReplyStatus status, BadPart part, int index, string message) : base(message)
    {
        Kind = kind;
        Status = status;
        Part = part;
        Index = index;
    }

    /// <summary>What was asked.</summary>
    public RequestKind Kind { get; }

    /// <summary>How it ended.</summary>
    public ReplyStatus Status { get; }

    /// <summary>The part that was bad, where the reply names one.</summary>
    public BadPart Part { get; }

    /// <summary>Index of that part (of a node, say), or -1.</summary>
    public int Index { get; }

    /// <summary>Bytes that were missing, where memory was.</summary>
    public long Missing { get; init; }
}

/// <summary>The engine did not answer in time; whether the request was carried out is unknown.</summary>
public sealed class EngineTimeoutException(string message) : Exception(message);

/// <summary>The engine process has ended, or there is none.</summary>
public sealed class EngineGoneException(string message) : Exception(message);

/// <summary>Another control process has the engine.</summary>
public sealed class EngineTakenException(string message) : Exception(message);

/// <summary>Words for replies.</summary>
public static class EngineWords
{
    /// <summary>What the request was about, as the start of a sentence: "cannot start audio".</summary>
    public static string Verb(RequestKind kind) => kind switch
    {
        RequestKind.Attach => "attach to the engine",
        RequestKind.Allocate => "get memory for the control process",
        RequestKind.Free => "give memory back",
        RequestKind.StartAudio => "start audio",
        RequestKind.StopAudio => "stop audio",
        RequestKind.InstallPlan => "install the patch",
        RequestKind.SetAsset => "hand over a recording",
        RequestKind.SaveState => "save a module's state",
        RequestKind.LoadState => "load a module's state",
        RequestKind.RestoreModule => "switch a module on again",
        RequestKind.StartRecording => "start the recording",
        RequestKind.StopRecording => "end the recording",
        RequestKind.SetDiagnostics => "switch diagnostics",
        RequestKind.LoadLibrary => "load a library of modules",
        RequestKind.SetMidi => "choose the sources of MIDI",
        RequestKind.Shutdown => "end the engine",
        _ => $"do request {(uint)kind}",
    };

    /// <summary>What a part is, and what the engine expects of it.</summary>
    public static (string Name, string Expected) Part(BadPart part) => part switch
    {
        BadPart.Offset => ("offset", "a block granted to this session, 64-byte aligned"),
        BadPart.Header => ("plan header", $"format {AbiVersion.Plan}, tables within the block"),
        BadPart.Quantum => ("quantum", $"a power of two from {Limits.MinQuantum} to {Limits.MaxQuantum}, the same as the audio that runs"),
        BadPart.Node => ("node", "all indices within the plan's tables"),
        BadPart.Module => ("module type", "a number in the engine's list of modules"),
        BadPart.Slot => ("instance slot", $"0 to {Limits.MaxInstances - 1}, unused or holding the same key"),
        BadPart.Input => ("input", "1 to 16 channels and cables within the plan"),
        BadPart.Output => ("output", "1 to 16 channels and a buffer within the plan"),
        BadPart.Cable => ("cable", "a source buffer or a jack that exists"),
        BadPart.Successor => ("successor", "a later node"),
        BadPart.Feedback => ("feedback cable", "buffers within the plan"),
        BadPart.Jack => ("jack", $"0 to {Limits.MaxJacks - 1}"),
        BadPart.Setting => ("setting", "a value in its range"),
        BadPart.Parameter => ("parameter", "a finite value in its range"),
        BadPart.State => ("saved state", "bytes this module wrote"),
        BadPart.Order => ("order of nodes", "topological, predecessors counted exactly"),
        BadPart.Buffer => ("buffer", "one that no running node still reads"),
        BadPart.Rate => ("sample rate", $"{Limits.MinRate} to {Limits.MaxRate} Hz"),
        BadPart.Memory => ("memory", "no more than the module stated it needs"),
        BadPart.Config => ("audio configuration", "card, period, periods, jacks, threads and cores in their ranges"),
        _ => ("request", "arguments as its kind needs them"),
    };

    /// <summary>The exception for a reply that is not Ok. <paramref name="node"/> names a node by index, where the caller can.</summary>
    public static EngineRefusedException Refusal(in Reply reply, Func<int, string?>? node = null)
    {
        var cannot = "cannot " + Verb(reply.Kind);
        switch (reply.Status)
        {
            case ReplyStatus.OutOfMemory:
                return Make(reply, BadPart.None, -1, $"{cannot}: {Bytes(reply.A)} asked, {Bytes(reply.B)} free, largest block {Bytes(reply.C)}; a larger region is --region-mib");
            case ReplyStatus.BadRequest:
            {
                var part = (BadPart)reply.A;
                var (name, expected) = Part(part);
                return Make(reply, part, ToIndex(reply.B), $"{cannot}: {name} {Which(part, reply.B, node)} is {Text(reply.C)}, expected {expected}");
            }

            case ReplyStatus.ModuleFailed:
            {
                var part = (BadPart)reply.B;
                var which = node?.Invoke(ToIndex(reply.A)) is { } known ? $"module '{known}'" : $"module at node {Text(reply.A)}";
                var (name, expected) = Part(part);
                var why = part == BadPart.None ? "it could not be made" : $"{name}: expected {expected}";
                return Make(reply, part, ToIndex(reply.A), $"{cannot}: {which}: {why}");
            }

            case ReplyStatus.StaleSession:
                return Make(reply, BadPart.None, -1, $"{cannot}: another control process has taken over the engine");
            case ReplyStatus.DeviceFailed:
                return Make(reply, BadPart.None, -1, $"{cannot}: {Step(reply.B)}: {Errno(reply.A)}");
            case ReplyStatus.WrongState:
                return Make(reply, BadPart.None, -1, cannot + ": " + (reply.Kind switch
                {
                    RequestKind.StartAudio => "it plays already; stop it first",
                    RequestKind.StopAudio => "it is stopped already",
                    _ => "not possible while the engine is in this state",
                }));
            case ReplyStatus.StateRefused:
                return Make(reply, BadPart.State, -1, $"{cannot}: the bytes mean nothing to this module; it keeps what it has");
            case ReplyStatus.ThreadFailed:
                return Make(reply, BadPart.None, -1, $"{cannot}: audio thread {Text(reply.B)} could not be made: {Errno(reply.A)}");
            case ReplyStatus.TimedOut:
                return Make(reply, BadPart.None, -1, $"{cannot}: the audio thread did not take the change in its time; it is stuck or stopped");
            default:
                return Make(reply, BadPart.None, -1, $"{cannot}: reply status {(int)reply.Status}, which this version does not know");
        }
    }

    /// <summary>Bytes for people: "12.5 MiB".</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 0 => Text(bytes) + " bytes",
        < 10 * 1024 => Text(bytes) + " bytes",
        < 10 * 1024 * 1024 => (bytes / 1024.0).ToString("0.#", CultureInfo.InvariantCulture) + " KiB",
        _ => (bytes / (1024.0 * 1024)).ToString("0.#", CultureInfo.InvariantCulture) + " MiB",
    };

    private static EngineRefusedException Make(in Reply reply, BadPart part, int index, string message) =>
        new(reply.Kind, reply.Status, part, index, message) { Missing = reply.Status == ReplyStatus.OutOfMemory ? Math.Max(0, reply.A - reply.B) : 0 };

    private static string Which(BadPart part, long index, Func<int, string?>? node) =>
        part is BadPart.Node or BadPart.Module or BadPart.Slot && node?.Invoke(ToIndex(index)) is { } name
            ? $"of '{name}'"
            : Text(index);

    // The engine's AlsaStep, in its order.
    private static string Step(long step) => step switch
    {
        1 => "libasound.so.2 is not installed (apt install libasound2)",
        2 => "the device cannot be opened (ssp devices lists them)",
        3 => "the device cannot be mapped into memory; try plughw: instead of hw:",
        4 => "the device knows none of the sample formats S32, FLOAT, S24, S24_3 and S16",
        5 => "the device refuses the sample rate",
        6 => "the device refuses the number of channels",
        7 => "the device refuses the period",
        8 => "the device refuses the number of periods",
        9 => "the device refuses the configuration as a whole",
        12 => "the capture device cannot be opened as it is to be (ssp devices lists them)",
        13 => "the channel map names a channel that the device has not got",
        _ => $"the device failed at step {Text(step)}",
    };

    private static string Errno(long errno) =>
        errno is > 0 and < 4096 ? new System.ComponentModel.Win32Exception((int)errno).Message : "no reason given";

    private static int ToIndex(long value) => value is >= 0 and <= int.MaxValue ? (int)value : -1;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
