// Six squares that share no note: the metal of analogue cymbals, band-limited.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// The oscillator bank of Werner, Abel and Smith (The TR-808 Cymbal: a Physically-Informed, Circuit-Bendable, Digital Model, ICMC 2014):
/// square waves of 205.3, 304.4, 369.6, 522.7, 540 and 800 Hz. Each edge adds its residual (see <see cref="BlepTable"/>) at its time
/// between two frames. One voice.
/// </summary>
public unsafe struct MetalOscillators
{
    /// <summary>Squares in the sum.</summary>
    public const int Count = 6;

    private fixed double _phases[Count];
    private fixed float _buffer[Limits.Grid + BlepTable.Taps];
    private bool _running;

    /// <summary>Frequency of square <paramref name="index"/> in Hz at the original tuning.</summary>
    public static float Hertz(int index) => index switch
    {
        0 => 205.3f,
        1 => 304.4f,
        2 => 369.6f,
        3 => 522.7f,
        4 => 540f,
        _ => 800f,
    };

    /// <summary>Back to the beginning, as in zeroed memory.</summary>
    public void Reset() => this = default;

    /// <summary>
    /// Sixteen frames of the sum, each square +-1. <paramref name="perHertz"/> is turns a frame per Hz of the original tuning, at most
    /// 1/4000 (the highest square then has five frames a turn). The first frames after a reset are whole, too.
    /// </summary>
    public void Render(float* table, float perHertz, float* target)
    {
        if (!_running)
        {
            // The edges of the first sixteen frames would miss what they add before themselves.
            for (var k = 0; k < Count; k++) _phases[k] = k * 0.1546;
            _running = true;
            Segment(table, perHertz);
            Shift();
        }

        Segment(table, perHertz);
        fixed (float* buffer = _buffer)
        {
            for (var i = 0; i < Limits.Grid; i += 4) Vector128.Load(buffer + i).Store(target + i);
        }

        Shift();
    }

    private void Segment(float* table, float perHertz)
    {
        fixed (float* buffer = _buffer)
        {
            for (var k = 0; k < Count; k++)
            {
                var step = (double)(Hertz(k) * perHertz);
                var inverse = 1.0 / step;
                var phase = _phases[k];
                for (var i = 0; i < Limits.Grid; i++)
                {
                    var high = phase < 0.5;
                    phase += step;
                    var over = phase - 1.0;
                    var mid = phase - 0.5;
                    if (over >= 0.0)
                    {
                        phase = over;
                        BlepTable.Add(buffer + i, table, 0, (float)(over * inverse), 2f);
                    }
                    else if (high && mid >= 0.0)
                    {
                        BlepTable.Add(buffer + i, table, 0, (float)(mid * inverse), -2f);
                    }

                    buffer[i + BlepTable.Latency] += phase < 0.5 ? 1f : -1f;
                }

                _phases[k] = phase;
            }
        }
    }

    private void Shift()
    {
        fixed (float* buffer = _buffer)
        {
            for (var i = 0; i < BlepTable.Taps; i += 4) Vector128.Load(buffer + Limits.Grid + i).Store(buffer + i);
            Block.Clear(buffer + BlepTable.Taps, Limits.Grid);
        }
    }
}
