// A transform for pictures: the modules' own, over memory that the collector leaves where it is.
using SspHost.Dsp;

namespace SspHost.Panel.Analysis;

/// <summary>A real transform of one size. Belongs to one thread; transforming allocates nothing.</summary>
internal sealed unsafe class Transform
{
    private readonly float[] _tables;
    private readonly float[] _scratch;

    public Transform(int size)
    {
        Size = size;
        _tables = GC.AllocateUninitializedArray<float>((int)Fft.Floats(size), pinned: true);
        _scratch = GC.AllocateArray<float>(size, pinned: true);
        Data = GC.AllocateArray<float>(size, pinned: true);
        fixed (float* tables = _tables) Fft.Build(tables, size);
    }

    public int Size { get; }

    /// <summary>The signal; after <see cref="Forward"/> the spectrum: Size / 2 real parts, then as many imaginary ones.</summary>
    public float[] Data { get; }

    public void Forward()
    {
        fixed (float* tables = _tables, data = Data, scratch = _scratch) new Fft(tables, Size).Forward(data, scratch);
    }

    public void Inverse()
    {
        fixed (float* tables = _tables, data = Data, scratch = _scratch) new Fft(tables, Size).Inverse(data, scratch);
    }
}
