// What moves: levels, loads and pictures of modules, looked at once a frame.
using SspHost.Patching;

namespace SspHost.Panel;

/// <summary>
/// A look at the engine, renewed by <see cref="Refresh"/>. Reading allocates nothing. Levels are peaks in volts. Where there is no engine, or no
/// such module, levels are 0 and spans are empty.
/// </summary>
public interface ILive
{
    /// <summary>Looks again; once a frame, before anything is read.</summary>
    void Refresh();

    /// <summary>Whether audio plays.</summary>
    bool Playing { get; }

    /// <summary>Sample rate in Hz and frames of a quantum as running; 0 where nothing runs.</summary>
    int Rate { get; }

    /// <inheritdoc cref="Rate"/>
    int Quantum { get; }

    /// <summary>Load of the last quantum: render time over its length.</summary>
    float Load { get; }

    /// <summary>Incidents in which frames were lost, and quanta that were late, since the engine started.</summary>
    ulong Dropouts { get; }

    /// <inheritdoc cref="Dropouts"/>
    ulong Late { get; }

    /// <summary>Peaks of the last 50 to 100 ms by jack.</summary>
    ReadOnlySpan<float> InputPeaks { get; }

    /// <inheritdoc cref="InputPeaks"/>
    ReadOnlySpan<float> OutputPeaks { get; }

    /// <summary>Peaks of the last quanta of a module's outputs, by port; empty where they are not known.</summary>
    ReadOnlySpan<float> OutputLevels(string module);

    /// <summary>Values of a module's parameters as they play at this moment, with what moves them (scenes, controllers, CV); empty where they are not known.</summary>
    ReadOnlySpan<float> Parameters(string module);

    /// <summary>The floats of one telemetry entry of a module, as its descriptor describes them; empty where there are none.</summary>
    ReadOnlySpan<float> Telemetry(string module, int entry);

    /// <summary>
    /// Watches the first channel of an output from now on; null: nothing. Taps 0 to 3 are the Scope page's, 4 is the Module page's.
    /// </summary>
    void Watch(int tap, PortRef? output);

    /// <summary>
    /// The newest samples of a tap in volts, the oldest first, without gaps: at most <see cref="TapSamples"/>, fewer since it watches what it does.
    /// </summary>
    ReadOnlySpan<float> Samples(int tap);

    /// <summary>Taps there are.</summary>
    const int Taps = 5;

    /// <summary>Samples that a tap keeps.</summary>
    const int TapSamples = 8192;

    /// <summary>Mean share of a quantum that a module took over the last second, on one core; NaN where it is not known.</summary>
    float ModuleLoad(string module);

    /// <summary>Why a module is switched off although the patch has it on, as a word ("overload", "stuck"); null: it is on.</summary>
    string? Shed(string module);
}
