// The frames in which gates rise, for claims that are made of frames.
namespace SspHost.Modules.Tests;

/// <summary>Rises of gates and gates from rises.</summary>
public static class EdgeList
{
    /// <summary>Frames in which <paramref name="gate"/> goes above 1 V.</summary>
    public static int[] Rises(float[] gate) =>
        [.. Enumerable.Range(0, gate.Length).Where(i => gate[i] >= 1f && (i == 0 || gate[i - 1] < 1f))];

    /// <summary>A cable that rises at <paramref name="frames"/>, each time for <paramref name="width"/> frames.</summary>
    public static Func<long, float> Clock(IEnumerable<long> frames, int width = 48)
    {
        var high = frames.SelectMany(f => Enumerable.Range(0, width).Select(i => f + i)).ToHashSet();
        return frame => high.Contains(frame) ? 10f : 0f;
    }
}
