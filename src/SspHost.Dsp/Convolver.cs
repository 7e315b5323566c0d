// A sound through an impulse response of any length, at once and with an even load.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>What a <see cref="Convolver"/> is made for.</summary>
/// <param name="Taps">Longest response in frames.</param>
/// <param name="Paths">1: one input to one output; 2: two beside each other; 4: each of two inputs to each of two outputs.</param>
public readonly record struct ConvolverShape(int Taps, int Paths)
{
    /// <summary>Inputs, as many as outputs.</summary>
    public int Sides => Math.Min(Paths, 2);
}

/// <summary>
/// Non-uniformly partitioned convolution without latency (Gardner, Efficient Convolution without Input-Output Delay, JAES 1995; Wefers,
/// Partitioned Convolution Algorithms for Real-Time Auralization, 2014): 128 taps directly, then blocks of 64, 512 and 4096 frames by
/// overlap-save. A block of B frames serves taps from 2B on, so that B frames of time remain for its work, of which each segment of 16
/// frames does the same share. Blocks are counted from reset, not from quanta: the same bits at any quantum.
/// <para>
/// It holds two responses. The spare one is filled by <see cref="Prepare"/> while the other plays; once offered, both are computed for
/// two long blocks and the second of these crossfades from one to the other.
/// </para>
/// </summary>
public unsafe struct Convolver
{
    /// <summary>Frames of the longest block; a new response takes over within three of them.</summary>
    public const int LongBlock = 1 << (LogFirst + (LogRatio * (MostLevels - 1)));

    private const int LogFirst = 6, LogRatio = 3, MostLevels = 3;
    private const int DirectTaps = 2 << LogFirst;
    private const int LogGrid = 4;
    private const int Quiet = 0, Filling = 1, Fading = 2;

    private readonly Level* _levels;
    private readonly float* _history, _direct;
    private readonly int _levelCount, _sides, _paths, _taps, _restFrames;
    private int _position, _set, _phase;
    private bool _offered;

    private struct Level
    {
        public Fft Fft;

        // Spectra of input blocks: [side][slot]; two more than partitions are being filled.
        public float* Slots;

        // Spectra of responses: [set][path][partition].
        public float* Responses;

        // Sums, then results, of which the second half counts: [side][set][which].
        public float* Sums;
        public float* Scratch;
        public fixed int Partitions[2];
        public int Log, Capacity, SlotCount, Job, Which, Done;
    }

    /// <summary>Floats of the tables all convolvers of any shape share.</summary>
    public static long TableFloats
    {
        get
        {
            long sum = 0;
            for (var level = 0; level < MostLevels; level++) sum += Fft.Floats(2 << LogBlock(level));
            return sum;
        }
    }

    /// <summary>Fills them. [steward]</summary>
    public static void BuildTables(float* tables)
    {
        for (var level = 0; level < MostLevels; level++)
        {
            Fft.Build(tables, 2 << LogBlock(level));
            tables += Fft.Floats(2 << LogBlock(level));
        }
    }

    /// <summary>States the memory of a convolver.</summary>
    public static void Require(in ConvolverShape shape, ref Requirements need)
    {
        need.Need<Level>(MostLevels);
        need.Need<float>(shape.Sides * (DirectTaps + Limits.Grid));
        need.Need<float>(2 * shape.Paths * DirectTaps);
        for (var level = 0; level < MostLevels; level++)
        {
            var partitions = Partitions(level, shape.Taps);
            if (partitions == 0) continue;
            var points = 2L << LogBlock(level);
            need.Need<float>(shape.Sides * (partitions + 2) * points);
            need.Need<float>(2 * shape.Paths * partitions * points);
            need.Need<float>(shape.Sides * 4 * points);
            need.Need<float>(points);
        }
    }

    /// <summary>Over zeroed memory; silent until a response is prepared and adopted. [steward]</summary>
    public Convolver(ref InstanceMemory memory, float* tables, in ConvolverShape shape)
    {
        _sides = shape.Sides;
        _paths = shape.Paths;
        _taps = shape.Taps;
        _levels = memory.Take<Level>(MostLevels);
        _history = memory.Take<float>(_sides * (DirectTaps + Limits.Grid));
        _direct = memory.Take<float>(2 * _paths * DirectTaps);
        _restFrames = 2 * DirectTaps;
        for (var i = 0; i < MostLevels; i++)
        {
            var partitions = Partitions(i, shape.Taps);
            if (partitions == 0) break;
            var points = 2L << LogBlock(i);
            var slots = memory.Take<float>(_sides * (partitions + 2) * points);
            var responses = memory.Take<float>(2 * _paths * partitions * points);
            var sums = memory.Take<float>(_sides * 4 * points);
            var scratch = memory.Take<float>(points);
            if (memory.Overdrawn) return;
            _levels[i] = new Level
            {
                Fft = new Fft(tables, 2 << LogBlock(i)),
                Slots = slots,
                Responses = responses,
                Sums = sums,
                Scratch = scratch,
                Log = LogBlock(i),
                Capacity = partitions,
                SlotCount = partitions + 2,
                Job = partitions + 1,
            };
            tables += Fft.Floats((int)points);
            _levelCount++;
            _restFrames = Math.Max(_restFrames, (partitions + 6) << LogBlock(i));
        }
    }

    /// <summary>Silent frames after which nothing is left inside.</summary>
    public readonly int RestFrames => _restFrames;

    /// <summary>The response that does not play: what <see cref="Prepare"/> may fill while not <see cref="Busy"/>.</summary>
    public readonly int Spare => 1 - _set;

    /// <summary>Whether a response waits to take over or does so.</summary>
    public readonly bool Busy => _offered || _phase != Quiet;

    /// <summary>Slices of work of transforms and of sums in the last segment: what must be even.</summary>
    public int UnitsDone { get; private set; }

    /// <summary>
    /// Fills one path of the spare response with <paramref name="frames"/> taps (cut at the shape's), the rest with zeros.
    /// <paramref name="scratch"/>: twice <see cref="LongBlock"/> floats. Every path needs its call, all with as many frames. [steward]
    /// </summary>
    public readonly void Prepare(int set, int path, float* response, long frames, float* scratch)
    {
        var taps = (int)Math.Min(frames, _taps);
        var direct = _direct + (((set * _paths) + path) * DirectTaps);
        for (var k = 0; k < DirectTaps; k++) direct[k] = k < taps ? response[k] : 0f;
        for (var i = 0; i < _levelCount; i++)
        {
            var level = _levels + i;
            var block = 1 << level->Log;
            var partitions = Partitions(i, taps);
            level->Partitions[set] = partitions;
            for (var j = 0; j < partitions; j++)
            {
                var target = Response(level, set, path, j);
                var first = (2 + j) * block;
                for (var k = 0; k < block; k++)
                {
                    target[k] = first + k < taps ? response[first + k] : 0f;
                    target[block + k] = 0f;
                }

                level->Fft.Forward(target, scratch);
            }
        }
    }

    /// <summary>Lets the spare response take over, by a crossfade.</summary>
    public void Offer() => _offered = true;

    /// <summary>Lets a response that is offered or on its way take over at once.</summary>
    public void Adopt()
    {
        if (Busy) _set = 1 - _set;
        _offered = false;
        _phase = Quiet;
    }

    /// <summary>Forgets all sound; what was offered plays.</summary>
    public void Clear()
    {
        Adopt();
        Block.Clear(_history, _sides * (DirectTaps + Limits.Grid));
        for (var i = 0; i < _levelCount; i++)
        {
            var level = _levels + i;
            Block.Clear(level->Slots, (_sides * level->SlotCount) << (level->Log + 1));
            Block.Clear(level->Sums, (_sides * 4) << (level->Log + 1));
        }

        Rewind();
    }

    /// <summary>Back to the first block, where nothing is left inside: a sleeper goes on as if it had been awake.</summary>
    public void Rewind()
    {
        Adopt();
        _position = 0;
        for (var i = 0; i < _levelCount; i++)
        {
            _levels[i].Job = _levels[i].SlotCount - 1;
            _levels[i].Which = 0;
            _levels[i].Done = 0;
        }
    }

    /// <summary>Sixteen frames of each side; the second pair is ignored where there is one side. In and out may not overlap.</summary>
    public void Segment(float* left, float* right, float* outLeft, float* outRight)
    {
        if (_position == 0) Turn();
        UnitsDone = 0;
        var sum = stackalloc float[4 * Limits.Grid]; // [side][old, new]
        Block.Clear(sum, 4 * Limits.Grid);
        for (var side = 0; side < _sides; side++) Remember(side, side == 0 ? left : right);
        var heard = _phase == Fading ? 2 : 1;
        for (var which = 0; which < heard; which++)
        {
            var set = which == 0 ? _set : 1 - _set;
            for (var path = 0; path < _paths; path++)
            {
                var history = _history + (From(path) * (DirectTaps + Limits.Grid));
                Direct(history, _direct + (((set * _paths) + path) * DirectTaps), sum + (((To(path) * 2) + which) * Limits.Grid));
            }
        }

        for (var i = 0; i < _levelCount; i++)
        {
            var level = _levels + i;
            var block = 1 << level->Log;
            var at = _position & (block - 1);
            var current = level->Job + 1 == level->SlotCount ? 0 : level->Job + 1;
            var next = current + 1 == level->SlotCount ? 0 : current + 1;
            for (var side = 0; side < _sides; side++)
            {
                var source = side == 0 ? left : right;
                Copy(source, Slot(level, side, current) + block + at);
                Copy(source, Slot(level, side, next) + at);
                for (var which = 0; which < heard; which++)
                {
                    var set = which == 0 ? _set : 1 - _set;
                    if (level->Partitions[set] != 0)
                        Add(Sum(level, side, set, 1 - level->Which) + block + at, sum + (((side * 2) + which) * Limits.Grid));
                }
            }

            Work(level, (at >> LogGrid) + 1);
            if (at + Limits.Grid < block) continue;
            level->Job = current;
            level->Which = 1 - level->Which;
            level->Done = 0;
        }

        Store(sum, outLeft);
        if (_sides == 2) Store(sum + (2 * Limits.Grid), outRight);
        _position = (_position + Limits.Grid) & (LongBlock - 1);
    }

    private static int LogBlock(int level) => LogFirst + (LogRatio * level);

    // Blocks of B serve taps from 2B to 16B, the longest ones all from theirs on.
    private static int Partitions(int level, int taps)
    {
        var block = 1 << LogBlock(level);
        var count = ((taps - (2 * block)) + block - 1) >> LogBlock(level);
        return Math.Max(0, level == MostLevels - 1 ? count : Math.Min(count, (2 << LogRatio) - 2));
    }

    private readonly int From(int path) => _paths == 4 ? path >> 1 : path;

    private readonly int To(int path) => _paths == 4 ? path & 1 : path;

    private static float* Slot(Level* level, int side, int slot) =>
        level->Slots + ((nint)((side * level->SlotCount) + slot) << (level->Log + 1));

    private static float* Sum(Level* level, int side, int set, int which) =>
        level->Sums + ((nint)((((side * 2) + set) * 2) + which) << (level->Log + 1));

    private readonly float* Response(Level* level, int set, int path, int partition) =>
        level->Responses + ((nint)((((set * _paths) + path) * level->Capacity) + partition) << (level->Log + 1));

    private static void Copy(float* source, float* target)
    {
        for (var i = 0; i < Limits.Grid; i += 4) Vector128.Load(source + i).Store(target + i);
    }

    private static void Add(float* source, float* target)
    {
        for (var i = 0; i < Limits.Grid; i += 4) (Vector128.Load(target + i) + Vector128.Load(source + i)).Store(target + i);
    }

    private void Turn()
    {
        if (_phase == Filling)
        {
            _phase = Fading;
        }
        else if (_phase == Fading)
        {
            _phase = Quiet;
            _set = 1 - _set;
        }
        else if (_offered)
        {
            _phase = Filling;
            _offered = false;
        }
    }

    private readonly void Remember(int side, float* source)
    {
        var history = _history + (side * (DirectTaps + Limits.Grid));
        for (var i = 0; i < DirectTaps; i += 4) Vector128.Load(history + i + Limits.Grid).Store(history + i);
        Copy(source, history + DirectTaps);
    }

    private static void Direct(float* history, float* taps, float* target)
    {
        Vector128<float> a = Vector128.Load(target), b = Vector128.Load(target + 4);
        Vector128<float> c = Vector128.Load(target + 8), d = Vector128.Load(target + 12);
        var x = history + DirectTaps;
        for (var k = 0; k < DirectTaps; k++, x--)
        {
            var tap = Vector128.Create(taps[k]);
            a += tap * Vector128.Load(x);
            b += tap * Vector128.Load(x + 4);
            c += tap * Vector128.Load(x + 8);
            d += tap * Vector128.Load(x + 12);
        }

        a.Store(target);
        b.Store(target + 4);
        c.Store(target + 8);
        d.Store(target + 12);
    }

    private readonly void Store(float* sum, float* target)
    {
        if (_phase != Fading)
        {
            Copy(sum, target);
            return;
        }

        var fade = new GridRamp(Faded(_position), Faded(_position + Limits.Grid));
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var old = Vector128.Load(sum + i);
            (old + (fade.Four(i) * (Vector128.Load(sum + Limits.Grid + i) - old))).Store(target + i);
        }
    }

    private static float Faded(int position) => 0.5f + (0.5f * FastMath.SinTurns((position * (0.5f / LongBlock)) - 0.25f));

    // The job of a block: transform each side's block, sum partitions path by path, transform each sum back. After `slice` of its slices
    // as large a part of its units is done.
    private void Work(Level* level, int slice)
    {
        var sets = _phase == Quiet ? 1 : 2;
        var transform = level->Fft.Units;
        var logPartition = level->Log - LogGrid;
        var total = _sides * transform;
        for (var which = 0; which < sets; which++)
        {
            var partitions = level->Partitions[which == 0 ? _set : 1 - _set];
            if (partitions != 0) total += (_sides * transform) + ((_paths * partitions) << logPartition);
        }

        var (from, to) = (level->Done, (int)(((long)total * slice) >> (level->Log - LogGrid)));
        level->Done = to;
        UnitsDone += to - from;
        for (var side = 0; side < _sides && to > 0; side++)
        {
            if (from < transform) level->Fft.Forward(Slot(level, side, level->Job), level->Scratch, from, Math.Min(to, transform));
            from = Math.Max(from - transform, 0);
            to -= transform;
        }

        for (var which = 0; which < sets && to > 0; which++)
        {
            var set = which == 0 ? _set : 1 - _set;
            var partitions = level->Partitions[set];
            if (partitions == 0) continue;
            var units = partitions << logPartition;
            for (var path = 0; path < _paths && to > 0; path++)
            {
                if (from < units) Accumulate(level, set, path, from, Math.Min(to, units));
                from = Math.Max(from - units, 0);
                to -= units;
            }

            for (var side = 0; side < _sides && to > 0; side++)
            {
                if (from < transform)
                    level->Fft.Inverse(Sum(level, side, set, level->Which), level->Scratch, from, Math.Min(to, transform));
                from = Math.Max(from - transform, 0);
                to -= transform;
            }
        }
    }

    private readonly void Accumulate(Level* level, int set, int path, int from, int to)
    {
        var logPartition = level->Log - LogGrid;
        var sum = Sum(level, To(path), set, level->Which);
        while (from < to)
        {
            var partition = from >> logPartition;
            var start = from & ((1 << logPartition) - 1);
            var end = Math.Min(1 << logPartition, start + to - from);
            from += end - start;
            var slot = level->Job - partition;
            if (slot < 0) slot += level->SlotCount;
            var adds = partition != 0 || path >= 2;
            Multiply(Slot(level, From(path), slot), Response(level, set, path, partition), sum, 1 << level->Log, start, end, adds);
        }
    }

    private static void Multiply(float* x, float* h, float* sum, int bins, int start, int end, bool adds)
    {
        var (re, im) = (x[0] * h[0], x[bins] * h[bins]);
        if (adds) (re, im) = (sum[0] + re, sum[bins] + im);
        if (adds)
        {
            for (var k = 16 * start; k < 16 * end; k += 4)
            {
                Vector128<float> xr = Vector128.Load(x + k), xi = Vector128.Load(x + bins + k);
                Vector128<float> hr = Vector128.Load(h + k), hi = Vector128.Load(h + bins + k);
                (Vector128.Load(sum + k) + ((xr * hr) - (xi * hi))).Store(sum + k);
                (Vector128.Load(sum + bins + k) + ((xr * hi) + (xi * hr))).Store(sum + bins + k);
            }
        }
        else
        {
            for (var k = 16 * start; k < 16 * end; k += 4)
            {
                Vector128<float> xr = Vector128.Load(x + k), xi = Vector128.Load(x + bins + k);
                Vector128<float> hr = Vector128.Load(h + k), hi = Vector128.Load(h + bins + k);
                ((xr * hr) - (xi * hi)).Store(sum + k);
                ((xr * hi) + (xi * hr)).Store(sum + bins + k);
            }
        }

        // The first bin's place holds two real ones.
        if (start != 0) return;
        sum[0] = re;
        sum[bins] = im;
    }
}
