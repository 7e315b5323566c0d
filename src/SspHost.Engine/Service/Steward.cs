// The engine's one thread of ordinary priority: serves requests, makes and retires modules, and proves that the heap stands still.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Events;
using SspHost.Engine.Graph;
using SspHost.Engine.Loading;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Service;

/// <summary>
/// Runs on the engine's main thread. After <see cref="Run"/> begins nothing here allocates managed memory: a collection would stop
/// the audio thread. Requests are served one after the other; a control process that dies in the middle of one leaves nothing.
/// </summary>
public sealed unsafe class Steward
{
    private const ulong Millisecond = 1_000_000;
    private const ulong StatusInterval = 100 * Millisecond;

    // While something waits for the audio thread's epoch the steward looks often, else it only has to publish its status.
    private const ulong TakeTimeout = 500 * Millisecond;
    private const ulong BusyWait = 1 * Millisecond;
    private const ulong IdleWait = 10 * Millisecond;
    private const long PrefaultStep = 2 << 20;

    private readonly Region _region;
    private readonly RegionMap _map;
    private readonly Pool* _pool;
    private readonly Renderer _renderer;
    private readonly Playback _audio;
    private readonly int* _terminate;
    private readonly SpscRing<Request> _requests;
    private readonly SpscRing<Reply> _replies;
    private readonly LibraryLoader _loader;
    private readonly MidiInputs _midi;
    private Grants _grants;
    private int _collectionsAtStart;
    private long _allocatedAtStart;
    private long _ownAllocatedAtStart;
    private ulong _nextStatus;
    private int _errors;
    private bool _heapMovedSaid;
    private bool _ending;

    /// <summary>Makes the steward of a region. <paramref name="terminate"/>: set to non-zero by the signal handler. [start-up]</summary>
    public Steward(Region region, ModuleRegistry registry, int* terminate)
    {
        _region = region;
        _map = region.Map;
        _pool = region.Pool;
        Heap.Serve(region);
        _terminate = terminate;
        _requests = _map.Requests;
        _replies = _map.Replies;
        _renderer = new Renderer(_map, _pool, registry, (float*)region.Silence);
        _audio = new Playback(region, _renderer);
        _loader = new LibraryLoader(_map, _pool, _renderer);
        _midi = new MidiInputs(region);
        if (!_grants.Create(_pool)) throw new InvalidOperationException("the region is too small for the engine's own tables");
    }

    /// <summary>Serves until a Shutdown request or SIGTERM; then fades out and returns.</summary>
    public void Run()
    {
        var header = _map.Header;
        SetState(EngineState.Stopped);
        WarmUp();
        _collectionsAtStart = Collections();
        _allocatedAtStart = GC.GetTotalAllocatedBytes(precise: false);
        _ownAllocatedAtStart = GC.GetAllocatedBytesForCurrentThread();
        Volatile.Write(ref header->ReadyAt, Linux.Now());
        PublishStatus(header->ReadyAt);

        while (!_ending)
        {
            var bell = Volatile.Read(ref header->RequestBell);
            while (_requests.TryPop(out var request)) Serve(in request);
            if (Volatile.Read(ref *_terminate) != 0) break;

            _renderer.DoWork();
            _pool->Maintain();
            _ = Heap.Maintain();
            _grants.FreeWaiting(_pool, _renderer);
            var busy = !_renderer.Collect();
            if (!_region.Complete) busy |= _region.PrefaultNext(PrefaultStep);
            if (_audio.HasEnded)
            {
                _audio.Reap(); // once its threads are gone, plans, assets and states are the steward's alone again
                if (header->State == (uint)EngineState.Playing) SetState(EngineState.DeviceLost);
            }

            var now = Linux.Now();
            _audio.LookForDevice(now);
            _midi.Look(now);
            if (now >= _nextStatus) PublishStatus(now);
            if (_requests.Count == 0) Linux.Wait(&header->RequestBell, bell, busy ? BusyWait : IdleWait);
        }

        SetState(EngineState.Ending);
        _ = _audio.Stop(fadeFrames: -1);
        _midi.Stop();
    }

    // Everything the loop will call is called once, so that whatever the runtime makes on a first call is made before the
    // heap has to stand still.
    private void WarmUp()
    {
        SayPool();
        _pool->Maintain();
        _ = Heap.Maintain();
        _renderer.DoWork();
        _ = _renderer.Collect();
        _midi.Look(Linux.Now());
        PublishStatus(Linux.Now());
        _ = GC.GetTotalAllocatedBytes(precise: false);
        Linux.Wake(&_map.Header->ReplyBell, 0);
    }

    // The bound is a theorem: with this much live, nothing of that size can ever be refused, whatever the order of edits was.
    private void SayPool()
    {
        const long Largest = 1 << 20;
        var log = default(Log);
        log.Text("pool: "u8);
        log.Number(_pool->CapacityBytes >> 10);
        log.Text(" KiB, of which "u8);
        log.Number(_pool->ReadyBytes >> 10);
        log.Text(" ready; with up to "u8);
        log.Number(_pool->GuaranteedBytes(Largest) >> 10);
        log.Text(" KiB of them in use, a block of up to 1 MiB is always found"u8);
        log.End();
    }

    private void Serve(in Request r)
    {
        var reply = new Reply { Kind = r.Kind, Session = r.Session, Id = r.Id };
        if (r.Kind == RequestKind.Attach) Attach(in r, ref reply);
        else if (r.Session != _map.Header->Session) reply.Status = ReplyStatus.StaleSession;
        else
        {
            switch (r.Kind)
            {
                case RequestKind.Allocate: Allocate(in r, ref reply); break;
                case RequestKind.Free: Free(in r, ref reply); break;
                case RequestKind.StartAudio: StartAudio(in r, ref reply); break;
                case RequestKind.StopAudio: StopAudio(in r, ref reply); break;
                case RequestKind.InstallPlan: Install(in r, ref reply); break;
                case RequestKind.SetAsset: SetAsset(in r, ref reply); break;
                case RequestKind.SaveState: SaveState(in r, ref reply); break;
                case RequestKind.LoadState: LoadState(in r, ref reply); break;
                case RequestKind.RestoreModule: RestoreModule(in r, ref reply); break;
                case RequestKind.StartRecording: StartRecording(in r, ref reply); break;
                case RequestKind.StopRecording:
                    if (!_audio.EndRecord()) reply.Status = ReplyStatus.TimedOut;
                    break;
                case RequestKind.LoadLibrary: LoadLibrary(in r, ref reply); break;
                case RequestKind.SetMidi: SetMidi(in r, ref reply); break;
                case RequestKind.SetDiagnostics: _renderer.Diagnostics = (DiagnosticFlags)r.A; break;
                case RequestKind.Shutdown: Shutdown(in r, ref reply); break;
                default: Bad(ref reply, BadPart.None, 0, (long)r.Kind); break;
            }
        }

        // A control process that does not read its replies loses them, and nobody else does.
        _ = _replies.TryPush(in reply);
        Interlocked.Increment(ref _map.Header->ReplyBell);
        Linux.Wake(&_map.Header->ReplyBell, int.MaxValue);
    }

    private static void Bad(ref Reply reply, BadPart part, long index, long value)
    {
        reply.Status = ReplyStatus.BadRequest;
        reply.A = (long)part;
        reply.B = index;
        reply.C = value;
    }

    private void Attach(in Request r, ref Reply reply)
    {
        if (_audio.Streams)
        {
            // Its rings belong to the session that is over, and nobody feeds or drains them any more.
            if (_audio.Stop(0)) SetState(EngineState.Stopped);
            else
            {
                reply.Status = ReplyStatus.TimedOut;
                return;
            }
        }

        if (!_audio.EndRecord())
        {
            reply.Status = ReplyStatus.TimedOut;
            return;
        }

        _grants.FreeAll(_pool, _renderer); // a command that a thread is still in keeps its block until it comes back
        var header = _map.Header;
        for (var t = 0; t < SignalTap.Count; t++) Volatile.Write(ref _map.Taps[t].Aim, 0);
        _map.Jacks->Clear();
        header->ControlPid = (int)r.A;
        var session = (header->Session % 0xFFFE) + 1; // 1..65534: the tag of the session's blocks has 16 bits
        Volatile.Write(ref header->Session, session);
        reply.Session = session;
        reply.A = session;
    }

    private void Allocate(in Request r, ref Reply reply)
    {
        var block = _grants.Grant(_pool, r.A, r.Session);
        if (block == null)
        {
            var stats = default(PoolStats);
            _pool->ReadStats(ref stats);
            reply.Status = ReplyStatus.OutOfMemory;
            reply.A = r.A;
            reply.B = stats.Free;
            reply.C = stats.Largest;
            return;
        }

        reply.Offset = _map.OffsetOf(block);
    }

    // The grant an offset names, or null with the reply filled in.
    private byte* Granted(in Request r, ref Reply reply, long leastBytes)
    {
        var block = r.Offset > 0 && r.Offset < _map.Bytes ? _map.At(r.Offset) : null;
        var bytes = block == null ? 0 : _grants.BytesOf(block);
        if (bytes != 0 && bytes >= leastBytes) return block;
        Bad(ref reply, BadPart.Offset, bytes, r.Offset);
        return null;
    }

    private void Free(in Request r, ref Reply reply)
    {
        var block = Granted(in r, ref reply, 0);
        if (block == null) return;
        if (_audio.Uses(block))
        {
            reply.Status = ReplyStatus.WrongState; // a stream ring in use is not taken from under the card
            return;
        }

        _grants.Remove(block);
        _grants.Free(_pool, _renderer, block);
    }

    private void StartAudio(in Request r, ref Reply reply)
    {
        if (_audio.IsRunning && !_audio.HasEnded)
        {
            reply.Status = ReplyStatus.WrongState;
            return;
        }

        var block = (AudioConfig*)Granted(in r, ref reply, sizeof(AudioConfig));
        if (block == null) return;
        var config = *block; // checked and used from here: the control process can still write the block
        if (!CheckConfig(&config, ref reply)) return;
        if (!_audio.Stop(0))
        {
            reply.Status = ReplyStatus.TimedOut;
            return;
        }

        _audio.Start(&config, ref reply);
        SetState(reply.Status == ReplyStatus.Ok ? EngineState.Playing : EngineState.Stopped);
    }

    private bool CheckConfig(AudioConfig* c, ref Reply reply)
    {
        if (c->Rate is < Limits.MinRate or > Limits.MaxRate) Bad(ref reply, BadPart.Rate, 0, c->Rate);
        else if (!Limits.IsQuantum(c->Quantum)) Bad(ref reply, BadPart.Quantum, 0, c->Quantum);
        else if ((uint)c->Inputs > Limits.MaxJacks || (uint)c->Outputs > Limits.MaxJacks) Bad(ref reply, BadPart.Jack, c->Inputs, c->Outputs);
        else if (!AudioSession<RendererQuantum>.IsPossible(in *c) || c->Threads is < 0 or > Limits.MaxThreads) Bad(ref reply, BadPart.Config, c->Period, c->Periods);
        else if (c->Card == CardKind.Stream && c->InputStream == 0 && c->OutputStream == 0 && c->Frames == 0) Bad(ref reply, BadPart.Config, 0, 0); // nothing would ever hold it back
        else if (!CheckStream(c->InputStream, c->Inputs) || !CheckStream(c->OutputStream, c->Outputs)) Bad(ref reply, BadPart.Offset, c->InputStream, c->OutputStream);
        else return true;
        return false;
    }

    // A stream is a grant whose header describes no more than the grant holds.
    private bool CheckStream(long offset, int channels)
    {
        if (offset == 0) return true;
        if (offset < 0 || offset >= _map.Bytes) return false;
        var ring = (StreamRing*)_map.At(offset);
        var bytes = _grants.BytesOf((byte*)ring);
        if (bytes < sizeof(StreamRing)) return false;
        var capacity = ring->Capacity;
        return ring->Channels == channels && channels > 0 && capacity > 0 && (capacity & (capacity - 1)) == 0
            && ((long)capacity * channels * sizeof(float)) + sizeof(StreamRing) <= bytes;
    }

    private void StopAudio(in Request r, ref Reply reply)
    {
        if (!_audio.IsRunning)
        {
            reply.Status = ReplyStatus.WrongState;
            return;
        }

        if (_audio.Stop((int)Math.Clamp(r.A, 0, Limits.MaxRate * 10L))) SetState(EngineState.Stopped);
        else reply.Status = ReplyStatus.TimedOut;
    }

    private void StartRecording(in Request r, ref Reply reply)
    {
        var block = Granted(in r, ref reply, sizeof(RecordRing));
        if (block == null) return;
        if (!_audio.EndRecord()) reply.Status = ReplyStatus.TimedOut;
        else if (!_audio.Record(block, _grants.BytesOf(block))) Bad(ref reply, BadPart.Header, ((RecordRing*)block)->Channels, ((RecordRing*)block)->Capacity);
    }

    private void SetMidi(in Request r, ref Reply reply)
    {
        var block = (MidiConfig*)Granted(in r, ref reply, sizeof(MidiConfig));
        if (block == null) return;
        var config = *block;
        if (!_midi.Use(&config)) reply.Status = ReplyStatus.WrongState;
    }

    private void Install(in Request r, ref Reply reply)
    {
        var block = Granted(in r, ref reply, sizeof(PlanHeader));
        if (block == null) return;

        // Checked and built from a copy of our own: the control process can still write the block it was granted.
        var bytes = _grants.BytesOf(block);
        var blob = (PlanHeader*)_pool->Allocate(0, bytes, 0);
        if (blob == null)
        {
            reply.Status = ReplyStatus.OutOfMemory;
            reply.A = bytes;
            return;
        }

        Buffer.MemoryCopy(block, blob, bytes, bytes);
        BuildError error;
        reply.Status = _renderer.Running || r.A == 0
            ? _renderer.Install(blob, bytes, out error)
            : _renderer.Install(blob, bytes, rate: (float)r.A, out error); // instances are made for the rate audio will be started with
        _pool->Free(0, blob);
        switch (reply.Status)
        {
            case ReplyStatus.Ok:
                if (_region.Locks) ImageLock.Refresh(); // a module may have brought a library
                (reply.A, reply.B) = (error.StatesRefused, error.FirstStateRefused);
                if (!WaitUntilTaken() && _renderer.Withdraw()) reply.Status = ReplyStatus.TimedOut; // refused as a whole: nobody may find it playing later
                break;
            case ReplyStatus.OutOfMemory:
                var stats = default(PoolStats);
                _pool->ReadStats(ref stats);
                (reply.A, reply.B, reply.C) = (error.Bytes, stats.Free, stats.Largest);
                break;
            case ReplyStatus.ModuleFailed:
                (reply.A, reply.B) = (error.Index, (long)error.Part);
                break;
            default:
                (reply.A, reply.B, reply.C) = ((long)error.Part, error.Index, error.Value);
                break;
        }
    }

    // The audio thread takes a plan at its next quantum; only a device that stands still makes this wait long.
    private bool WaitUntilTaken()
    {
        var end = Linux.Now() + TakeTimeout;
        while (_renderer.IsPlanWaiting)
        {
            if (Linux.Now() > end) return false;
            var never = 0u;
            Linux.Wait(&never, 0, Millisecond / 4);
        }

        return true;
    }

    private bool Instance(in Request r, ref Reply reply)
    {
        if ((ulong)r.A < Limits.MaxInstances)
        {
            var record = _map.Instances + r.A;
            if (record->State != InstanceState.Free && (uint)record->Key == (uint)r.C) return true;
        }

        Bad(ref reply, BadPart.Slot, 0, r.A);
        return false;
    }

    private void SetAsset(in Request r, ref Reply reply)
    {
        if (!Instance(in r, ref reply)) return;
        Asset* asset = null;
        if (r.Offset != 0)
        {
            asset = (Asset*)Granted(in r, ref reply, sizeof(Asset));
            if (asset == null) return;
            if (_audio.Uses((byte*)asset))
            {
                reply.Status = ReplyStatus.WrongState;
                return;
            }
        }

        var index = (int)Math.Clamp(r.B, -1, Limits.MaxAssets);
        reply.Status = _renderer.SetAsset((int)r.A, (uint)r.C, index, asset, _grants.BytesOf((byte*)asset), out var taken);
        if (taken && asset != null) _grants.Remove((byte*)asset); // it belongs to the instance now
        if (reply.Status == ReplyStatus.BadRequest) Bad(ref reply, BadPart.Header, r.B, r.Offset);
    }

    private void SaveState(in Request r, ref Reply reply)
    {
        if (!Instance(in r, ref reply)) return;
        if (r.B < 0)
        {
            Bad(ref reply, BadPart.State, r.B, 0);
            return;
        }

        var block = Granted(in r, ref reply, r.B);
        if (block == null) return;
        reply.Status = _renderer.SaveState((int)r.A, (uint)r.C, block, r.B, out var written, out var version);
        if (reply.Status == ReplyStatus.BadRequest) Bad(ref reply, BadPart.State, r.B, 0);
        else (reply.A, reply.B) = (written, version);
    }

    private void LoadState(in Request r, ref Reply reply)
    {
        if (!Instance(in r, ref reply)) return;
        if (r.B < 0)
        {
            Bad(ref reply, BadPart.State, r.B, 0);
            return;
        }

        var block = Granted(in r, ref reply, r.B);
        if (block == null) return;
        reply.Status = _renderer.LoadState((int)r.A, (uint)r.C, block, r.B, (uint)r.D);
    }

    private void RestoreModule(in Request r, ref Reply reply)
    {
        if (Instance(in r, ref reply)) reply.Status = _renderer.Restore((int)r.A, (uint)r.C);
    }

    private void LoadLibrary(in Request r, ref Reply reply)
    {
        var block = (LibraryLoad*)Granted(in r, ref reply, sizeof(LibraryLoad));
        if (block == null) return;
        var bytes = _grants.BytesOf((byte*)block);

        // Read from a copy of our own, as a plan is.
        var load = (LibraryLoad*)_pool->Allocate(0, bytes, 0);
        if (load == null)
        {
            (reply.Status, reply.A) = (ReplyStatus.OutOfMemory, bytes);
            return;
        }

        Buffer.MemoryCopy(block, load, bytes, bytes);
        if (load->DescriptorBytes < 0 || load->DescriptorBytes > bytes - sizeof(LibraryLoad)) Bad(ref reply, BadPart.Header, 0, load->DescriptorBytes);
        else if (load->PluginBytes != 0 && (load->PluginBytes < 0 || load->PluginBytes > bytes - LibraryLoad.PluginsAt(load->DescriptorBytes))) Bad(ref reply, BadPart.Header, 1, load->PluginBytes);
        else if (_loader.Load(load, _audio, out var loaded)) (reply.A, reply.B, reply.C) = (loaded.First, loaded.Count, loaded.Record);
        else
        {
            reply.Status = ReplyStatus.LibraryRefused;
            Buffer.MemoryCopy(load->Refusal, block->Refusal, LibraryLoad.RefusalBytes, LibraryLoad.RefusalBytes);
        }

        _pool->Free(0, load);
        if (_region.Locks) ImageLock.Refresh(); // refused or not, it is there
    }

    private void Shutdown(in Request r, ref Reply reply)
    {
        if (!_audio.Stop((int)Math.Clamp(r.A, 0, Limits.MaxRate * 10L))) reply.Status = ReplyStatus.TimedOut; // it ends all the same
        _ending = true;
    }

    private void SetState(EngineState state) => Volatile.Write(ref _map.Header->State, (uint)state);

    private void PublishStatus(ulong now)
    {
        _nextStatus = now + StatusInterval;
        _map.ClockAnchor->Write(CycleClock.Anchor());
        _region.PublishPoolStats(out var pool);
        _renderer.PublishHeap();
        _loader.PublishCollections();
        var status = new StewardStatus
        {
            PoolBytes = pool.Offered,
            PoolLive = pool.Fragments,
            PoolPeak = pool.FragmentsPeak,
            PoolLargest = pool.Largest,
            PoolFailed = pool.Failed,
            Collections = Collections() - _collectionsAtStart,
            AllocatedBytes = GC.GetTotalAllocatedBytes(precise: false) - _allocatedAtStart
                + (GC.GetAllocatedBytesForCurrentThread() - _ownAllocatedAtStart),
            Time = now,
            HeapCalls = Heap.CallsOutside,
            LockWanted = _region.WantedLockedBytes,
            Locked = _region.LockedBytes,
            ImageWanted = (long)ImageLock.Totals.Wanted,
            ImageLocked = (long)ImageLock.Totals.Locked,
            LockError = _region.LockError != 0 ? _region.LockError : ImageLock.Totals.Error,
            Takeovers = _audio.Takeovers,
            Stalls = _audio.Stalls,
            Instances = _renderer.InstanceCount,
            Errors = _errors,
        };
        if (_map.Header->ReadyAt == 0) status.Collections = status.AllocatedBytes = 0; // still warming up
        else
        {
            // Exact per RT thread, where the total may miss a thread's unfinished allocation context.
            for (var t = 0; t < Limits.MaxThreads; t++) status.AllocatedBytes += (long)_map.Threads[t].AllocatedBytes;
            status.AllocatedBytes += _midi.AllocatedBytes;
            if (status.Collections != 0 || status.AllocatedBytes != 0) HeapMoved(in status);
        }

        _map.StewardStatus->Write(in status);
    }

    // The promise the whole design rests on. A checked build stops at once; a release says it, counts it, and plays on.
    private void HeapMoved(in StewardStatus status)
    {
        if (_heapMovedSaid) return;
        _heapMovedSaid = true;
        _errors++;
        var log = default(Log);
        log.Text("error: the engine's managed heap moved after start: "u8);
        log.Number(status.AllocatedBytes);
        log.Text(" bytes allocated, "u8);
        log.Number(status.Collections);
        log.Text(" collections"u8);
        log.End();
#if CHECKED
        Abort();
#endif
    }

    private static int Collections() => GC.CollectionCount(0); // a collection of any generation counts as one of generation 0

#if CHECKED
    [DllImport("libc", EntryPoint = "abort")]
    private static extern void Abort();
#endif
}
