// The journal on disk: appended by a thread of its own, one fsync for all that came within a moment, rewritten when it has grown.
using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace SspHost.Patching;

/// <summary>
/// Group commit: a record waits at most <see cref="Window"/> for others, then all are written and made durable together. A disk
/// that refuses is asked again every so often (<see cref="PatchSessionOptions.JournalRetry"/>); nothing is dropped meanwhile.
/// </summary>
internal sealed class Journal : IDisposable
{
    /// <summary>What a record waits for company; with an fsync of up to 150 ms it is durable within 250 ms.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    private readonly string _path;
    private readonly Func<List<JournalRecord>> _snapshot;
    private readonly Lock _ownerLock;
    private readonly object _lock = new();
    private readonly Thread _thread;
    private readonly long _growth;
    private readonly TimeSpan _retry;
    private List<JournalRecord> _pending = [];
    private MergedEdits? _growing; // the edits of the last pending record, while a knob turns
    private long _appended, _durable;
    private long _rewriteFor = -1; // number of a change that only a rewritten journal can hold; -1: none
    private bool _hurry, _stop;
    private string? _trouble;

    // The writer thread's own.
    private SafeFileHandle? _file;
    private long _length, _baseLength;
    private uint _chain;
    private bool _rewrite = true; // a journal starts by writing where it stands
    private bool _torn; // whether something may stand behind _length

    /// <param name="path">The file.</param>
    /// <param name="ownerLock">The lock under which the owner appends and in which <paramref name="snapshot"/> is called.</param>
    /// <param name="snapshot">The records that lead to the present.</param>
    /// <param name="growth">Bytes by which the file may grow before it is rewritten.</param>
    /// <param name="retry">How long a disk that refused is left alone.</param>
    public Journal(string path, Lock ownerLock, Func<List<JournalRecord>> snapshot, long growth, TimeSpan retry)
    {
        _path = path;
        _ownerLock = ownerLock;
        _snapshot = snapshot;
        _growth = growth;
        _retry = retry;
        _thread = new Thread(Run) { IsBackground = true, Name = "journal" };
        _thread.Start();
    }

    /// <summary>Number of the last change that is on disk.</summary>
    public long Durable => Volatile.Read(ref _durable);

    /// <summary>One line while the disk refuses.</summary>
    public string? Trouble => Volatile.Read(ref _trouble);

    /// <summary>
    /// [under the owner's lock] Adds the record of change number <paramref name="sequence"/>. One that cannot be replayed from what the
    /// file holds (an undo further back than it reaches) is <paramref name="beyond"/>: the file is rewritten instead.
    /// </summary>
    public void Append(JournalRecord record, long sequence, bool beyond)
    {
        lock (_lock)
        {
            if (beyond) _rewriteFor = sequence;
            // A knob that turns: within one window only where it got to is written.
            if (record.Kind == JournalKind.More && _pending.Count > 0 && _pending[^1].Kind is JournalKind.Do or JournalKind.More)
            {
                (_growing ??= new MergedEdits(_pending[^1].Edits)).Add(record.Edits);
            }
            else
            {
                Grown();
                _pending.Add(record);
            }

            _appended = sequence;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until change number <paramref name="sequence"/> is on disk.</summary>
    public bool Wait(long sequence, TimeSpan timeout)
    {
        var end = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        lock (_lock)
        {
            while (_durable < sequence)
            {
                var left = end - Environment.TickCount64;
                if (left <= 0 || _stop) return false;
                _hurry = true;
                Monitor.PulseAll(_lock);
                Monitor.Wait(_lock, (int)Math.Min(left, 1000));
            }
        }

        return true;
    }

    /// <summary>Writes what is pending and ends. Not to be called under the owner's lock.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _stop = true;
            Monitor.PulseAll(_lock);
        }

        _thread.Join();
        _file?.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            bool last;
            lock (_lock)
            {
                while (_pending.Count == 0 && !_stop && !_rewrite) Monitor.Wait(_lock);
                var end = Environment.TickCount64 + (long)Window.TotalMilliseconds;
                while (!_hurry && !_stop && !_rewrite)
                {
                    var left = end - Environment.TickCount64;
                    if (left <= 0) break;
                    Monitor.Wait(_lock, (int)left);
                }

                _hurry = false;
                last = _stop;
            }

            var trouble = Commit();
            lock (_lock)
            {
                Volatile.Write(ref _trouble, trouble);
                Monitor.PulseAll(_lock);
                if (last) return;

                // However many turn knobs or wait meanwhile.
                var again = Environment.TickCount64 + (long)_retry.TotalMilliseconds;
                while (trouble is not null && !_stop && Environment.TickCount64 < again) Monitor.Wait(_lock, (int)Math.Max(1, again - Environment.TickCount64));
            }
        }
    }

    private string? Commit()
    {
        try
        {
            if (_rewrite || _length - _baseLength > Math.Max(_growth, 4 * _baseLength) || !TryAppend()) Rewrite();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return $"{_path}: edits are not being saved: {PatchError.OneLine(e.Message, 200)}";
        }
    }

    private bool TryAppend()
    {
        List<JournalRecord> records;
        long sequence;
        lock (_lock)
        {
            if (_rewriteFor >= 0) return false;
            if (_pending.Count == 0) return true;
            records = TakePending();
            sequence = _appended;
        }

        try
        {
            // What an append that failed has left behind its end would be taken for damage.
            if (_torn) RandomAccess.SetLength(_file!, _length);
            var bytes = new ArrayBufferWriter<byte>(4096);
            var chain = _chain;
            foreach (var r in records) JournalFormat.Write(bytes, r, ref chain);
            _torn = true;
            RandomAccess.Write(_file!, bytes.WrittenSpan, _length);
            RandomAccess.FlushToDisk(_file!);
            _torn = false;
            _chain = chain;
            _length += bytes.WrittenCount;
        }
        catch
        {
            PutBack(records); // written again at the same place: a half-written line is overwritten
            throw;
        }

        Publish(sequence);
        return true;
    }

    private void Rewrite()
    {
        _rewrite = true;
        List<JournalRecord> records;
        List<JournalRecord> superseded;
        long sequence;
        lock (_ownerLock)
        {
            records = _snapshot();
            lock (_lock)
            {
                superseded = TakePending();
                sequence = _appended;
            }
        }

        var temporary = $"{_path}.new";
        SafeFileHandle? file = null;
        try
        {
            var bytes = new ArrayBufferWriter<byte>(1 << 16);
            var chain = JournalFormat.Seed;
            foreach (var r in records) JournalFormat.Write(bytes, r, ref chain);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.Read);
            RandomAccess.Write(file, bytes.WrittenSpan, 0);
            RandomAccess.FlushToDisk(file);
            File.Move(temporary, _path, overwrite: true);
            AtomicFile.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            _file?.Dispose();
            _file = file;
            _chain = chain;
            _length = _baseLength = bytes.WrittenCount;
            _rewrite = _torn = false;
        }
        catch
        {
            file?.Dispose();
            PutBack(superseded);
            Discard(temporary);
            throw;
        }

        lock (_lock)
        {
            if (_rewriteFor <= sequence) _rewriteFor = -1;
        }

        Publish(sequence);
    }

    // A half of it would fill the very disk that is full. Once it was renamed there is none.
    private static void Discard(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next attempt overwrites it.
        }
    }

    // Under _lock.
    private void Grown()
    {
        if (_growing is null) return;
        _pending[^1] = _pending[^1] with { Edits = _growing.ToArray() };
        _growing = null;
    }

    // Under _lock.
    private List<JournalRecord> TakePending()
    {
        Grown();
        var records = _pending;
        _pending = [];
        return records;
    }

    private void PutBack(List<JournalRecord> records)
    {
        lock (_lock)
        {
            records.AddRange(_pending);
            _pending = records;
        }
    }

    private void Publish(long sequence)
    {
        lock (_lock)
        {
            _durable = sequence;
            _trouble = null; // who waited for this sees no trouble that is over
            Monitor.PulseAll(_lock);
        }
    }
}
