// Figures of one run, in few words.
using SspHost.Diagnostics.Benching;

namespace SspHost.Commands;

internal static class BenchFigures
{
    /// <summary>A figure with the value of one run; what is not finite was not measured, and the note says so.</summary>
    public static BenchFigure Of(string name, string unit, BenchBetter better, double value, double? target = null, string note = "") => new()
    {
        Name = name, Unit = unit, Better = better, Values = double.IsFinite(value) ? [value] : [], Target = target,
        Note = double.IsFinite(value) || note.Length > 0 ? note : "no finite number came of it",
    };
}
