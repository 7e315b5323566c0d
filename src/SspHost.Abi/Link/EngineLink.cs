// The control process's end of the region: attach, ask, wait for the answer, notice when the engine is gone.
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace SspHost.Abi.Link;

/// <summary>
/// A session with a running engine. Requests go one after the other, from any thread; each waits for its reply, for the
/// engine's end, or for its time to be over. Snapshots (<see cref="Map"/>, <see cref="TryAudio"/>) need no session.
/// </summary>
public sealed unsafe class EngineLink : IDisposable
{
    // A reply may come with the bell a moment before this waits, and an engine may die without ringing: look again this often.
    private const ulong LookAgainNs = 20_000_000;

    private readonly Lock _requests = new();
    private readonly Lock _events = new();
    private readonly Lock _notices = new();
    private readonly HashSet<ulong> _late = [];
    private readonly Func<bool> _engineEnded;
    private readonly EngineProcess? _process;
    private ulong _nextId;
    private bool _disposed;

    private EngineLink(RegionMap map, EngineProcess? process, Func<bool> engineEnded)
    {
        Map = map;
        _process = process;
        _engineEnded = engineEnded;
        // Ids of this process never meet those of the one before it, whose replies may still lie in the ring.
        _nextId = ((ulong)Environment.ProcessId << 32) ^ ((ulong)Stopwatch.GetTimestamp() & 0xFFFF_FFFF);
    }

    /// <summary>The region.</summary>
    public RegionMap Map { get; }

    /// <summary>Number of this session; 0 for one that only looks.</summary>
    public uint Session { get; private set; }

    /// <summary>The engine's process; null over a region in this process (tests).</summary>
    public EngineProcess? Process => _process;

    /// <summary>State the engine is in.</summary>
    public EngineState State => (EngineState)Volatile.Read(ref Map.Header->State);

    /// <summary>How long a request may take unless it says otherwise.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Attaches to the engine of a runtime directory and takes it over. Throws <see cref="EngineGoneException"/> if none runs,
    /// <see cref="EngineTakenException"/> if another live control process has it, <see cref="InvalidDataException"/> if it is of another version.
    /// </summary>
    public static EngineLink Attach(string directory)
    {
        var link = Look(directory);
        try
        {
            if (!link.Map.TryLock())
                throw new EngineTakenException($"another control process ({link.Map.Header->ControlPid}) has the engine; leave it first (ssp stop), or talk to it through the control socket");
            link.TakeOver();
            return link;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    /// <summary>Attaches to look only: no session, no lock, and no request is possible.</summary>
    public static EngineLink Look(string directory)
    {
        var file = EngineFile.TryRead(directory) ?? throw new EngineGoneException($"no engine runs in {directory}");
        var process = EngineProcess.Open(file.Pid, file.Start)
            ?? throw new EngineGoneException($"the engine of {directory} (process {file.Pid.ToString(CultureInfo.InvariantCulture)}) has ended");
        try
        {
            return new EngineLink(RegionMap.Attach(file.Region), process, () => process.HasExited);
        }
        catch (IOException) when (process.HasExited)
        {
            process.Dispose();
            throw new EngineGoneException($"the engine of {directory} ended while it was attached to");
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    /// <summary>A session over a region of this process: an engine stepped by hand.</summary>
    public static EngineLink Over(RegionMap map, Func<bool> engineEnded)
    {
        RegionMap.Check(map.Header, map.Bytes, "region");
        var link = new EngineLink(map, null, engineEnded);
        link.TakeOver();
        return link;
    }

    /// <summary>The modules this engine can make; a module's index is its number in plans.</summary>
    public IReadOnlyList<ModuleDescriptor> ReadDescriptors() => DescriptorBlob.Read(Map.CopyDescriptors(out _));

    /// <summary>
    /// Loads a library of modules: <paramref name="path"/> is what is loaded, <paramref name="file"/> what it is called. For kinds other than
    /// <see cref="LibraryKind.Native"/> <paramref name="descriptors"/> is the blob of its modules. The number of its first type, and how many.
    /// Throws <see cref="EngineRefusedException"/> with the engine's own words.
    /// </summary>
    public (int First, int Count) LoadLibrary(LibraryKind kind, string path, string file, ReadOnlySpan<byte> descriptors = default, ReadOnlySpan<byte> plugins = default)
    {
        using var block = Allocate(LibraryLoad.PluginsAt(descriptors.Length) + plugins.Length);
        var load = (LibraryLoad*)block.Pointer;
        load->Kind = kind;
        if (!LibraryLoad.TrySet(load->Path, path) || !LibraryLoad.TrySet(load->File, file))
            throw new ArgumentException($"'{path}': the path of a library has at most {LibraryRecord.PathBytes - 1} bytes", nameof(path));
        load->DescriptorBytes = descriptors.Length;
        load->PluginBytes = plugins.Length;
        descriptors.CopyTo(block.Bytes[sizeof(LibraryLoad)..]);
        plugins.CopyTo(block.Bytes[(int)LibraryLoad.PluginsAt(descriptors.Length)..]);
        var refusal = load->Refusal;
        var reply = Ask(
            new Request { Kind = RequestKind.LoadLibrary, Offset = block.Offset },
            words: () => $"cannot load {file}: {LibraryRecord.Text(refusal, LibraryLoad.RefusalBytes)}");
        return ((int)reply.A, (int)reply.B);
    }

    /// <summary>The kinds of cores that the engine may use, the fastest first: at least one where the engine has told them.</summary>
    public IReadOnlyList<CoreClass> ReadCoreClasses()
    {
        var classes = new List<CoreClass>();
        for (var c = 0; c < Limits.MaxCoreClasses && Map.Header->ClassCores[c] > 0; c++)
            classes.Add(new CoreClass(Map.Header->ClassCores[c], Map.Header->ClassCapacity[c]));
        return classes;
    }

    /// <summary>Version of the engine.</summary>
    public string Version
    {
        get
        {
            var bytes = new ReadOnlySpan<byte>(Map.Header->Version, 32);
            var end = bytes.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        }
    }

    /// <summary>Audio as it stands; false before the first snapshot or if the engine died within one.</summary>
    public bool TryAudio(out AudioStatus status) => Map.AudioStatus->TryRead(out status);

    /// <summary>Memory as it stands, and the proof that nothing is collected.</summary>
    public bool TrySteward(out StewardStatus status) => Map.StewardStatus->TryRead(out status);

    /// <summary>A block of the region for this session.</summary>
    public Grant Allocate(long bytes)
    {
        if (bytes <= 0) throw new ArgumentOutOfRangeException(nameof(bytes), bytes, "A block has at least one byte.");
        var reply = Ask(new Request { Kind = RequestKind.Allocate, A = bytes });
        if (reply.Offset <= 0 || reply.Offset > Map.Bytes - bytes)
            throw new InvalidDataException($"the engine granted offset {reply.Offset} for {bytes} bytes, outside its region of {Map.Bytes}");
        return new Grant(this, reply.Offset, bytes);
    }

    /// <summary>Opens the device and starts the RT threads.</summary>
    public void StartAudio(in AudioConfig config)
    {
        using var block = Allocate(sizeof(AudioConfig));
        *(AudioConfig*)block.Pointer = config;
        Ask(new Request { Kind = RequestKind.StartAudio, Offset = block.Offset });
    }

    /// <summary>Fades out over <paramref name="fadeFrames"/> frames, stops the RT threads and closes the device. Instances and plan stay.</summary>
    public void StopAudio(int fadeFrames) => Ask(new Request { Kind = RequestKind.StopAudio, A = fadeFrames });

    /// <summary>
    /// Hands over a compiled patch; returns once it plays, or is set while audio is stopped. <paramref name="rate"/>: the sample rate
    /// that audio will be started with, for a plan set before.
    /// </summary>
    public void InstallPlan(ReadOnlySpan<byte> plan, int rate = 0)
    {
        if (plan.Length < sizeof(PlanHeader)) throw new ArgumentException($"A plan has at least {sizeof(PlanHeader)} bytes, not {plan.Length}.", nameof(plan));
        using var block = Allocate(plan.Length);
        plan.CopyTo(block.Bytes);
        var offset = block.Offset;
        Ask(new Request { Kind = RequestKind.InstallPlan, Offset = offset, A = rate }, node: index => NameOfNode(offset, index));
    }

    /// <summary>Gives a module a recording; on success the engine owns the block. Null empties the slot.</summary>
    public void SetAsset(int instanceSlot, ulong key, int assetSlot, Grant? asset)
    {
        Ask(new Request { Kind = RequestKind.SetAsset, A = instanceSlot, B = assetSlot, C = (long)(key & 0xFFFF_FFFF), Offset = asset?.Offset ?? 0 });
        asset?.HandOver();
    }

    /// <summary>State of a module that is not in its parameters, and the module version that wrote it.</summary>
    public (byte[] State, uint Version) SaveState(int instanceSlot, ulong key, int maxBytes)
    {
        using var block = Allocate(Math.Max(1, maxBytes));
        var reply = Ask(new Request { Kind = RequestKind.SaveState, A = instanceSlot, B = maxBytes, C = (long)(key & 0xFFFF_FFFF), Offset = block.Offset });
        if (reply.A < 0 || reply.A > maxBytes) throw new InvalidDataException($"the engine wrote {reply.A} bytes of state into {maxBytes}");
        return (block.Bytes[..(int)reply.A].ToArray(), (uint)reply.B);
    }

    /// <summary>Gives a playing module state that <paramref name="version"/> of it wrote.</summary>
    public void LoadState(int instanceSlot, ulong key, ReadOnlySpan<byte> state, uint version)
    {
        using var block = Allocate(Math.Max(1, state.Length));
        state.CopyTo(block.Bytes);
        Ask(new Request
        {
            Kind = RequestKind.LoadState, A = instanceSlot, B = state.Length, C = (long)(key & 0xFFFF_FFFF), D = version, Offset = block.Offset,
        });
    }

    /// <summary>
    /// Switches a module on again that the engine had switched off (<see cref="InstanceRecord.Shed"/>). Refused with WrongState while a
    /// stuck thread is inside it.
    /// </summary>
    public void RestoreModule(int instanceSlot, ulong key) =>
        Ask(new Request { Kind = RequestKind.RestoreModule, A = instanceSlot, C = (long)(key & 0xFFFF_FFFF) });

    /// <summary>Records what the jacks carry into a ring made in <paramref name="block"/>, which stays the caller's.</summary>
    public void StartRecording(Grant block) => Ask(new Request { Kind = RequestKind.StartRecording, Offset = block.Offset });

    /// <summary>Ends the recording: its block can be freed.</summary>
    public void StopRecording() => Ask(new Request { Kind = RequestKind.StopRecording });

    /// <summary>Switches diagnostics that cost time.</summary>
    public void SetDiagnostics(DiagnosticFlags flags) => Ask(new Request { Kind = RequestKind.SetDiagnostics, A = (long)flags });

    /// <summary>Fades out, stops audio and ends the engine; returns once the process has ended.</summary>
    public void Shutdown(int fadeFrames)
    {
        try
        {
            Ask(new Request { Kind = RequestKind.Shutdown, A = fadeFrames });
        }
        catch (EngineGoneException)
        {
            return; // it left before its reply was read: what was asked for
        }

        if (_process is { } p && !p.Wait((int)Timeout.TotalMilliseconds))
            throw new EngineTimeoutException($"the engine (process {p.Pid}) agreed to end but still runs after {Seconds(Timeout)}");
    }

    /// <summary>Sends a performance event to the audio thread; false if the ring is full (it is counted there).</summary>
    public bool Push(in ModuleEvent e)
    {
        lock (_events) return Map.Events.TryPush(in e);
    }

    /// <summary>Chooses the sources of MIDI; those that were chosen before stay open.</summary>
    public void SetMidi(in MidiConfig config)
    {
        using var block = Allocate(sizeof(MidiConfig));
        *(MidiConfig*)block.Pointer = config;
        Ask(new Request { Kind = RequestKind.SetMidi, Offset = block.Offset });
    }

    /// <summary>Says which controllers move which parameters from now on; what is heard of them carries <paramref name="generation"/>.</summary>
    public void SetControllers(ReadOnlySpan<ControllerRow> rows, uint generation)
    {
        if (Session == 0) throw new InvalidOperationException("This link only looks; controllers need a session.");
        lock (_events) ControllerTable.Write(Map.Controllers, rows, generation);
    }

    /// <summary>Takes the oldest of what MIDI has brought; one taker only.</summary>
    public bool TryTakeHeard(out Heard heard) => Map.Heard.TryPop(out heard);

    /// <summary>
    /// Says what a tap watches from the next quantum on: <see cref="SignalTap.AimAt"/>, or 0 for nothing. What names nobody is silent. Read it by
    /// <see cref="SignalTap.Read"/> of the map's Taps.
    /// </summary>
    public void SetTap(int tap, ulong aim)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)tap, (uint)SignalTap.Count, nameof(tap));
        if (Session == 0) throw new InvalidOperationException("This link only looks; a tap needs a session.");
        Volatile.Write(ref Map.Taps[tap].Aim, aim);
    }

    /// <summary>Takes the oldest notice, if there is one.</summary>
    public bool TryTakeNotice(out Notice notice)
    {
        lock (_notices) return Map.Notices.TryPop(out notice);
    }

    /// <summary>
    /// Sends a request and waits for its reply. Throws <see cref="EngineRefusedException"/>, <see cref="EngineGoneException"/> or
    /// <see cref="EngineTimeoutException"/>; anything but a return means: not Ok.
    /// </summary>
    public Reply Ask(Request request, TimeSpan? timeout = null, Func<int, string?>? node = null, Func<string>? words = null)
    {
        lock (_requests)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (Session == 0 && request.Kind != RequestKind.Attach)
                throw new InvalidOperationException("This link only looks; a request needs a session.");
            var limit = timeout ?? Timeout;
            request.Session = Session;
            request.Id = ++_nextId;
            var deadline = Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency);
            Send(in request, deadline, limit);
            var reply = Receive(in request, deadline, limit);
            if (reply.Status == ReplyStatus.Ok) return reply;
            throw reply.Status == ReplyStatus.LibraryRefused && words != null
                ? new EngineRefusedException(reply.Kind, reply.Status, BadPart.None, -1, words())
                : EngineWords.Refusal(in reply, node);
        }
    }

    public void Dispose()
    {
        lock (_requests)
        {
            if (_disposed) return;
            _disposed = true;
            Map.Dispose(); // closes the file, and with it gives the lock back
            _process?.Dispose();
        }
    }

    internal void GiveBack(long offset)
    {
        try
        {
            Ask(new Request { Kind = RequestKind.Free, Offset = offset });
        }
        catch (Exception e) when (e is EngineGoneException or EngineTimeoutException or ObjectDisposedException)
        {
            // Gone: the block went with it. Late: the steward frees it when it comes to it.
        }
        catch (EngineRefusedException e) when (e.Status == ReplyStatus.StaleSession)
        {
            // The next session's Attach freed it.
        }
    }

    private void TakeOver()
    {
        var reply = Ask(new Request { Kind = RequestKind.Attach, A = Environment.ProcessId });
        if (reply.A is <= 0 or > uint.MaxValue) throw new InvalidDataException($"the engine gave session number {reply.A}");
        Session = (uint)reply.A;
    }

    private void Send(in Request request, long deadline, TimeSpan limit)
    {
        var ring = Map.Requests;
        while (ring.Count >= ring.Capacity) // asked before pushing, so that waiting is not counted as a loss
        {
            Expect(request.Kind, deadline, limit);
            Thread.Sleep(1);
        }

        Expect(request.Kind, deadline, limit);
        _ = ring.TryPush(in request);
        Interlocked.Increment(ref Map.Header->RequestBell);
        Linux.Wake(&Map.Header->RequestBell, 1);
    }

    private Reply Receive(in Request request, long deadline, TimeSpan limit)
    {
        var ring = Map.Replies;
        while (true)
        {
            // The bell is read before the ring is: a reply pushed in between changes it, and the wait returns at once.
            var bell = Volatile.Read(ref Map.Header->ReplyBell);
            while (ring.TryPop(out var reply))
            {
                if (reply.Id == request.Id) return reply;
                Settle(in reply);
            }

            if (_engineEnded())
            {
                while (ring.TryPop(out var last))
                    if (last.Id == request.Id) return last;
                throw Gone(request.Kind);
            }

            if (Stopwatch.GetTimestamp() > deadline)
            {
                _late.Add(request.Id);
                throw Late(request.Kind, limit);
            }

            Linux.Wait(&Map.Header->ReplyBell, bell, LookAgainNs);
        }
    }

    // A reply nobody waits for any more: a block it grants would be nobody's until the session ends.
    private void Settle(in Reply reply)
    {
        if (!_late.Remove(reply.Id) || reply.Kind != RequestKind.Allocate || reply.Status != ReplyStatus.Ok) return;
        var free = new Request { Kind = RequestKind.Free, Session = Session, Id = ++_nextId, Offset = reply.Offset };
        if (Map.Requests.Count < Map.Requests.Capacity) _ = Map.Requests.TryPush(in free);
    }

    private void Expect(RequestKind kind, long deadline, TimeSpan limit)
    {
        if (_engineEnded()) throw Gone(kind);
        if (Stopwatch.GetTimestamp() > deadline) throw Late(kind, limit);
    }

    private EngineGoneException Gone(RequestKind kind) =>
        new($"cannot {EngineWords.Verb(kind)}: the engine{(_process is { } p ? $" (process {p.Pid})" : "")} has ended");

    private static EngineTimeoutException Late(RequestKind kind, TimeSpan limit) =>
        new($"cannot {EngineWords.Verb(kind)}: no answer from the engine within {Seconds(limit)}");

    private static string Seconds(TimeSpan t) => t.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + " s";

    private string? NameOfNode(long planOffset, int index)
    {
        var header = (PlanHeader*)Map.At(planOffset);
        if (index < 0 || index >= header->NodeCount || header->NodesOffset < 0) return null;
        var at = header->NodesOffset + ((long)index * sizeof(PlanNode));
        if (at + sizeof(PlanNode) > header->Bytes) return null;
        var bytes = new ReadOnlySpan<byte>(((PlanNode*)((byte*)header + at))->Name, InstanceRecord.NameBytes);
        var end = bytes.IndexOf((byte)0);
        var name = Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        return name.Length == 0 ? null : name;
    }
}
