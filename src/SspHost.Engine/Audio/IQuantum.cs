// What the audio loop needs of whoever renders.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// Renders quanta: an unmanaged struct in memory of the region, called directly through a type parameter. [audio-thread]
/// </summary>
public unsafe interface IQuantum
{
    /// <summary>
    /// Renders one quantum, in volts; every frame of every output is written. Buffers hold a quantum each and are 64-byte aligned.
    /// </summary>
    /// <param name="inputs">One buffer per input jack.</param>
    /// <param name="inputCount">Input jacks.</param>
    /// <param name="outputs">One buffer per output jack.</param>
    /// <param name="outputCount">Output jacks.</param>
    /// <param name="frame">Number of the first frame on the card's clock; it jumps by the frames lost in a dropout.</param>
    void Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame);

    /// <summary>
    /// Fills in what the renderer knows (plan serial, bad outputs, dropped events, its quantum counter if it keeps one); after each
    /// wake-up.
    /// </summary>
    void Report(ref AudioStatus status);

    /// <summary>The module that took longest in the last quantum, where module times are on. After a quantum that was late.</summary>
    Culprit Culprit();
}
