// One click becomes a short burst: four allpass filters in a row, which colour nothing that lasts.
namespace SspHost.Dsp;

/// <summary>Schroeder's allpass sections (Natural Sounding Artificial Reverberation, JAES 1962), in memory the host gave.</summary>
public unsafe struct Diffuser
{
    private const int Stages = 4;
    private const float Gain = 0.6f;

    private readonly float* _rings;
    private fixed int _lengths[Stages];
    private fixed int _at[Stages];
    private int _quiet;

    /// <summary>Floats to ask for where the stages last <paramref name="frames"/> together.</summary>
    public static long Floats(int frames) => frames;

    /// <summary>Over a zeroed block.</summary>
    /// <param name="block">Memory of <see cref="Floats"/>.</param>
    /// <param name="frames">What all four stages last together.</param>
    /// <param name="stretch">Near 1: another number makes another row, so that two sides are unlike.</param>
    public Diffuser(float* block, int frames, float stretch)
    {
        _rings = block;
        _lengths[0] = (int)(frames * 0.10f * stretch);
        _lengths[1] = (int)(frames * 0.17f / stretch);
        _lengths[2] = (int)(frames * 0.27f * stretch);
        _lengths[3] = frames - _lengths[0] - _lengths[1] - _lengths[2];
    }

    /// <summary>Whether everything stored is exactly zero.</summary>
    public readonly bool AtRest => _quiet >= _lengths[0] + _lengths[1] + _lengths[2] + _lengths[3];

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        var ring = _rings;
        for (var stage = 0; stage < Stages; stage++)
        {
            new Span<float>(ring, _lengths[stage]).Clear();
            ring += _lengths[stage];
            _at[stage] = 0;
        }

        _quiet = 0;
    }

    /// <summary>One frame.</summary>
    public float Next(float x)
    {
        var ring = _rings;
        var silent = true;
        for (var stage = 0; stage < Stages; stage++)
        {
            ref var at = ref _at[stage];
            var stored = ring[at];
            var kept = Denormal.Flush(x + (Gain * stored));
            silent &= kept == 0f;
            ring[at] = kept;
            x = stored - (Gain * kept);
            ring += _lengths[stage];
            if (++at == _lengths[stage]) at = 0;
        }

        _quiet = silent ? Math.Min(_quiet + 1, int.MaxValue - 1) : 0;
        return x;
    }
}
