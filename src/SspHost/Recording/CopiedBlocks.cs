// Blocks on their way from a ring in the region into a file: copied while the engine is held, written when it no longer is.
using SspHost.Abi;

namespace SspHost.Recording;

/// <summary>A list whose memory is used again. Not thread-safe.</summary>
internal sealed unsafe class CopiedBlocks
{
    private readonly List<(RecordBlock Head, int At)> _blocks = [];
    private float[] _samples = [];
    private int _used;

    public int Count => _blocks.Count;

    /// <summary>Copies a block of a ring; one with impossible frames is not one.</summary>
    public void Add(RecordBlock* block, int channels)
    {
        var head = *block;
        if (head.Frames is < 0 or > Limits.MaxQuantum) return;
        var floats = head.Frames * channels;
        if (_samples.Length - _used < floats) Array.Resize(ref _samples, Math.Max(_samples.Length * 2, _used + floats));
        new ReadOnlySpan<float>(block + 1, floats).CopyTo(_samples.AsSpan(_used));
        _blocks.Add((head, _used));
        _used += floats;
    }

    /// <summary>Takes back all but the first <paramref name="count"/>.</summary>
    public void Keep(int count)
    {
        if (_blocks.Count <= count) return;
        _used = _blocks[count].At;
        _blocks.RemoveRange(count, _blocks.Count - count);
    }

    /// <summary>A block's head and its samples, in volts, a channel after the other.</summary>
    public RecordBlock Get(int index, out ReadOnlySpan<float> volts)
    {
        var (head, at) = _blocks[index];
        var end = index + 1 < _blocks.Count ? _blocks[index + 1].At : _used;
        volts = _samples.AsSpan(at, end - at);
        return head;
    }

    /// <summary>Forgets them.</summary>
    public void Clear() => Keep(0);
}
