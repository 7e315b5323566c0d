// The reference's gain: 5 ms along a raised cosine, one sample at a time.
namespace SspHost.EndToEnd.Tests.Changes;

/// <summary>A gain that is at rest or on its way from one value to another.</summary>
internal struct ReferenceGain
{
    public float From, To;

    /// <summary>Frames since it was aimed.</summary>
    public int Age;

    public static ReferenceGain Resting(float gain) => new() { From = gain, To = gain, Age = int.MaxValue / 2 };

    /// <summary>Frames of a ramp: 5 ms, in whole segments of 16.</summary>
    public static int FramesAt(int rate) => (int)Math.Round(rate * 0.005 / 16) * 16;

    /// <summary>The way of a ramp, and ones for as long as a quantum may last beyond it.</summary>
    public static float[] Shape(int frames)
    {
        var shape = new float[frames + 256];
        for (var i = 0; i < shape.Length; i++) shape[i] = i < frames ? (float)((1 - Math.Cos(Math.PI * i / frames)) / 2) : 1f;
        return shape;
    }

    public readonly bool Rests(int frames) => Age >= frames;

    public readonly float Now(float[] shape, int frames) => Age >= frames ? To : From + ((To - From) * shape[Age]);

    public void Aim(float to, float[] shape, int frames)
    {
        From = Now(shape, frames);
        To = to;
        Age = From == to ? frames : 0;
    }
}
