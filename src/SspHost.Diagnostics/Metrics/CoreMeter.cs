// The cores over the last second and the heat, for whoever shows them each second: nothing is allocated.
namespace SspHost.Diagnostics;

/// <summary>Looks at a recorder's snapshots. Not thread-safe.</summary>
public sealed class CoreMeter(MetricsRecorder recorder)
{
    private const ulong WindowNs = 950_000_000; // the snapshot that was meant to be a second ago may be a moment less

    private readonly Snapshot _from = new(), _to = new();

    /// <summary>Degrees Celsius of the hottest sensor at the last <see cref="Take"/>; NaN: there is none.</summary>
    public float Temperature { get; private set; } = float.NaN;

    /// <summary>
    /// Numbers of the cores, ascending, and how busy each was (0..1) over the last second, as many as there is room for. How many; 0: not known yet.
    /// </summary>
    public int Take(Span<int> numbers, Span<float> busy)
    {
        if (!recorder.Ring.TryWindow(WindowNs, _from, _to)) return 0;
        Temperature = _to.System.Temperature == int.MinValue ? float.NaN : _to.System.Temperature / 1000f;
        var count = Math.Min(_to.CoreCount, Math.Min(numbers.Length, busy.Length));
        for (var i = 0; i < count; i++)
        {
            ref readonly var now = ref _to.Cores[i];
            (numbers[i], busy[i]) = (now.Core, MetricsWindow.TryCore(_from, now.Core, out var was) ? (float)MetricsWindow.Busy(in was, in now) : 0);
        }

        return count;
    }
}
