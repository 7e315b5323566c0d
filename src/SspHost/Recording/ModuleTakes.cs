// Writes what recorder modules record: one WAV file a take, off the RT threads, whatever the patch does meanwhile.
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Patching;
using SspHost.Supervision;

namespace SspHost.Recording;

/// <summary>
/// While there are recorder modules: looks at their rings every 50 ms, copies what is new and writes it when the engine is no longer held. While
/// there are none it sleeps. A take ends with its module, with its engine, with the disk, or at 4 GiB; what was written stays.
/// </summary>
internal sealed unsafe partial class ModuleTakes : IDisposable
{
    private const int DrainMs = 50;
    private const int SetName = 15; // PR_SET_NAME

    private readonly EngineSlot _slot;
    private readonly Func<CompiledPlan?> _plan;
    private readonly Func<IReadOnlyList<ModuleDescriptor>> _types;
    private readonly string _folder;
    private readonly Action<string> _say;
    private readonly AutoResetEvent _wake = new(initialState: true);
    private readonly Dictionary<(int Generation, ulong Key), Track> _tracks = [];
    private readonly HashSet<(int Generation, ulong Key)> _seen = [];
    private readonly Thread _thread;
    private CompiledPlan? _noticed;
    private volatile bool _ended;

    /// <summary>Begins to look. Files go to <paramref name="folder"/>, which is made with the first of them.</summary>
    public ModuleTakes(EngineSlot slot, Func<CompiledPlan?> plan, Func<IReadOnlyList<ModuleDescriptor>> types, string folder, Action<string> say)
    {
        (_slot, _plan, _types, _folder, _say) = (slot, plan, types, folder, say);
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>To be called often: another plan may have recorder modules. Not thread-safe.</summary>
    public void Notice()
    {
        var plan = _plan();
        if (ReferenceEquals(plan, _noticed)) return;
        _noticed = plan;
        _wake.Set();
    }

    public void Dispose()
    {
        _ended = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        fixed (byte* name = "takes\0"u8) _ = Prctl(SetName, name, 0, 0, 0); // the runtime keeps a thread's name to itself
        var busy = false;
        while (!_ended)
        {
            _ = _wake.WaitOne(busy ? DrainMs : Timeout.Infinite);
            busy = Drain();
        }

        foreach (var track in _tracks.Values) track.End(_say);
    }

    // True: there is something to look at again soon.
    private bool Drain()
    {
        var types = _types();
        var recorders = (_plan()?.Instances ?? []).Where(i => (uint)i.Type < (uint)types.Count && types[i.Type].Telemetry is [{ Kind: TelemetryKind.Recording }, ..]).ToArray();
        _seen.Clear();
        _slot.Try(
            link =>
            {
                foreach (var instance in recorders)
                {
                    var id = (_slot.Generation, instance.Key);
                    if (!_tracks.TryGetValue(id, out var track))
                        _tracks.Add(id, track = new Track(instance.Module, _folder, instance.Slot, instance.Key, types[instance.Type].Telemetry[0].Length * (long)sizeof(float)));
                    if (track.Copy(link)) _seen.Add(id);
                }

                // A module that has just left the patch: what it recorded since the last look is still there.
                foreach (var (id, track) in _tracks)
                    if (id.Generation == _slot.Generation && !_seen.Contains(id)) _ = track.Copy(link);
                return true;
            },
            otherwise: false);
        foreach (var (id, track) in _tracks)
        {
            track.Write(_say);
            if (_seen.Contains(id)) continue;
            track.End(_say);
            _tracks.Remove(id);
        }

        return recorders.Length > 0 || _tracks.Count > 0; // a module whose engine is away is looked for
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, byte* name, nint b, nint c, nint d);

    /// <summary>One recorder module: the blocks that were copied, and the file of its take.</summary>
    private sealed class Track(string name, string folder, int slot, ulong key, long bytes)
    {
        private readonly CopiedBlocks _copied = new();
        private ulong _next;
        private int _number = -1, _channels;
        private bool _known;
        private Take? _take;

        /// <summary>Copies the blocks that are new; false where the instance is no longer there.</summary>
        public bool Copy(EngineLink link)
        {
            if ((uint)slot >= Limits.MaxInstances) return false;
            var record = link.Map.Instances + slot;
            if (record->State == InstanceState.Free || Volatile.Read(ref record->Key) != key) return false;
            var offset = record->Telemetry;
            if (offset <= 0 || offset > link.Map.Bytes - bytes) return false;
            var ring = (RecordRing*)link.Map.At(offset);
            var (capacity, channels) = (Volatile.Read(ref ring->Capacity), ring->Channels);
            if (capacity == 0) return true; // not processed yet
            if (capacity < 0 || channels is < 1 or > RecordRing.MaxChannels || RecordRing.BytesFor(channels, capacity) > bytes) return false;
            _channels = channels;
            var tail = Volatile.Read(ref ring->Tail);
            if (!_known) _next = FirstOf(ring, tail, channels, capacity);
            _known = true;
            if (tail < _next) _next = 0; // the ring began anew
            if (tail - _next > (ulong)capacity) _next = tail - (ulong)capacity;
            for (; _next < tail; _next++)
            {
                var before = _copied.Count;
                _copied.Add(RecordRing.Block(ring, _next, channels, capacity), channels);
                Interlocked.MemoryBarrier();

                // Overwritten while it was copied, or the memory has another owner by now: not what was recorded.
                var gone = Volatile.Read(ref record->Key) != key;
                if (gone || Volatile.Read(ref ring->Head) - _next > (ulong)capacity) _copied.Keep(before);
                if (gone) return false;
            }

            return true;
        }

        // An engine that played on without this process: takes that were over long ago are in files already, or were nobody's. A module is
        // seen within a few blocks of its first, so a ring with more than that is an old one; of it only the take under way is wanted.
        private static ulong FirstOf(RecordRing* ring, ulong tail, int channels, int capacity)
        {
            if (tail <= (ulong)capacity / 4) return 0;
            var first = tail;
            while (first > 0 && tail - first < (ulong)capacity && RecordRing.Block(ring, first - 1, channels, capacity)->Frames != 0) first--;
            return first;
        }

        /// <summary>Writes what was copied.</summary>
        public void Write(Action<string> say)
        {
            for (var i = 0; i < _copied.Count; i++)
            {
                var head = _copied.Get(i, out var volts);
                if (head.Take != _number) End(say);
                if (head.Frames == 0) End(say);
                else if (_take != null || Begin(in head, say)) Append(head, volts, say);
                _number = head.Take;
            }

            _copied.Clear();
        }

        /// <summary>Completes the file, if there is one.</summary>
        public void End(Action<string> say)
        {
            if (_take is not { } take) return;
            _take = null;
            try
            {
                take.Finish(static g => string.Create(CultureInfo.InvariantCulture, $"{g.Frames} frames missing"));
                var missing = take.Missing > 0 ? string.Create(CultureInfo.InvariantCulture, $": {take.Missing} frames are silence, with markers") : "";
                say(string.Create(CultureInfo.InvariantCulture, $"recorded {take.Seconds:0.0} s into {take.Path}{missing}"));
            }
            catch (IOException e)
            {
                say($"{take.Path}: {e.Message}; what was written is kept");
            }
        }

        // A take whose file cannot be made is not tried again with each of its blocks.
        private bool Begin(in RecordBlock head, Action<string> say)
        {
            if (head.Take == _number || head.Rate < 1) return false;
            var path = "";
            try
            {
                Directory.CreateDirectory(folder);
                var stem = string.Concat(name.Select(static c => char.IsLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
                stem = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{stem}-{DateTime.Now:yyyyMMdd-HHmmss}"));
                path = stem + ".wav";
                for (var n = 2; File.Exists(path); n++) path = string.Create(CultureInfo.InvariantCulture, $"{stem}-{n}.wav");
                _take = new Take(path, head.Rate, _channels);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                say($"{path}: {e.Message}; this take of '{name}' is not recorded");
                return false;
            }
        }

        // Its frames count by the engine's time, which goes on across starts of audio.
        private void Append(RecordBlock head, ReadOnlySpan<float> volts, Action<string> say)
        {
            head.Time = 0;
            try
            {
                _take!.Add(start: 0, in head, volts);
            }
            catch (IOException e) // a full disk, or 4 GiB
            {
                say($"{_take!.Path}: {e.Message}; the take ends here and what was written is kept");
                _take.Abandon();
                _take = null;
            }
        }
    }
}
