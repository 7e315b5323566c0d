// Records what jacks carry into a WAV file while a patch plays: off the RT thread, in step with the card's clock, with a marker where something is missing.
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Playing;
using SspHost.Supervision;
using SspHost.Wav;

namespace SspHost.Recording;

/// <summary>
/// One recording at a time. It goes on across a restart of audio and of the engine: the time in between is silence with a marker. Full scale is
/// 10 V. A full disk, or a file of 4 GiB, ends it with what it has.
/// </summary>
internal sealed unsafe class Recorder(EngineSlot slot, Action<string> say) : IDisposable
{
    // Two thirds of a second at 32 frames for two jacks; wide recordings take what is reasonable of the region.
    private const int MostBlocks = 1024, FewestBlocks = 64, RingBytes = 8 << 20;
    private const int DrainMs = 20;
    private const int MostTold = GlitchRepair.MostGaps, MostShown = 10;
    private const long ShowMs = 500;

    private readonly Lock _lock = new(); // held while the disk writes: whoever plays takes only the other
    private readonly Lock _tellLock = new();
    private readonly ManualResetEventSlim _stop = new();
    private readonly Dictionary<(int Start, ulong Frame), string> _told = [];
    private readonly List<(int Start, ulong Frame, ulong Frames, string Words)> _absences = [];
    private Thread? _thread;
    private ushort[] _jacks = [];
    private string _path = "";
    private readonly CopiedBlocks _copied = new();
    private Take? _take;
    private Grant? _block;
    private RecordRing* _ring;
    private int _generation = -1, _capacity;
    private int _engineStarts; // so that starts of one engine are not taken for those of the next
    private ulong _dropped;
    private string? _trouble;
    private RecordingReport? _last;
    private volatile RecordingReport? _now;
    private long _shown;

    /// <summary>The recording that runs, half a second old at most while the disk keeps up, with the last gaps only; null: none does. Waits for nobody.</summary>
    public RecordingReport? Report => _now;

    /// <summary>Begins one. <paramref name="jacks"/>: from 0, inputs with <see cref="RecordRing.Input"/>. Null, or why not.</summary>
    public string? Start(string path, IReadOnlyList<ushort> jacks)
    {
        lock (_lock)
        {
            if (_thread != null) return $"{_path} is being recorded; end that first";
            if (jacks.Count is 0 or > RecordRing.MaxChannels) return $"expected 1 to {RecordRing.MaxChannels} jacks to record";
            try
            {
                WavFormat.CheckOutput(path, "");
                if (!slot.Try(link => link.TryAudio(out var a) && a.Rate > 0, otherwise: false)) return "nothing plays, so there is nothing to record";
                var rate = slot.Use(link => link.TryAudio(out var a) ? a.Rate : 0);
                (_jacks, _path, _trouble, _dropped, _engineStarts, _generation) = ([.. jacks], path, null, 0, 0, -1);
                _copied.Clear();
                lock (_tellLock)
                {
                    _told.Clear();
                    _absences.Clear();
                }

                slot.Use(Hang); // first: a file that is there is not replaced where the engine refuses
                _take = new Take(path, rate, jacks.Count);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or EngineGoneException or EngineRefusedException or EngineTimeoutException)
            {
                LetGo();
                return e.Message;
            }

            _stop.Reset();
            _now = Describe(MostShown);
            _thread = new Thread(Run) { IsBackground = true, Name = "recorder" };
            _thread.Start();
            return null;
        }
    }

    /// <summary>Ends it; what came of it, or null and why not.</summary>
    public RecordingReport? Stop(out string? why)
    {
        Thread? thread;
        lock (_lock) thread = _thread;
        if (thread == null)
        {
            why = "nothing is being recorded";
            return null;
        }

        _stop.Set();
        thread.Join();
        lock (_lock)
        {
            why = null;
            return _last;
        }
    }

    /// <summary>
    /// What happened to the sound: the words of its marker, should frames be missing there. Waits for no disk.
    /// </summary>
    public void Note(in Notice notice, string words)
    {
        if (notice.Kind is not (NoticeKind.Dropout or NoticeKind.DeviceAway)) return;
        if (_now == null) return;
        lock (_tellLock)
        {
            if (_told.Count >= MostTold) return;
            var start = Volatile.Read(ref _engineStarts);
            _told[(start, notice.Frame)] = words;
            if (notice is { Kind: NoticeKind.Dropout, B: (long)DropoutCause.Unplugged }) _absences.Add((start, notice.Frame, (ulong)notice.A, words));
        }
    }

    public void Dispose()
    {
        _ = Stop(out _);
        _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.Wait(DrainMs)) Drain();
        Drain();
        lock (_lock)
        {
            try
            {
                _take!.Finish(WordsOf);
            }
            catch (IOException e)
            {
                _trouble ??= e.Message;
            }

            _last = Describe(MostTold);
            LetGo();
            (_take, _thread, _now) = (null, null, null);
        }

        say(Words(_last));
    }

    private void Drain()
    {
        lock (_lock)
        {
            if (_trouble != null) return;
            if (Environment.TickCount64 - _shown >= ShowMs) (_shown, _now) = (Environment.TickCount64, Describe(MostShown));
            try
            {
                slot.Try(
                    link =>
                    {
                        if (slot.Generation != _generation) Hang(link);
                        Copy();
                        return true;
                    },
                    otherwise: false);
                Write();
            }
            catch (Exception e) when (e is IOException or EngineRefusedException)
            {
                _trouble = e.Message;
                _now = Describe(MostShown);
                say($"{_path}: {e.Message}; the recording ends here and what was written is kept");
            }
            catch (Exception e) when (e is EngineGoneException or EngineTimeoutException)
            {
                // The next one is hung in when it is there.
            }
        }
    }

    // Hangs the tap into an engine.
    private void Hang(EngineLink link)
    {
        _engineStarts += 1 << 16;
        _ring = null;
        _block = null; // an engine that died took it along
        _capacity = MostBlocks;
        while (_capacity > FewestBlocks && RecordRing.BytesFor(_jacks.Length, _capacity) > RingBytes) _capacity /= 2;
        _block = link.Allocate(RecordRing.BytesFor(_jacks.Length, _capacity));
        _ring = (RecordRing*)_block.Pointer;
        _ring->Channels = _jacks.Length;
        _ring->Capacity = _capacity;
        for (var c = 0; c < _jacks.Length; c++) _ring->Jacks[c] = _jacks[c];
        try
        {
            link.StartRecording(_block);
        }
        catch
        {
            _ring = null;
            _block.Dispose();
            _block = null;
            throw;
        }

        _generation = slot.Generation;
    }

    private void Copy()
    {
        if (_ring == null) return;
        for (var head = _ring->Head; head != Volatile.Read(ref _ring->Tail); Volatile.Write(ref _ring->Head, ++head))
            _copied.Add(RecordRing.Block(_ring, head, _jacks.Length, _capacity), _jacks.Length);
        _dropped = Math.Max(_dropped, _ring->Dropped);
    }

    private void Write()
    {
        for (var i = 0; i < _copied.Count; i++)
        {
            var head = _copied.Get(i, out var volts);
            if (head.Rate != _take!.Rate) throw new WavException(string.Create(CultureInfo.InvariantCulture, $"audio runs at {head.Rate} Hz by now, the recording at {_take.Rate} Hz"));
            _take.Add(_engineStarts + head.Start, in head, volts);
        }

        _copied.Clear();
    }

    private void LetGo()
    {
        if (_block == null) return;
        try
        {
            slot.Try(
                link =>
                {
                    if (slot.Generation != _generation) return true;
                    link.StopRecording();
                    _block.Dispose();
                    return true;
                },
                otherwise: false);
        }
        catch (Exception e) when (e is EngineGoneException or EngineRefusedException or EngineTimeoutException)
        {
            // The engine keeps the block until its session ends.
        }

        _block = null;
        _ring = null;
    }

    private string WordsOf(Gap gap)
    {
        if (gap.Restart) return "audio was stopped or started again";
        // What the engine told is found by the frame; a gap that nobody told of is this end's.
        var start = (int)(gap.Start & ~0xFFFF);
        lock (_tellLock)
        {
            if (_told.TryGetValue((start, gap.EngineFrame), out var words)) return words;
            // While a card is away rendering goes on; what is skipped when it is back belongs to its absence, which began earlier.
            foreach (var a in _absences)
                if (a.Start == start && gap.EngineFrame >= a.Frame && gap.EngineFrame - a.Frame < a.Frames) return a.Words;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{gap.Frames} frames missing: the recorder was too slow, or nobody told why");
    }

    private RecordingReport Describe(int gaps) => new()
    {
        File = _path,
        Frames = _take?.Frames ?? 0,
        Seconds = Math.Round(_take?.Seconds ?? 0, 3),
        Missing = _take?.Missing ?? 0,
        DroppedBlocks = _dropped,
        Gaps = [.. (_take?.Gaps ?? []).TakeLast(gaps).Select(g => new RecordingGap { At = g.At, Frames = g.Frames, Text = WordsOf(g) })],
        Trouble = _trouble,
    };

    /// <summary>A recording in one line for people.</summary>
    public static string Words(RecordingReport r)
    {
        var gaps = r.Gaps.Count == 0 ? "nothing is missing"
            : r.Gaps.Count < GlitchRepair.MostGaps ? string.Create(CultureInfo.InvariantCulture, $"{r.Missing} frames in {r.Gaps.Count} places are silence, each with a marker")
            : string.Create(CultureInfo.InvariantCulture, $"{r.Missing} frames are silence, in so many places that only the first {r.Gaps.Count} have a marker");
        return string.Create(CultureInfo.InvariantCulture, $"recorded {r.Seconds:0.0} s into {r.File}: {gaps}{(r.Trouble == null ? "" : $"; it ended early: {r.Trouble}")}");
    }
}
