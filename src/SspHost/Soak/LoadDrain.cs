// Takes the load of every block out of the engine's region for as long as a soak lasts, into a file and into what is counted of it.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics.Soak;
using SspHost.Supervision;

namespace SspHost.Soak;

/// <summary>A tally and when its worst block was.</summary>
internal sealed class TimedTally
{
    public LoadTally Loads { get; } = new();

    /// <summary>CLOCK_MONOTONIC in ns, within a turn of the drain.</summary>
    public ulong WorstNs { get; set; }
}

/// <summary>A row of late blocks as it came.</summary>
internal sealed class LateRun
{
    public required ulong Block { get; init; }

    public required ulong Ns { get; init; }

    public required string Phase { get; init; }

    public long Length { get; set; }

    public long Lost { get; set; }

    public int Worst { get; set; }
}

/// <summary>A thread of its own, often enough that it is never lapped unless the machine stands still for seconds.</summary>
internal sealed unsafe class LoadDrain : IDisposable
{
    private const int TickMs = 20;

    /// <summary>Rows of late blocks that are kept one by one.</summary>
    public const int MostRuns = 1000;

    private readonly Lock _lock = new();
    private readonly EngineSlot _slot;
    private readonly LoadFileWriter _file;
    private readonly double _blockNs;
    private readonly ManualResetEventSlim _ending = new();
    private readonly Thread _thread;
    private readonly ushort[] _buffer = new ushort[LoadRing.Capacity / 4];
    private readonly List<LateRun> _runs = [];
    private readonly TimedTally _whole = new();
    private TimedTally? _phase;
    private string _name = "";
    private int _generation;
    private ulong _next, _before; // blocks of engines before this one
    private bool _inRun;
    private LateRun? _run;
    private Exception? _failure;

    /// <summary>Begins with the first block of the engine that is in the slot.</summary>
    public LoadDrain(EngineSlot slot, string path, in AudioStatus audio)
    {
        _slot = slot;
        _generation = slot.Generation;
        _blockNs = audio.Quantum * 1e9 / audio.Rate;
        _file = new LoadFileWriter(path, new LoadFileHead(audio.Rate, audio.Quantum, 0, audio.Time - (ulong)(audio.Quanta * _blockNs), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        _thread = new Thread(Run) { Name = "ssp-loads", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Of all blocks. To be read after <see cref="End"/>.</summary>
    public TimedTally Whole => _whole;

    /// <summary>Rows of late blocks, at most <see cref="MostRuns"/> of them. To be read after <see cref="End"/>.</summary>
    public IReadOnlyList<LateRun> Runs => _runs;

    /// <summary>What comes from now on belongs to a phase; null: to none.</summary>
    public void Switch(string name, TimedTally? phase)
    {
        lock (_lock)
        {
            Take();
            (_name, _phase) = (name, phase);
        }
    }

    /// <summary>Takes what is left and finishes the file. Throws what went wrong with that on the way, a full disk for one.</summary>
    public void End()
    {
        _ending.Set();
        _thread.Join();
        lock (_lock)
        {
            if (_failure == null) Take();
            _file.Dispose();
        }

        if (_failure is { } e) throw new IOException($"the loads of the blocks could not be kept: {e.Message}", e);
    }

    public void Dispose()
    {
        _ending.Set();
        _thread.Join();
        _file.Dispose();
        _ending.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_ending.Wait(TickMs))
            {
                lock (_lock) Take();
            }
        }
        catch (IOException e)
        {
            _failure = e;
        }
    }

    private void Take() => _slot.Try(
        link =>
        {
            if (_slot.Generation != _generation) (_generation, _before, _next) = (_slot.Generation, _before + _next, 0); // numbers go on over an engine's death
            int read;
            do
            {
                read = LoadRing.Read(link.Map.Loads, ref _next, _buffer, out var missed);
                if (missed > 0)
                {
                    _file.Skip(missed);
                    _whole.Loads.Skip((long)missed);
                    _phase?.Loads.Skip((long)missed);
                    _inRun = false;
                }

                if (read > 0) Add(_before + _next - (ulong)read, _buffer.AsSpan(0, read), link.Map.Loads->Count - _next);
            }
            while (read > 0);
            return true;
        },
        otherwise: false);

    private void Add(ulong first, ReadOnlySpan<ushort> values, ulong behind)
    {
        _file.Add(values);
        var last = Linux.Now() - (ulong)(behind * _blockNs); // about when the last of them was rendered
        Count(_whole, first, values, last);
        if (_phase is { } phase) Count(phase, first, values, last);
        for (var i = 0; i < values.Length; i++)
        {
            var bad = LoadTally.IsBad(values[i]);
            if (bad && !_inRun)
            {
                _run = new LateRun { Block = first + (ulong)i, Ns = last - (ulong)((values.Length - 1 - i) * _blockNs), Phase = _name };
                if (_runs.Count < MostRuns) _runs.Add(_run);
            }

            if (bad && _run is { } run)
            {
                run.Length++;
                if (BlockLoad.IsLost(values[i])) run.Lost++;
                run.Worst = Math.Max(run.Worst, BlockLoad.Units(values[i]));
            }

            _inRun = bad;
        }
    }

    private void Count(TimedTally into, ulong first, ReadOnlySpan<ushort> values, ulong last)
    {
        var worst = into.Loads.Worst;
        into.Loads.Add(first, values);
        if (into.Loads.Worst > worst) into.WorstNs = last - (ulong)((first + (ulong)values.Length - 1 - into.Loads.WorstBlock) * _blockNs);
    }
}
