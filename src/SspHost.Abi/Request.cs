// What the control process may ask of the engine, and what comes back. Served by the steward, one after the other.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>Kinds of request. Arguments are named per kind; unused ones are 0.</summary>
public enum RequestKind : uint
{
    None = 0,

    /// <summary>A control process takes over: earlier sessions' grants are freed, their requests ignored. A = its pid. Reply A = the session number.</summary>
    Attach = 1,

    /// <summary>A = bytes. Reply Offset = a zeroed, 64-byte aligned block of the region that belongs to this session until freed or handed over.</summary>
    Allocate = 2,

    /// <summary>Offset = a block granted by Allocate.</summary>
    Free = 3,

    /// <summary>Offset = an <see cref="AudioConfig"/> in a granted block. Opens the device and starts the audio thread and its workers.</summary>
    StartAudio = 4,

    /// <summary>A = fade in frames. Fades out, stops the audio thread, closes the device. Instances and plan stay.</summary>
    StopAudio = 5,

    /// <summary>Offset = a <see cref="PlanHeader"/> in a granted block. Constructs what is new, installs at a quantum, retires what left. Reply once it plays (or is set while stopped; A = sample rate in Hz it will then be started with, 0 = the last).</summary>
    InstallPlan = 6,

    /// <summary>A = instance slot, B = asset slot, C = low 32 bits of the instance's key, Offset = an <see cref="Asset"/> in a granted block (handed over to the engine), or 0 to empty the slot.</summary>
    SetAsset = 7,

    /// <summary>A = instance slot, C = low 32 bits of its key, Offset = granted block, B = its bytes. Reply A = bytes of state written, B = module version.</summary>
    SaveState = 8,

    /// <summary>A = instance slot, C = low 32 bits of its key, Offset = granted block, B = bytes, D = module version that wrote them.</summary>
    LoadState = 9,

    /// <summary>A = bit mask of <see cref="DiagnosticFlags"/> to have on.</summary>
    SetDiagnostics = 10,

    /// <summary>A = fade in frames. Stops audio and ends the engine process.</summary>
    Shutdown = 11,

    /// <summary>A = instance slot, C = low 32 bits of its key. Switches a shed module on again. WrongState while a stuck thread is inside it.</summary>
    RestoreModule = 12,

    /// <summary>Offset = a <see cref="RecordRing"/> in a granted block. What the jacks carry goes there from the next quantum on, in place of where it went before.</summary>
    StartRecording = 13,

    /// <summary>Ends that; the block can be freed then.</summary>
    StopRecording = 14,

    /// <summary>
    /// Offset = a <see cref="LibraryLoad"/> in a granted block. Loads a library of modules; its types follow those there are, and are told in the
    /// descriptors. Reply A = number of its first type, B = how many, C = number of its <see cref="LibraryRecord"/>. LibraryRefused: the block says why.
    /// </summary>
    LoadLibrary = 15,

    /// <summary>Offset = a <see cref="MidiConfig"/> in a granted block: the sources of MIDI that are listened to from now on. Those that were before stay open.</summary>
    SetMidi = 16,
}

/// <summary>Outcome of a request.</summary>
public enum ReplyStatus : int
{
    Ok = 0,

    /// <summary>No block of that size. A = bytes asked, B = bytes free, C = largest block.</summary>
    OutOfMemory = 1,

    /// <summary>An offset, index or count is not what the request's kind needs. A = a <see cref="BadPart"/>, B = index, C = value.</summary>
    BadRequest = 2,

    /// <summary>The session was taken over by another control process.</summary>
    StaleSession = 3,

    /// <summary>The device could not be opened. A = errno, B = a step number of the card.</summary>
    DeviceFailed = 4,

    /// <summary>Not possible in this state (start twice, stop when stopped).</summary>
    WrongState = 5,

    /// <summary>A module could not be made. A = node index, B = a <see cref="BadPart"/>.</summary>
    ModuleFailed = 6,

    /// <summary>The state bytes mean nothing to the module; it keeps what it has.</summary>
    StateRefused = 7,

    /// <summary>An RT thread could not be made. A = errno, B = thread number.</summary>
    ThreadFailed = 8,

    /// <summary>The audio thread did not take the change within its time: it is stuck or stopped.</summary>
    TimedOut = 9,

    /// <summary>A library of modules is not what it should be; why is in the block.</summary>
    LibraryRefused = 10,
}

/// <summary>What part of a request was bad: the control process turns it into words.</summary>
public enum BadPart : int
{
    None = 0,
    Offset = 1,
    Header = 2,
    Quantum = 3,
    Node = 4,
    Module = 5,
    Slot = 6,
    Input = 7,
    Output = 8,
    Cable = 9,
    Successor = 10,
    Feedback = 11,
    Jack = 12,
    Setting = 13,
    Parameter = 14,
    State = 15,
    Order = 16,
    Buffer = 17,
    Rate = 18,
    Memory = 19,
    Config = 20,
}

/// <summary>Diagnostics that cost time and can be switched while it plays.</summary>
[Flags]
public enum DiagnosticFlags : uint
{
    None = 0,

    /// <summary>Time of each module, by the cycle counter.</summary>
    ModuleTimes = 1,

    /// <summary>Histograms of each module's and each worker's time. Those of modules need <see cref="ModuleTimes"/>.</summary>
    Histograms = 2,

    /// <summary>Trace events of everything but modules.</summary>
    Trace = 4,

    /// <summary>Trace events of modules, too. Need <see cref="Trace"/> and <see cref="ModuleTimes"/>.</summary>
    ModuleTrace = 8,

    /// <summary>What is on while a patch plays.</summary>
    Usual = ModuleTimes | Histograms | Trace | ModuleTrace,
}

/// <summary>A request, 64 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Request
{
    public RequestKind Kind;

    /// <summary>Session of the sender; 0 only in Attach.</summary>
    public uint Session;

    /// <summary>Chosen by the sender, returned in the reply.</summary>
    public ulong Id;

    /// <summary>Offset in the region.</summary>
    public long Offset;

    public long A, B, C, D;
    private readonly long _reserved;
}

/// <summary>A reply, 64 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Reply
{
    public RequestKind Kind;
    public uint Session;
    public ulong Id;
    public ReplyStatus Status;
    private readonly int _pad;
    public long Offset;
    public long A, B, C, D;
}
