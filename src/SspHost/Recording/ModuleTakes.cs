// Writes what recorder modules record: one WAV file a take, off the RT threads, whatever the patch does meanwhile.
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Supervision;
using SspHost.Wav;

namespace SspHost.Recording;

/// <summary>
/// Looks at the rings of all recorder modules every 50 ms, copies what is new and writes it when the engine is no longer held. A take ends with
/// its module, with its engine, with the disk, or at 4 GiB; what was written stays, and once a second the file's header says so, so that a file
/// is readable however this process ends. Full scale is 10 V.
/// </summary>
internal sealed unsafe class ModuleTakes : IDisposable
{
    private const int DrainMs = 50;
    private const float FullScaleVolts = 10;

    private readonly EngineSlot _slot;
    private readonly Func<CompiledPlan?> _plan;
    private readonly Func<IReadOnlyList<ModuleDescriptor>> _types;
    private readonly string _folder;
    private readonly Action<string> _say;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Dictionary<(int Generation, ulong Key), Track> _tracks = [];
    private readonly Thread _thread;

    /// <summary>Begins to look. Files go to <paramref name="folder"/>, which is made with the first of them.</summary>
    public ModuleTakes(EngineSlot slot, Func<CompiledPlan?> plan, Func<IReadOnlyList<ModuleDescriptor>> types, string folder, Action<string> say)
    {
        (_slot, _plan, _types, _folder, _say) = (slot, plan, types, folder, say);
        _thread = new Thread(Run) { IsBackground = true, Name = "takes" };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.Wait(DrainMs)) Drain();
        Drain();
        foreach (var track in _tracks.Values) track.End(_say);
    }

    private void Drain()
    {
        var seen = new HashSet<(int, ulong)>();
        _slot.Try(
            link =>
            {
                var types = _types();
                foreach (var instance in _plan()?.Instances ?? [])
                {
                    if ((uint)instance.Type >= (uint)types.Count || types[instance.Type].Telemetry is not [{ Kind: TelemetryKind.Recording } ring, ..]) continue;
                    var id = (_slot.Generation, instance.Key);
                    if (!_tracks.TryGetValue(id, out var track))
                        _tracks.Add(id, track = new Track(instance.Module, _folder, instance.Slot, instance.Key, ring.Length * (long)sizeof(float)));
                    if (track.Copy(link)) seen.Add(id);
                }

                // A module that has just left the patch: what it recorded since the last look is still there.
                foreach (var (id, track) in _tracks)
                    if (id.Generation == _slot.Generation && !seen.Contains(id)) _ = track.Copy(link);
                return true;
            },
            otherwise: false);
        foreach (var (id, track) in _tracks)
        {
            track.Write(_say);
            if (seen.Contains(id)) continue;
            track.End(_say);
            _tracks.Remove(id);
        }
    }

    /// <summary>One recorder module: the blocks that were copied, and the file of its take.</summary>
    private sealed class Track(string name, string folder, int slot, ulong key, long bytes)
    {
        private readonly List<(RecordBlock Head, float[] Samples)> _copied = [];
        private ulong _next;
        private long _saved;
        private int _take = -1, _channels;
        private bool _known;
        private WavWriter? _writer;
        private GlitchRepair? _repair;
        private string _path = "";

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
                var block = RecordRing.Block(ring, _next, channels, capacity);
                var head = *block;
                if (head.Frames is < 0 or > Limits.MaxQuantum) continue;
                var samples = new ReadOnlySpan<float>(block + 1, head.Frames * channels).ToArray();
                Interlocked.MemoryBarrier();

                // Overwritten while it was copied, or the memory has another owner by now: not what was recorded.
                if (Volatile.Read(ref ring->Head) - _next > (ulong)capacity) continue;
                if (Volatile.Read(ref record->Key) != key) return false;
                _copied.Add((head, samples));
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
            foreach (var (head, samples) in _copied)
            {
                if (head.Take != _take) End(say);
                if (head.Frames == 0) End(say);
                else if (_writer != null || Begin(in head, say)) Append(in head, samples, say);
                _take = head.Take;
            }

            _copied.Clear();
        }

        /// <summary>Completes the file, if there is one.</summary>
        public void End(Action<string> say)
        {
            if (_writer == null) return;
            try
            {
                _repair!.Finish();
                _writer.Cues = [.. _repair.Gaps.Select(static g => new WavCue(g.At, g.Frames, string.Create(CultureInfo.InvariantCulture, $"{g.Frames} frames missing")))];
                _writer.Dispose();
                say(string.Create(CultureInfo.InvariantCulture, $"recorded {_repair.Frames / (double)_writer.Rate:0.0} s into {_path}{(_repair.Missing > 0 ? $": {_repair.Missing} frames are silence, with markers" : "")}"));
            }
            catch (IOException e)
            {
                say($"{_path}: {e.Message}; what was written is kept");
                CloseQuietly(_writer);
            }

            (_writer, _repair) = (null, null);
        }

        // A take whose file cannot be made is not tried again with each of its blocks.
        private bool Begin(in RecordBlock head, Action<string> say)
        {
            if (head.Take == _take || head.Rate < 1) return false;
            try
            {
                Directory.CreateDirectory(folder);
                var stem = string.Concat(name.Select(static c => char.IsLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
                _path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{stem}-{DateTime.Now:yyyyMMdd-HHmmss}.wav"));
                for (var n = 2; File.Exists(_path); n++)
                    _path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{stem}-{DateTime.Now:yyyyMMdd-HHmmss}-{n}.wav"));
                var writer = WavWriter.Create(_path, head.Rate, _channels, WavEncoding.Float32);
                (_writer, _saved) = (writer, 0);
                _repair = new GlitchRepair(_channels, head.Rate, frames => writer.Write(frames.Span));
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                say($"{_path}: {e.Message}; this take of '{name}' is not recorded");
                return false;
            }
        }

        private void Append(in RecordBlock head, float[] planar, Action<string> say)
        {
            var frames = head.Frames;
            var interleaved = new float[planar.Length];
            for (var c = 0; c < _channels; c++)
                for (var i = 0; i < frames; i++) interleaved[(i * _channels) + c] = planar[(c * frames) + i] / FullScaleVolts;
            try
            {
                _ = _repair!.Take(0, head.Frame, 0, interleaved);
                if (_writer!.Frames < _saved + head.Rate) return;
                _writer.Save();
                _saved = _writer.Frames;
            }
            catch (IOException e) // a full disk, or 4 GiB
            {
                say($"{_path}: {e.Message}; the take ends here and what was written is kept");
                CloseQuietly(_writer!);
                (_writer, _repair) = (null, null);
            }
        }

        private static void CloseQuietly(WavWriter writer)
        {
            try
            {
                writer.Dispose();
            }
            catch (IOException)
            {
                // Said already: the disk is full.
            }
        }
    }
}
